"""When a call is sent again, and when not: the rules of `swarm/client/steps.py`."""

import itertools
import pickle

import pytest

from swarm.client import ApiError, Busy, Conflict, NotFound, Unavailable, Unreachable
from swarm.client.call import Answer, get, nothing, post
from swarm.client.calls import decisions, health, tasks
from swarm.client.steps import Broken, Patience, sent, walked
from tests.unit.client.scripted import CUT, PATIENT, REFUSED, Script, no, ok

HOLD = decisions.hold("airflow/a", by="ann")
# What a server says where its application ended without an answer.
BARE = Answer(500, {}, b"Internal Server Error")
PUSH = post("push", {"runs": []}, repeatable=True)
WITH_KEY = post("tasks", {"tasks": []}, key="k")


def told(trouble: Answer | Broken) -> str:
    return str(trouble.status) if isinstance(trouble, Answer) else trouble.why


def test_a_good_answer_is_read_at_once() -> None:
    script = Script(ok({"seq": 3}))
    assert script.run(sent(health.status(), PATIENT)) == {"seq": 3}
    assert (len(script.sent), script.pauses) == (1, [])


@pytest.mark.parametrize("call", [health.status(), PUSH, WITH_KEY], ids=["get", "push", "key"])
@pytest.mark.parametrize("trouble", [no(503), no(502), no(429), BARE, CUT, REFUSED], ids=told)
def test_what_may_be_repeated_is_sent_again_as_it_was(call, trouble) -> None:
    script = Script(trouble, trouble, ok({}))
    script.run(sent(call, PATIENT))
    assert script.sent == [call.request] * 3


@pytest.mark.parametrize("trouble", [no(503), no(502), no(504), BARE, CUT], ids=told)
def test_what_may_have_been_done_is_not_done_twice(trouble) -> None:
    script = Script(trouble)
    with pytest.raises((Unavailable, Unreachable, ApiError)):
        script.run(sent(HOLD, PATIENT))
    assert len(script.sent) == 1


@pytest.mark.parametrize("trouble", [no(429, retry_after=2), REFUSED], ids=["429", "refused"])
def test_what_was_certainly_not_done_is_sent_again(trouble) -> None:
    script = Script(trouble, ok({"act": "hold"}))
    assert script.run(sent(HOLD, PATIENT)) == {"act": "hold"}


def test_an_error_that_is_swarms_own_is_told_at_once() -> None:
    script = Script(no(500, "internal"))
    with pytest.raises(ApiError, match="internal"):
        script.run(sent(health.status(), PATIENT))
    assert len(script.sent) == 1


def test_what_waits_for_a_person_is_not_waited_for() -> None:
    script = Script(no(503, "safe-mode", retry_after=5))
    with pytest.raises(Unavailable):
        script.run(sent(health.status(), PATIENT))
    assert script.pauses == []


def test_the_api_says_when() -> None:
    script = Script(no(429, retry_after=2), no(503, retry_after=5), ok({}))
    script.run(sent(health.status(), PATIENT))
    assert script.pauses == [2.0, 5.0]


def test_without_a_word_of_it_the_pauses_grow_and_are_drawn() -> None:
    script = Script(*[CUT] * 9, ok({}))
    script.run(sent(health.status(), PATIENT))
    assert script.pauses == [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0, 5.0, 5.0]
    shy = Script(CUT, ok({}))
    shy.run(sent(health.status(), Patience(30.0, draw=lambda: 0.0)))
    assert shy.pauses == [0.05]


def test_patience_ends_before_the_pause_that_would_pass_it() -> None:
    script = Script(*[no(503, "store-unavailable", retry_after=4)] * 3)
    with pytest.raises(Unavailable) as refused:
        script.run(sent(health.status(), Patience(10.0)))
    assert script.pauses == [4.0, 4.0]
    assert (refused.value.code, refused.value.retry_after_s) == ("store-unavailable", 4.0)
    at_once = Script(REFUSED)
    with pytest.raises(Unreachable, match="nothing listens"):
        at_once.run(sent(health.status(), Patience(0.0)))
    assert at_once.pauses == []


