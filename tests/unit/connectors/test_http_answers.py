"""What an HTTP answer means."""

import pytest

from swarm.connectors.http_answers import (
    MAX_RESPONSE_BYTES,
    Busy,
    Forbidden,
    NotFound,
    check_status,
    parse_object,
    read_capped,
)
from swarm.errors import ConnectorError, MalformedResponse, Unauthorized, Unavailable

URL = "http://airflow/api/v2/dags"


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (302, MalformedResponse),
        (400, MalformedResponse),
        (401, Unauthorized),
        (403, Forbidden),
        (404, NotFound),
        (429, Busy),
        (500, Unavailable),
        (503, Unavailable),
    ],
)
def test_a_status_is_an_error_that_names_url_status_and_answer(
    status: int, error: type[ConnectorError]
) -> None:
    with pytest.raises(error, match=f"{URL} answered {status}: no way"):
        check_status(URL, status, body=b"no  way")


def test_success_is_no_error() -> None:
    check_status(URL, 200)
    check_status(URL, 201)


@pytest.mark.parametrize(("header", "rest_s"), [("7", 7.0), ("", 1.0), ("Wed, 21 Oct", 1.0)])
def test_a_busy_server_says_how_long_to_rest(header: str, rest_s: float) -> None:
    with pytest.raises(Busy) as caught:
        check_status(URL, 429, header)
    assert caught.value.retry_after_s == rest_s


def test_an_answer_over_the_limit_is_not_read_to_its_end() -> None:
    read = 0

    def endless() -> object:
        nonlocal read
        while True:
            read += 1_000_000
            yield bytes(1_000_000)

    with pytest.raises(MalformedResponse, match=f"{URL} answered more than"):
        read_capped(URL, endless())  # type: ignore[arg-type]
    assert read == MAX_RESPONSE_BYTES + 1_000_000
    assert len(read_capped(URL, [bytes(MAX_RESPONSE_BYTES)])) == MAX_RESPONSE_BYTES


@pytest.mark.parametrize(
    "body", [b"<html>Sign in</html>", b"", b"[1]", b'{"a":', b"\xff\xfe", b"[" * 100_000]
)
def test_what_is_no_json_object_is_malformed(body: bytes) -> None:
    with pytest.raises(MalformedResponse, match=URL):
        parse_object(URL, body)


def test_an_excerpt_is_short() -> None:
    with pytest.raises(MalformedResponse) as caught:
        parse_object(URL, b"x" * 10_000)
    assert len(str(caught.value)) < 300
