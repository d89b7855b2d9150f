"""Work from handing in to its end, as steps."""

import json
import math

import pytest

from swarm.client import Invalid, NotFound, Unreachable
from swarm.client.running import AT_ONCE, follow, output, submit, wait, wait_all
from swarm.client.steps import Patience
from tests.unit.client.scripted import CUT, PATIENT, REFUSED, Script, no, ok


def story(state: str, grant: int = 1, waiting: str | None = None, copy: str = "") -> object:
    """`copy` of its newest grant: it `runs` beside the first, or `leads` once that is lost."""
    led = copy == "leads"
    outputs = [out(number, leads=number < grant or not led) for number in range(1, grant + 1)]
    outputs += [out(grant, is_copy=True, leads=led)] if copy else []
    told = {"id": "a", "state": state, "grant": grant, "waiting_text": waiting, "outputs": outputs}
    return ok(told)


def out(grant: int, is_copy: bool = False, leads: bool = True) -> dict[str, object]:
    return {"grant": grant, "worker": "w", "is_copy": is_copy, "leads": leads}


def printed(text: bytes, then: int) -> object:
    return ok(text, next_offset=str(then))


def taken(count: int, first: int = 0) -> object:
    return ok({"tasks": [str(number) for number in range(first, first + count)]})


def keys(script: Script) -> list[str]:
    return [request.headers["Idempotency-Key"] for request in script.sent]


def test_a_key_is_made_once_and_kept_while_it_is_sent_again() -> None:
    script = Script(CUT, no(503), REFUSED, taken(1))
    assert script.run(submit(PATIENT, [{"argv": ["true"]}])) == ["0"]
    assert len(set(keys(script))) == 1
    assert len({request.content for request in script.sent}) == 1
    other = Script(taken(1))
    other.run(submit(PATIENT, [{"argv": ["true"]}]))
    assert keys(other) != keys(script)[:1]


def test_more_than_the_api_takes_go_in_batches_under_keys_of_their_own() -> None:
    most = AT_ONCE
    script = Script(taken(most), taken(most, most), CUT, taken(5, 2 * most))
    ids = script.run(
        submit(PATIENT, [{"item": n} for n in range(2 * most + 5)], idempotency_key="k")
    )
    assert ids == [str(number) for number in range(2 * most + 5)]
    assert keys(script) == ["k", "k#1", "k#2", "k#2"]
    sizes = [len(json.loads(request.content or b"")["tasks"]) for request in script.sent]
    assert sizes == [most, most, 5, 5]


@pytest.mark.parametrize("length", [198, 199, 200])
def test_the_keys_of_batches_are_no_longer_than_the_api_takes(length: int) -> None:
    key = "k" * length
    script = Script(taken(AT_ONCE), taken(AT_ONCE), taken(1))
    script.run(submit(PATIENT, [{"item": 1}] * (2 * AT_ONCE + 1), idempotency_key=key))
    first, *others = keys(script)
    assert first == key, "as always: a second sending is known by it"
    assert max(map(len, keys(script))) <= 200
    assert len(set(keys(script))) == 3
    again = Script(taken(AT_ONCE), taken(AT_ONCE), taken(1))
    again.run(submit(PATIENT, [{"item": 1}] * (2 * AT_ONCE + 1), idempotency_key=key))
    assert keys(again) == keys(script)
    other = Script(taken(AT_ONCE), taken(1))
    other.run(submit(PATIENT, [{"item": 1}] * (AT_ONCE + 1), idempotency_key="l" * length))
    assert keys(other)[1] not in others


def test_nothing_to_hand_in_asks_nobody() -> None:
    assert Script().run(submit(PATIENT, [])) == []


