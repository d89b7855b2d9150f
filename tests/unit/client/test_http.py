"""What a client is refused before anything is sent."""

import traceback

import pytest

from swarm.client import AsyncClient, Client, Unauthorized, Unreachable

BOTH = pytest.mark.parametrize("kind", [Client, AsyncClient])
URL = "http://127.0.0.1:8642"


@BOTH
@pytest.mark.parametrize("token", ["its-first\nits-second", "its-clé", "its-first ", "its\x00"])
def test_a_token_that_no_header_takes_is_refused_and_not_shown(kind, token) -> None:
    with pytest.raises(Unauthorized, match="one line") as refused:
        kind(URL, token)
    assert "its" not in "".join(traceback.format_exception_only(refused.value))


@BOTH
def test_who_gives_no_token_is_told_so(kind) -> None:
    with pytest.raises(Unauthorized, match="There is no token"):
        kind(URL)


@BOTH
@pytest.mark.parametrize("url", ["http://here:port", "http://[::", "https://a\nb", "here:8642"])
def test_what_is_no_url_is_told_as_unreachable(kind, url) -> None:
    with pytest.raises(Unreachable, match="no URL of a swarm"):
        kind(url, "token")


@BOTH
def test_a_url_with_a_password_is_refused_and_not_shown(kind) -> None:
    with pytest.raises(Unreachable, match="give a token") as refused:
        kind("http://me:my-password@127.0.0.1:8642", "token")
    assert "my-" not in str(refused.value)