@pytest.mark.parametrize(
    ("answer", "kind"),
    [(no(404), NotFound), (no(409), Conflict), (no(418), ApiError), (no(500), ApiError)],
    ids=["404", "409", "418", "500"],
)
def test_other_refusals_are_final_and_typed(answer, kind) -> None:
    script = Script(answer)
    with pytest.raises(kind) as refused:
        script.run(sent(health.status(), PATIENT))
    told = refused.value
    assert (told.status, told.code, str(told), told.fix) == (
        answer.status,
        "code",
        "it is code",
        "mend code",
    )
    assert type(told) is kind


def test_an_api_without_fixes_is_read_too() -> None:
    old = Answer(404, {}, b'{"code": "unknown-key", "detail": "no such"}')
    with pytest.raises(NotFound) as refused:
        Script(old).run(sent(health.status(), PATIENT))
    assert (refused.value.code, refused.value.fix) == ("unknown-key", "")


@pytest.mark.parametrize(
    "answer",
    [ok(b"<html>log in</html>"), Answer(404, {}, b"<html>none</html>")],
    ids=["200", "404"],
)
def test_what_is_not_swarm_is_named(answer) -> None:
    with pytest.raises(ApiError, match="not swarm's API") as refused:
        Script(answer).run(sent(health.status(), PATIENT))
    assert refused.value.code == "not-swarm"


def test_an_answer_without_what_it_has_to_hold_is_not_swarms() -> None:
    with pytest.raises(ApiError) as refused:
        Script(ok(b"text")).run(sent(tasks.output_part("a"), PATIENT))
    assert refused.value.code == "not-swarm"


def test_an_error_that_leaves_it_open_has_the_key() -> None:
    with pytest.raises(Unreachable) as cut:
        Script(CUT).run(sent(WITH_KEY, Patience(0.0)))
    assert cut.value.idempotency_key == "k"
    with pytest.raises(Unreachable) as plain:
        Script(CUT).run(sent(HOLD, Patience(0.0)))
    assert plain.value.idempotency_key is None


def test_errors_pass_between_processes() -> None:
    error = Busy(429, "rate-limited", "too many", "wait", 2.0)
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), str(copy), copy.code, copy.retry_after_s) == (
        Busy,
        *error.args[2:0:-1],
        2.0,
    )


def test_a_readiness_probe_is_asked_once() -> None:
    for answer, ready in ((ok({"ready": True}), True), (no(503), False), (REFUSED, False)):
        script = Script(answer)
        assert script.run(health.ready(PATIENT)) is ready
        assert script.is_played


def page(rows: list[int], cursor: str | None) -> Answer:
    return ok({"items": rows, "next_cursor": cursor})


def test_pages_are_walked_to_the_last_row() -> None:
    script = Script(page([1, 2], "b"), no(503, retry_after=1), page([3], "c"), page([], None))
    assert list(script.walk(walked(PATIENT, tasks.tasks("queued")))) == [1, 2, 3]
    asked = [dict(request.params) for request in script.sent]
    later = {"state": "queued", "limit": "1000"}
    assert asked == [
        {"state": "queued"},
        *[later | {"cursor": "b"}] * 2,
        later | {"cursor": "c"},
    ]


def test_pages_nobody_wants_are_not_asked_for() -> None:
    script = Script(page([1, 2], "b"))
    assert list(itertools.islice(script.walk(walked(PATIENT, tasks.tasks())), 2)) == [1, 2]
    assert len(script.sent) == 1


def test_parameters_are_as_a_url_has_them() -> None:
    call = get("x", nothing, yes=True, no=False, none=None, number=1.5, text="a b")
    assert call.request.params == {"yes": "true", "no": "false", "number": "1.5", "text": "a b"}


def test_a_name_is_one_part_of_a_path() -> None:
    assert tasks.task("a/b?c").request.path == "tasks/a%2Fb%3Fc"