def test_who_gives_up_has_the_key() -> None:
    with pytest.raises(Unreachable) as left:
        Script(CUT).run(submit(Patience(0.0), [{"argv": ["true"]}]))
    assert left.value.idempotency_key
    with pytest.raises(Invalid) as refused:
        Script(no(422)).run(submit(PATIENT, [{"argv": []}], idempotency_key="mine"))
    assert refused.value.idempotency_key == "mine"
    tasks = [{"item": 1}] * (AT_ONCE + 1)
    with pytest.raises(Unreachable) as within:
        Script(taken(AT_ONCE), CUT).run(submit(Patience(0.0), tasks, idempotency_key="mine"))
    assert within.value.idempotency_key == "mine", "the key of all of them, not of the batch"


@pytest.mark.parametrize("outcome", ["succeeded", "failed", "cancelled", "parked", "skipped"])
def test_a_task_is_waited_for_until_it_has_an_outcome(outcome: str) -> None:
    live = ("queued", "leased", "running", "lost")
    script = Script(*map(story, live), story(outcome))
    assert script.run(wait(PATIENT, "a"))["state"] == outcome
    assert script.pauses == pytest.approx([0.05, 0.075, 0.1125, 0.16875])


def test_looks_come_no_faster_than_once_a_second_in_the_end() -> None:
    script = Script(*[story("running")] * 20, story("succeeded"))
    script.run(wait(PATIENT, "a"))
    assert script.pauses[-1] == 1.0


def test_a_task_that_readers_do_not_see_yet_is_waited_for() -> None:
    script = Script(no(404), no(404), story("succeeded"))
    assert script.run(wait(PATIENT, "a"))["state"] == "succeeded"


def test_a_task_that_nobody_handed_in_is_not_waited_for_long() -> None:
    script = Script(*[no(404, "unknown-key")] * 100)
    with pytest.raises(NotFound):
        script.run(wait(PATIENT, "a"))
    assert 30.0 < sum(script.pauses) < 32.0


def test_who_waits_may_say_for_how_long() -> None:
    script = Script(*[story("queued", 0, "all slots are taken")] * 20)
    with pytest.raises(TimeoutError, match=r"task a is queued after 5 s: all slots are taken"):
        script.run(wait(PATIENT, "a", timeout_s=5.0))
    assert sum(script.pauses) == pytest.approx(5.0, abs=0.01)


def test_the_deadline_is_that_of_all() -> None:
    script = Script(story("succeeded"), *[story("running")] * 20)
    with pytest.raises(TimeoutError, match="1 of 2 tasks have ended; task b is running"):
        script.run(wait_all(PATIENT, ["a", "b"], timeout_s=2.0))
    assert sum(script.pauses) == pytest.approx(2.0, abs=0.01)


def test_the_deadline_counts_while_nothing_answers() -> None:
    script = Script(*[REFUSED] * 50)
    with pytest.raises(Unreachable):
        script.run(wait(PATIENT, "a", timeout_s=3.0))
    assert sum(script.pauses) <= 3.0


def test_no_answer_is_waited_for_much_longer_than_was_said() -> None:
    script = Script(*[story("running")] * 20)
    with pytest.raises(TimeoutError):
        script.run(wait(PATIENT, "a", timeout_s=3.0))
    asked_s = [request.within_s for request in script.sent]
    assert asked_s[0] == 3.0
    assert asked_s == sorted(asked_s, reverse=True)
    assert asked_s[-1] == 1.0
    unbound = Script(story("succeeded"))
    unbound.run(wait(PATIENT, "a"))
    assert unbound.sent[0].within_s == math.inf


def test_all_stories_come_in_the_order_asked_for() -> None:
    script = Script(story("running"), story("failed"), story("succeeded"))
    states = [one["state"] for one in script.run(wait_all(PATIENT, ["a", "b"]))]
    assert states == ["failed", "succeeded"]
    assert [request.path for request in script.sent] == ["tasks/a", "tasks/a", "tasks/b"]


