"""What is remembered stays within bounds, and what is asked for stays."""

from swarm.lineage.sql.answers import Answers


def test_what_is_asked_for_outlives_what_is_not() -> None:
    answers: Answers[int] = Answers(entries=10)
    answers.put("kept", 0, 1)
    for number in range(100):
        answers.put(number, number, 1)
        assert answers.get("kept") == 0
    assert answers.get(0) is None
    assert answers.get(99) == 99


def test_entries_are_bounded() -> None:
    answers: Answers[int] = Answers(entries=10)
    for number in range(1_000):
        answers.put(number, number, 1)
    assert 10 <= len(answers) <= 20


def test_characters_are_bounded() -> None:
    answers: Answers[int] = Answers(characters=100)
    for number in range(1_000):
        answers.put(number, number, 10)
    assert 10 <= len(answers) <= 20
    answers.put("large", 1, 101)
    assert answers.get("large") is None


def test_the_same_key_again_is_the_newer_value() -> None:
    answers: Answers[int] = Answers(entries=10)
    for value in range(100):
        answers.put("one", value, 1)
        assert answers.get("one") == value
    assert len(answers) == 1
