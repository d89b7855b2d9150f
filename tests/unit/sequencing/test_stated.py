"""A tag that was meant to state an SLA and does not is told, with the form that is meant."""

import pytest

from swarm.model.findings import Finding
from swarm.model.graph import FindingChanged, GraphRecord, PipelineGone, PipelineSeen
from swarm.model.keys import PipelineKey
from swarm.model.pipelines import Pipeline
from swarm.model.sla import Sla
from swarm.sequencing.stated import Misstated, stated_by

CLOSE, EXPORT = PipelineKey("dag", "close"), PipelineKey("dag", "export")


def tagged(*tags: str, key: PipelineKey = CLOSE) -> GraphRecord:
    return PipelineSeen(Pipeline(key, tags=tags))


def news(misstated: Misstated, *records: GraphRecord, now_s: float = 1.0) -> list[Finding]:
    for record in records:
        misstated.apply(record)
    found = misstated.decide(now_s)
    for changed in found:
        misstated.apply(changed)
    assert misstated.decide(now_s) == [], "told once"
    return [changed.finding for changed in found]


@pytest.mark.parametrize(
    "tag", ["sla:7:30", "sla:0730", "SLA:07:30", "sla: 07:30", "sla:24:00", "sla:", "sla:07:30Z"]
)
def test_a_tag_of_another_form_is_told_with_the_form_that_is_meant(tag: str) -> None:
    [finding] = news(Misstated(), tagged("finance", tag))
    assert str(finding) == (
        f"dag/close: its tag `{tag}` states no SLA: write `sla:HH:MM` (UTC, `sla:07:30`) or "
        "`sla:HH:MM@PLACE` (`sla:07:30@Europe/Berlin`)"
    )


def test_a_place_without_a_clock_is_told_by_name() -> None:
    [finding] = news(Misstated(), tagged("sla:07:30@Berlin"))
    assert "there is no time zone `Berlin` here; write" in str(finding)


def test_the_other_tags_of_the_pipeline_count_all_the_same() -> None:
    pipeline = Pipeline(CLOSE, tags=("sla:7:30", " sla:08:15 ", "slate", "islands:1"))
    assert [sla.at for sla in stated_by(pipeline)] == ["08:15"]
    assert len(news(Misstated(), PipelineSeen(pipeline))) == 1


def test_a_deadline_of_the_orchestrator_by_an_unknown_clock_is_told_and_left_out() -> None:
    slas = Sla(CLOSE, 27_000.0, "Mars/Base"), Sla(CLOSE, 28_800.0, days=(0,))
    pipeline = Pipeline(CLOSE, tags=("sla:09:00",), slas=slas)
    assert [sla.at for sla in stated_by(pipeline)] == ["08:00", "09:00"]
    [finding] = news(Misstated(), PipelineSeen(pipeline))
    assert "`dag/close by 07:30 Mars/Base` states no SLA: there is no time zone" in str(finding)


@pytest.mark.parametrize("then", [tagged("sla:07:30"), PipelineGone(CLOSE)])
def test_what_was_put_right_is_closed(then: GraphRecord) -> None:
    misstated = Misstated()
    news(misstated, tagged("sla:7:30"), tagged("sla:8", key=EXPORT))
    [closed] = news(misstated, then, now_s=2.0)
    assert (closed.pipelines, closed.closed_at_s) == ((CLOSE,), 2.0)
    assert [record.finding.pipelines for record in misstated.records()] == [(EXPORT,)]


def test_a_restart_tells_nothing_again_and_closes_what_is_gone() -> None:
    misstated = Misstated()
    news(misstated, tagged("sla:7:30"), tagged("sla:8", key=EXPORT))
    again = Misstated()
    kept: list[FindingChanged] = list(misstated.records())
    [closed] = news(again, *kept, tagged("sla:7:30"), now_s=3.0)
    assert (closed.pipelines, closed.closed_at_s) == ((EXPORT,), 3.0)