def test_what_is_printed_is_followed_to_the_end() -> None:
    script = Script(
        no(404),
        story("queued", 0),
        story("running"),
        printed(b"one\n", 4),
        story("running"),
        printed(b"", 4),
        story("succeeded"),
        printed(b"two\n", 8),
        story("succeeded"),
        printed(b"", 8),
    )
    assert list(script.walk(follow(PATIENT, "a"))) == [b"one\n", b"two\n"]
    assert script.is_played
    offsets = [r.params["offset"] for r in script.sent if r.path.endswith("output")]
    assert offsets == ["0", "4", "4", "8"]


def test_a_new_grant_is_followed_from_its_beginning() -> None:
    script = Script(
        story("running", 1),
        printed(b"lost", 4),
        story("running", 2),
        printed(b"", 4),
        printed(b"again", 5),
        story("failed", 2),
        printed(b"", 5),
    )
    assert list(script.walk(follow(PATIENT, "a"))) == [b"lost", b"again"]
    asked = [(r.params["grant"], r.params["offset"]) for r in script.sent if r.params]
    assert asked == [("1", "0"), ("1", "4"), ("2", "0"), ("2", "5")]


def test_what_a_grant_printed_last_is_followed_though_another_has_begun() -> None:
    script = Script(
        story("running", 1),
        printed(b"one ", 4),
        story("failed", 3),
        printed(b"its ", 8),
        printed(b"last", 12),
        printed(b"", 12),
        printed(b"two", 3),
        printed(b"", 3),
        printed(b"three", 5),
        story("failed", 3),
        printed(b"", 5),
    )
    told = [b"one ", b"its ", b"last", b"two", b"three"]
    assert list(script.walk(follow(PATIENT, "a"))) == told
    assert script.is_played
    asked = [(r.params["grant"], r.params["offset"]) for r in script.sent if r.params]
    assert asked[1:4] == [("1", "4"), ("1", "8"), ("1", "12")]
    assert asked[4:] == [("2", "0"), ("2", "3"), ("3", "0"), ("3", "5")]


@pytest.mark.parametrize("before", [no(404), story("queued", 0)])
def test_a_grant_that_came_and_went_between_two_looks_is_followed(before: object) -> None:
    script = Script(
        before,
        story("failed", 2),
        printed(b"one", 3),
        printed(b"", 3),
        printed(b"two", 3),
        story("failed", 2),
        printed(b"", 3),
    )
    assert list(script.walk(follow(PATIENT, "a"))) == [b"one", b"two"]


def test_of_two_copies_the_one_that_leads_is_followed() -> None:
    """The second from its beginning, once the worker of the first is lost."""
    script = Script(
        story("running", copy="runs"),
        printed(b"one", 3),
        story("running", copy="leads"),
        printed(b" cut", 7),
        printed(b"", 7),
        printed(b"one two", 7),
        story("succeeded", copy="leads"),
        printed(b"", 7),
    )
    assert list(script.walk(follow(PATIENT, "a"))) == [b"one", b" cut", b"one two"]
    assert script.is_played
    asked = [(r.params["copy"], r.params["offset"]) for r in script.sent if r.params]
    first, second = "false", "true"
    assert asked == [
        (first, "0"),
        (first, "3"),
        (first, "7"),
        (second, "0"),
        (second, "7"),
    ]


def test_who_begins_to_follow_late_hears_the_newest_grant_alone() -> None:
    script = Script(story("failed", 3), printed(b"", 0))
    assert list(script.walk(follow(PATIENT, "a"))) == []
    assert [r.params["grant"] for r in script.sent if r.params] == ["3"]


def test_a_task_that_never_ran_prints_nothing() -> None:
    script = Script(story("queued", 0), story("cancelled", 0))
    assert list(script.walk(follow(PATIENT, "a"))) == []


def test_all_that_was_printed_is_read_in_parts() -> None:
    script = Script(printed(b"one ", 4), printed(b"two", 7), printed(b"", 7))
    assert script.run(output(PATIENT, "a", 3)) == b"one two"
    assert [dict(request.params) for request in script.sent] == [
        {"grant": "3", "offset": at} for at in ("0", "4", "7")
    ]
