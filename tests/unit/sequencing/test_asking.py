"""A hold is a question to somebody where the policy says so."""

from dataclasses import replace

import pytest

from swarm.model.findings import Finding, FindingKind
from swarm.model.intents import Act, Intent, Mode
from swarm.model.keys import PipelineKey
from swarm.model.policy import AtLatest, Policy
from swarm.model.sequencing import IntentMade
from swarm.sequencing.asking import Asking

EXPORT, CLOSE = PipelineKey("air", "export"), PipelineKey("dag", "close")
HELD = Intent(CLOSE, 1, Act.HOLD, "waits for air/export", 99.0, waits_for=(EXPORT,))


def asking(at_latest: AtLatest = AtLatest.ASK) -> Asking:
    return Asking(lambda _: Policy(Mode.GATE, at_latest=at_latest))


def told(state: Asking, now_s: float, *intents: Intent) -> list[Finding]:
    for intent in intents:
        state.apply(IntentMade(intent))
    changed = state.decide(now_s)
    for record in changed:
        state.apply(record)
    assert state.decide(now_s) == []
    return [record.finding for record in changed]


def test_it_is_open_from_the_hold_to_the_release() -> None:
    state = asking()
    [opened] = told(state, 1.0, HELD)
    assert (opened.kind, str(opened)) == (FindingKind.HELD, "dag/close waits for air/export")
    assert told(state, 2.0, replace(HELD, number=2, due_s=(7.0,))) == []
    [closed] = told(state, 3.0, replace(HELD, number=3, act=Act.RELEASE))
    assert (closed.id, closed.closed_at_s) == (opened.id, 3.0)
    assert list(state.records()) == []


@pytest.mark.parametrize("at_latest", [AtLatest.RUN, AtLatest.SKIP])
def test_other_policies_ask_nobody(at_latest: AtLatest) -> None:
    assert told(asking(at_latest), 1.0, HELD) == []


def test_what_is_noted_only_or_held_by_a_person_asks_nobody() -> None:
    shadow, person = replace(HELD, mode=Mode.SHADOW), replace(HELD, waits_for=(), by="kim")
    assert told(asking(), 1.0, shadow) == []
    assert told(asking(), 1.0, person) == []
