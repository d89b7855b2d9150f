"""What placement is told of pipelines: the close is due at seven, the export feeds it."""

from swarm.model.keys import PipelineKey
from swarm.model.scaling import Expected
from swarm.sequencing.outlook import outlook
from tests.unit.sequencing.mornings import HOUR_S, MIN_S, ran
from tests.unit.sequencing.test_decisions import CLOSE, EXPORT, at_s
from tests.unit.sequencing.test_precedence import Mornings, morning


def told(shell: Mornings, key: PipelineKey, now_s: float) -> Expected:
    shell.look(now_s)
    decisions = shell.decisions
    (found,) = outlook(shell.world, lambda k: decisions.end_by(k, now_s), [key], now_s).pipelines
    return found


def test_a_pipeline_that_others_stand_on_is_due_before_they_have_to_begin() -> None:
    shell = Mornings(*morning())
    export, close = told(shell, EXPORT, at_s(4.5)), told(shell, CLOSE, at_s(4.5))
    assert close.end_by_s == at_s(7)
    assert export.end_by_s == at_s(6.5)
    assert export.starts_s == (at_s(5),)
    assert (export.takes_s[0], export.takes_s[-1]) == (30 * MIN_S, 30 * MIN_S)


def test_what_is_done_for_today_is_not_due() -> None:
    shell = Mornings(*morning())
    shell.take(ran(EXPORT, at_s(5), 0.5 * HOUR_S))
    assert told(shell, EXPORT, at_s(6)).end_by_s is None
    assert told(shell, CLOSE, at_s(6)).end_by_s == at_s(7)


def test_what_is_not_known_has_nothing_but_its_name() -> None:
    shell = Mornings(*morning())
    unknown = PipelineKey("pre", "unknown")
    assert told(shell, unknown, at_s(4.5)) == Expected(unknown)
