"""`swarm tasks logs`, called as from a shell: whose lines they are where two copies ran."""

import contextlib
from typing import Any

import pytest
from typer.testing import CliRunner

from swarm.cli import tasks
from swarm.cli.main import app

PRINTED = {(1, False): b"lost", (2, False): b"cut off", (2, True): b"all of it\n"}
OUTPUTS = [
    {"grant": 1, "worker": "worker:a", "is_copy": False, "leads": True},
    {"grant": 2, "worker": "worker:b", "is_copy": False, "leads": False},
    {"grant": 2, "worker": "worker:c", "is_copy": True, "leads": True},
]


class Answers:
    """A client that knows one task, whose second grant had a second copy."""

    def task(self, name: str) -> dict[str, Any]:
        return {"id": name, "grant": 2, "outputs": OUTPUTS}

    def output(self, name: str, grant: int | None = None, *, copy: bool | None = None) -> bytes:
        of = 2 if grant is None else grant
        return PRINTED[of, of == 2 if copy is None else copy]


@pytest.fixture(autouse=True)
def answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "connected", lambda *_, **__: contextlib.nullcontext(Answers()))


def logs(*words: str) -> str:
    done = CliRunner().invoke(app, ["tasks", "logs", "t", *words])
    assert done.exit_code == 0, done.stderr
    return done.stdout


def test_each_copy_has_a_heading_with_its_worker() -> None:
    assert logs() == (
        "==> grant 2 on worker:b <==\ncut off\n"
        "==> grant 2 on worker:c, second copy <==\nall of it\n"
    )


def test_one_copy_alone_is_what_it_printed_and_no_more() -> None:
    assert logs("--copy") == "all of it\n"
    assert logs("--no-copy") == "cut off"


def test_a_grant_without_a_second_copy_has_no_heading() -> None:
    assert logs("--grant", "1") == "lost"
