"""A pass is of one grant of one task, by one key, to the letter."""

import pytest

from swarm.model.passes import PREFIX, pass_of, read, seed_of
from swarm.model.work import TaskId, Token

KEY = b"key"
TOKEN = Token(TaskId("läuft/1 _.x"), 2)
PASS = pass_of(seed_of(KEY, TOKEN.task), TOKEN)


def test_it_says_whose_it_is() -> None:
    assert read(KEY, PASS) == TOKEN
    assert PASS.startswith(PREFIX)
    assert PASS.isascii()
    assert " " not in PASS


@pytest.mark.parametrize("at", range(len(PREFIX), len(PASS)))
def test_no_letter_of_it_may_be_another(at: int) -> None:
    other = "0" if PASS[at] != "0" else "1"
    assert read(KEY, PASS[:at] + other + PASS[at + 1 :]) is None


@pytest.mark.parametrize(
    "text",
    [
        "",
        PREFIX,
        f"{PREFIX}..",
        f"{PREFIX}YQ.1",
        f"{PREFIX}YQ.x.00",
        f"{PREFIX}\xff.1.0",
        f"{PREFIX}YQ.\u0661.00",
        PASS + "0",
        PASS[:-1],
        f"{PASS}.1",
        PASS.replace(".2.", ".02."),
    ],
)
def test_what_has_another_form_is_none(text: str) -> None:
    assert read(KEY, text) is None


def test_another_key_another_grant_and_another_task_make_another() -> None:
    seed = seed_of(KEY, TOKEN.task)
    assert read(b"other", PASS) is None
    next_ = pass_of(seed, Token(TOKEN.task, 3))
    assert next_.rpartition(".")[2] != PASS.rpartition(".")[2]
    mixed = f"{next_.rpartition('.')[0]}.{PASS.rpartition('.')[2]}"
    assert read(KEY, mixed) is None
    stranger = Token(TaskId("other"), 2)
    assert read(KEY, pass_of(seed, stranger)) is None, "the seed of one task makes passes of it"
