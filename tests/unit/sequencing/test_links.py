"""Which linked pipelines start, and that none starts twice."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from swarm.errors import Rejected
from swarm.model.graph import RunSeen, RunsKept
from swarm.model.intents import Act, Intent
from swarm.model.keys import PipelineKey
from swarm.model.links import Awaited, Grain, Link
from swarm.model.runs import Ran, Run, RunState
from swarm.model.sequencing import IntentMade, LinkFed, LinkGone, LinkMade
from swarm.sequencing.links import TRIGGER_VALID_S, Links
from swarm.sequencing.world import World

BERLIN = "Europe/Berlin"
ORDERS, STOCK = PipelineKey("air", "orders"), PipelineKey("dag", "stock")
REPORT = PipelineKey("prefect", "report/main")
MADE_S = datetime(2026, 10, 1, 12, tzinfo=ZoneInfo(BERLIN)).timestamp()
EACH = Link((ORDERS,), REPORT, timezone=BERLIN, by="ann", made_at_s=MADE_S)
DAILY = replace(EACH, every=Grain.HOUR, per=Grain.DAY)


def at(text: str, fold: int = 0) -> float:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(BERLIN), fold=fold).timestamp()


def day_hours(day: str) -> list[float]:
    start_s = at(f"{day}T00:00:00")
    next_day = at(day[:-2] + f"{int(day[-2:]) + 1:02d}T00:00:00")
    return [start_s + 3600 * n for n in range(int((next_day - start_s) / 3600))]


class Shell:
    """Does as the sequencer actor does, and can be made anew from its journal."""

    def __init__(self, *links: Link) -> None:
        self.world = World()
        self.links = Links(self.world.history)
        self.journal: list[LinkMade | LinkGone | LinkFed | IntentMade] = []
        self.now_s = MADE_S
        for link in links:
            self.write([LinkMade(link)])

    def write(self, records: Sequence[LinkMade | LinkGone | LinkFed | IntentMade]) -> None:
        self.journal += records
        for record in records:
            self.links.apply(record)

    def see(self, record: RunSeen | RunsKept) -> None:
        self.world.apply(record)
        self.links.apply(record)

    def runs(
        self, of: PipelineKey, *planned_s: float, state: RunState = RunState.SUCCEEDED
    ) -> list[str]:
        """Runs that end ten minutes after their planned time; the stretches that start."""
        for at_s in planned_s:
            run_id = f"{at_s} {state} {len(self.journal)}"
            self.see(RunSeen(Run(of, run_id, state, at_s, at_s + 60, at_s + 600)))
        return self.decide()

    def decide(self) -> list[str]:
        found = self.links.decide(self.now_s)
        self.write(found)
        made = [one.intent for one in found if isinstance(one, IntentMade)]
        return [intent.reason.rpartition(" for ")[2] for intent in made]

    def again(self) -> "Shell":
        """What comes of the journal alone."""
        other = Shell()
        for record in self.journal:
            other.links.apply(record)
        return other

    def triggers(self) -> list[Intent]:
        return self.links.triggers("prefect", self.now_s)


def test_each_success_starts_a_run_and_a_failure_none() -> None:
    shell = Shell(EACH)
    shell.runs(ORDERS, at("2026-10-02T02:00:00"), state=RunState.FAILED)
    assert shell.triggers() == []
    assert len(shell.runs(ORDERS, at("2026-10-02T02:00:00"))) == 1
    (intent,) = shell.triggers()
    assert (intent.target, intent.act, intent.by) == (REPORT, Act.TRIGGER, "ann")
    assert intent.due_s == (at("2026-10-02T02:00:00"),)
    assert intent.waits_for == (ORDERS,)


def test_a_rerun_starts_nothing_again() -> None:
    shell = Shell(EACH)
    assert len(shell.runs(ORDERS, at("2026-10-02T02:00:00"))) == 1
    assert shell.runs(ORDERS, at("2026-10-02T02:00:00")) == []
    assert shell.decide() == []


def test_a_day_starts_when_its_last_hour_is_there_in_whatever_order() -> None:
    shell = Shell(DAILY)
    hours = day_hours("2026-10-02")
    assert shell.runs(ORDERS, *reversed(hours[1:])) == []
    assert shell.runs(ORDERS, hours[0]) == ["2026-10-02"]
    assert shell.runs(ORDERS, *hours) == []


def test_days_on_which_the_clock_changes_wait_for_their_own_hours() -> None:
    shell = Shell(DAILY)
    long = day_hours("2026-10-25")
    assert len(long) == 25
    assert shell.runs(ORDERS, *long[:24]) == []
    assert shell.runs(ORDERS, long[24]) == ["2026-10-25"]
    spring = replace(DAILY, made_at_s=at("2026-03-01T00:00:00"))
    assert Shell(spring).runs(ORDERS, *day_hours("2026-03-29")) == ["2026-03-29"]
    assert len(day_hours("2026-03-29")) == 23


def test_a_trigger_tells_the_stretch_that_its_run_is_for() -> None:
    shell = Shell(DAILY)
    shell.runs(ORDERS, *day_hours("2026-10-25"))
    (intent,) = shell.triggers()
    assert intent.stretch is not None
    assert (intent.stretch.label, intent.stretch.timezone) == ("2026-10-25", DAILY.timezone)
    assert intent.stretch.start == "2026-10-25T00:00:00+02:00"
    assert intent.stretch.end == "2026-10-26T00:00:00+01:00"
    shell = Shell(EACH)
    shell.runs(ORDERS, at("2026-10-02T02:00:00"))
    (intent,) = shell.triggers()
    assert intent.stretch is not None
    assert intent.stretch.start == intent.stretch.end


def test_a_gap_stays_open_is_told_and_stops_nothing_else() -> None:
    shell = Shell(DAILY)
    second, third = day_hours("2026-10-02"), day_hours("2026-10-03")
    assert shell.runs(ORDERS, *second[:7], *second[9:]) == []
    assert shell.links.awaited() == [Awaited(DAILY, "2026-10-02", ((ORDERS, 2),))]
    assert shell.runs(ORDERS, *third) == ["2026-10-03"]
    assert shell.runs(ORDERS, *second[7:9]) == ["2026-10-02"], "made good for later"
    assert shell.links.awaited() == [Awaited(DAILY, last="2026-10-03")]


def test_business_days_wait_for_the_weekend_before() -> None:
    link = replace(EACH, every=Grain.DAY, per=Grain.BUSINESS_DAY, holidays=("2026-10-05",))
    shell = Shell(link)
    planned = [at(f"2026-10-{day:02d}T02:00:00") for day in (2, 3, 4, 5)]
    assert shell.runs(ORDERS, *planned) == ["2026-10-02"]
    assert shell.runs(ORDERS, at("2026-10-06T02:00:00")) == ["2026-10-06"]


def test_weeks_of_business_days() -> None:
    shell = Shell(replace(EACH, every=Grain.BUSINESS_DAY, per=Grain.WEEK))
    planned = [at(f"2026-10-{day:02d}T02:00:00") for day in range(5, 10)]
    assert shell.runs(ORDERS, *planned) == ["2026-W41"]


def test_a_run_after_midnight_may_be_for_the_day_before() -> None:
    shell = Shell(replace(EACH, every=Grain.DAY, per=Grain.DAY, shift_s=-3600.0))
    assert shell.runs(ORDERS, at("2026-10-03T00:30:00")) == ["2026-10-02"]


def test_any_run_of_a_day_will_do_and_only_the_first() -> None:
    shell = Shell(replace(EACH, per=Grain.DAY))
    assert shell.runs(ORDERS, at("2026-10-02T02:00:00")) == ["2026-10-02"]
    assert shell.runs(ORDERS, at("2026-10-02T09:00:00")) == []


def test_a_run_without_a_planned_time_is_for_when_it_began() -> None:
    shell = Shell(replace(EACH, per=Grain.DAY))
    began_s = at("2026-10-02T09:00:00")
    shell.see(RunSeen(Run(ORDERS, "by hand", RunState.SUCCEEDED, None, began_s, began_s + 60)))
    assert shell.decide() == ["2026-10-02"]


def test_all_upstreams_have_to_be_there() -> None:
    shell = Shell(replace(EACH, upstreams=(ORDERS, STOCK), every=Grain.DAY, per=Grain.DAY))
    assert shell.runs(ORDERS, at("2026-10-02T02:00:00")) == []
    assert shell.runs(STOCK, at("2026-10-03T02:00:00")) == [], "another day"
    assert shell.runs(STOCK, at("2026-10-02T02:00:00")) == ["2026-10-02"]


def test_what_was_over_when_the_link_was_made_starts_nothing() -> None:
    shell = Shell()
    before = [at("2026-10-01T02:00:00"), at("2026-09-30T02:00:00")]
    shell.runs(ORDERS, *before)
    shell.write([LinkMade(replace(EACH, every=Grain.DAY, per=Grain.DAY))])
    assert shell.decide() == []
    assert shell.runs(ORDERS, at("2026-09-29T02:00:00")) == [], "a backfill of long ago"
    kept = tuple(Ran(at_s, at_s + 60, at_s + 600, False) for at_s in before)
    shell.see(RunsKept(ORDERS, kept))
    assert shell.decide() == []


def test_what_an_open_day_had_before_the_link_counts() -> None:
    shell = Shell()
    hours = day_hours("2026-10-01")
    shell.runs(ORDERS, *hours[:12])
    shell.write([LinkMade(DAILY)])
    assert shell.decide() == []
    assert shell.runs(ORDERS, *hours[12:]) == ["2026-10-01"]


def test_a_restart_forgets_neither_what_is_there_nor_what_was_started() -> None:
    shell = Shell(DAILY)
    hours = day_hours("2026-10-02")
    shell.runs(ORDERS, *hours[:20])
    later = shell.again()
    assert later.runs(ORDERS, *hours[20:]) == ["2026-10-02"]
    last = Shell()
    for record in [*shell.journal, *later.journal]:
        last.links.apply(record)
    assert last.runs(ORDERS, *hours) == []
    assert last.triggers() == later.triggers()


def test_a_snapshot_gives_the_same() -> None:
    shell = Shell(DAILY)
    shell.runs(ORDERS, *day_hours("2026-10-02"), *day_hours("2026-10-03")[:5])
    fresh = Shell()
    for record in list(shell.links.records()):
        fresh.links.apply(record)
    assert list(fresh.links.records()) == list(shell.links.records())
    assert fresh.links.awaited() == shell.links.awaited()


def test_a_stretch_has_one_number_for_ever() -> None:
    ids = []
    for _ in range(2):  # as after a journal that was lost
        shell = Shell(DAILY)
        shell.runs(ORDERS, *day_hours("2026-10-02"), *day_hours("2026-10-03"))
        ids.append([intent.id for intent in shell.triggers()])
    assert ids[0] == ids[1]
    assert len(set(ids[0])) == 2
    assert all(2**52 <= intent.number < 2**53 for intent in shell.triggers())


def test_a_link_in_the_place_of_another_starts_nothing_again() -> None:
    shell = Shell(DAILY)
    hours = day_hours("2026-10-02")
    shell.runs(ORDERS, *hours)
    shell.write([LinkMade(replace(DAILY, by="bob"))])
    assert shell.decide() == []
    assert shell.runs(ORDERS, *hours) == []


def test_a_link_that_is_gone_starts_nothing() -> None:
    shell = Shell(EACH)
    shell.write([LinkGone(REPORT, "ann")])
    assert shell.runs(ORDERS, at("2026-10-02T02:00:00")) == []
    assert shell.links.awaited() == []


def test_a_trigger_is_handed_out_until_it_is_over() -> None:
    shell = Shell(EACH)
    shell.runs(ORDERS, at("2026-10-02T02:00:00"))
    assert len(shell.links.triggers("prefect", MADE_S + TRIGGER_VALID_S - 1)) == 1
    assert shell.links.triggers("prefect", MADE_S + TRIGGER_VALID_S) == []
    assert shell.links.triggers("air", MADE_S) == []


def test_what_is_older_than_all_that_is_remembered_starts_nothing() -> None:
    shell = Shell(EACH)
    shell.runs(ORDERS, *(at("2026-10-02T00:00:00") + 60 * n for n in range(1, 500)))
    assert shell.runs(ORDERS, at("2026-10-02T00:00:00") + 60) == []


BACK = Link((REPORT,), STOCK, by="ann", made_at_s=MADE_S)
AGAIN = Link((STOCK,), ORDERS, by="ann", made_at_s=MADE_S)


def test_a_link_that_closes_a_ring_is_refused_with_the_way_round() -> None:
    shell = Shell(EACH, BACK)
    way = "air/orders -> prefect/report/main -> dag/stock -> air/orders"
    with pytest.raises(Rejected, match=way):
        shell.links.made(AGAIN)
    elsewhere = replace(AGAIN, downstream=PipelineKey("air", "invoices"))
    assert shell.links.made(elsewhere) == LinkMade(elsewhere)
    instead = replace(BACK, upstreams=(ORDERS,))
    assert shell.links.made(instead) == LinkMade(instead)


def test_a_ring_of_links_starts_nothing_says_so_and_goes_on_once_it_is_none() -> None:
    """By settings, or by a journal of before."""
    beside = Link((ORDERS,), PipelineKey("air", "invoices"), timezone=BERLIN, made_at_s=MADE_S)
    shell = Shell(EACH, BACK, AGAIN, beside)
    assert len(shell.runs(ORDERS, at("2026-10-02T02:00:00"))) == 1, "of what is beside it alone"
    assert [intent.target for intent in shell.triggers()] == []
    rings = {told.link.downstream: told.ring for told in shell.links.awaited()}
    assert rings[REPORT] == (REPORT, STOCK, ORDERS, REPORT)
    assert rings[beside.downstream] == ()
    shell.write([LinkGone(ORDERS, "ann")])
    assert shell.runs(ORDERS, at("2026-10-03T02:00:00")) != []
    assert [intent.target for intent in shell.triggers()] == [REPORT]
    assert not any(told.ring for told in shell.links.awaited())
