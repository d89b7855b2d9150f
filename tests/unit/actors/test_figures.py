"""Each metric there is is measured, and says what is so."""

from collections import Counter
from dataclasses import replace

import pytest

from swarm import telemetry
from swarm.actors.figures import (
    Alerted,
    Dispatched,
    Placed,
    of_holds,
    of_log,
    of_rules,
    of_slas,
    of_source,
    of_tasks,
    of_workers,
)
from swarm.actors.measuring import Exporter
from swarm.dispatch.events import Now
from swarm.model.alerts import Alert, AlertEnded, Delivery
from swarm.model.connectors import ConnectorState
from swarm.model.findings import FindingKind, RuleWeek
from swarm.model.intents import Act, Intent, Mode
from swarm.model.keys import PipelineKey
from swarm.model.learned import Foretold, Trust
from swarm.model.lineage import Level
from swarm.model.plans import Because, Candidate, Offering, Plan, Refused, Standing
from swarm.model.scaling import Scaled, Step
from swarm.model.sequencing import RuleScored
from swarm.model.sla import Sla, SlaState
from swarm.model.sla import Standing as SlaStanding
from swarm.model.work import CapacityClass, SlaClass, WorkerId
from swarm.placement.orders import View
from swarm.placement.steering import Planned
from swarm.store.census import Census
from swarm.telemetry import LABEL_MAX, METRICS, SLAS_MAX, Figure, Kind, Metric
from tests.unit.dispatch.builders import Desk, a_task

KEY = PipelineKey("airflow", "orders")


def dispatched():
    """One task that runs and one that waits; one worker died with its task and one is silent."""
    desk, counted = Desk(), Dispatched()
    desk.worker("alive", slots=1)
    desk.worker("dead", slots=1)
    desk.submit(a_task("one"), a_task("two", sla=SlaClass.CRITICAL), a_task("three"))
    desk.acquire("alive")
    desk.acquire("dead")
    for _ in range(100):
        desk.dispatcher.beat(WorkerId("alive"), desk.now_s)
        desk.pass_time(0.2)
    counted.note(desk.journal)
    floor, detector = desk.dispatcher.floor, desk.dispatcher.detector
    now = Now(desk.now_s, 0.0)
    tasks = list(of_tasks(floor))
    workers = list(of_workers(floor, detector.detection(now.steady_s)))
    return tasks + workers + list(counted.figures())


def a_state(name="airflow/orders", chance=0.25, value=1.0, standing=SlaStanding.AT_RISK):
    sla = Sla(PipelineKey.told(name), 7 * 3600.0, value=value)
    return SlaState(sla, 90_000.0, standing, chance)


def sequenced():
    hold = Intent(KEY, 1, Act.HOLD, "waits", 200.0)
    over = replace(hold, valid_until_s=50.0)
    noted = replace(hold, mode=Mode.SHADOW)
    yields = replace(hold, act=Act.YIELD)
    weeks = (RuleWeek(0.0, 2, 1, 1, 0),)
    return [
        *of_holds([hold, hold, over, noted, yields], 100.0),
        *of_slas([a_state(), a_state("airflow/other", standing=SlaStanding.MET)]),
        *of_rules([RuleScored(FindingKind.RACE, weeks), RuleScored(FindingKind.CYCLE, ())]),
    ]


def a_plan(**more):
    chosen = Candidate(3, 0.0, 300.0, 0.0, 0.0)
    return Planned(Plan((), (), (), (), (chosen,), chosen, 330, 300), 5, **more)


def placed():
    """One node that works and one that boots of three that are wanted; another was refused."""
    spot = Offering("cheap", (2,), 0.03, 60, CapacityClass.SPOT)
    sure = Offering("sure", (2,), 0.1, 60)
    standing = [Standing("a", "cheap", 0.0), Standing("boot-1", "sure", 0.0, joined=False)]
    counted = Placed()
    counted.note(
        [
            Scaled(Step.REFUSED, 1.0, move=Refused(Because.MOST_USD, 4, 0.5)),
            Scaled(Step.NOT_COME, 1.0, offering="cheap", because=Because.QUOTA),
            Scaled(Step.NOT_COME, 1.0, offering="cheap"),
            Scaled(Step.NOT_COME, 2.0, offering="cheap"),
            Scaled(Step.NOT_JOINED, 2.0, offering="sure", node="boot-0"),
            Scaled(Step.JOINED, 2.0, offering="cheap", node="a"),
        ]
    )
    view = View([spot, sure], standing, {})
    counted.look(view, a_plan(foretold=Foretold(Trust.TRUSTED)), {"cheap": 2, "sure": 1})
    return list(counted.figures())


def projected():
    found = Counter({(FindingKind.RACE, Level.WARN): 3})
    return list(of_log(Census(found, 7, 2, 9, 4), 0.3))


def alerted():
    counted = Alerted(["chat", "mail"])
    counted.note([AlertEnded("a", "chat", Delivery.SENT), AlertEnded("b", "gone", Delivery.SENT)])
    return list(counted.figures([Alert("c", "mail", 0.0, (), (), ())]))


def all_figures():
    source = list(of_source("airflow", ConnectorState.UNAVAILABLE, 12.0))
    return dispatched() + sequenced() + placed() + projected() + alerted() + source


def values(figures, metric):
    return {tuple(f.labels.values()): f.value for f in figures if f.metric is metric}


def test_every_metric_is_measured_and_nothing_else():
    assert {figure.metric.name for figure in all_figures()} == set(METRICS)


def test_every_figure_has_the_labels_of_its_metric():
    for figure in all_figures():
        assert tuple(figure.labels) == figure.metric.labels, figure


def test_names_and_helps_are_as_prometheus_wants_them():
    for name, metric in METRICS.items():
        assert name.startswith("swarm_")
        assert name.endswith("_total") == (metric.kind is Kind.COUNTER)
        assert metric.help.endswith(".")
        assert not any(unit in name for unit in ("_ms", "_minutes", "_percent", "_mb"))


def test_what_the_dispatcher_measures():
    figures = dispatched()
    tasks = values(figures, telemetry.TASKS)
    assert sum(tasks.values()) == 3
    assert tasks["leased", "critical"] + tasks["running", "critical"] == 1
    assert tasks["queued", "standard"] >= 1
    assert len(tasks) == 4 * 3, "also those of which there is none"
    assert values(figures, telemetry.WORKERS) == {("live",): 1, ("silent",): 0}
    assert values(figures, telemetry.SLOTS) == {(): 1}
    assert values(figures, telemetry.REDISTRIBUTIONS)["self_fenced",] == 1
    assert values(figures, telemetry.TASKS_ENDED)["succeeded",] == 0
    assert values(figures, telemetry.DETECTION)[()] >= 0.6


class Unseen(dict):
    def __iter__(self):
        raise AssertionError("somebody looks at all tasks")

    items = keys = values = __iter__


def test_no_task_is_looked_at_to_count_them():
    desk = Desk()
    desk.submit(*(a_task(f"t{number}") for number in range(5)))
    floor = desk.dispatcher.floor
    floor.tasks = Unseen(floor.tasks)
    tasks = values(of_tasks(floor), telemetry.TASKS)
    assert tasks["queued", "standard"] == 5
    assert sum(tasks.values()) == 5


def test_what_the_sequencer_measures():
    figures = sequenced()
    assert values(figures, telemetry.HOLDS) == {("gate",): 2, ("shadow",): 1}
    slas = values(figures, telemetry.SLAS)
    assert (slas["at_risk",], slas["met",], slas["missed",]) == (1, 1, 0)
    assert values(figures, telemetry.SLA_MISS)["airflow/orders by 07:00 UTC",] == 0.25
    assert values(figures, telemetry.HAZARD_PRECISION) == {("race",): 0.75}


def test_what_placement_measures():
    figures = placed()
    wanted, there = values(figures, telemetry.NODES_WANTED), values(figures, telemetry.NODES)
    assert wanted == {("cheap", "spot"): 2, ("sure", "on-demand"): 1}
    assert there == {("cheap", "spot"): 1, ("sure", "on-demand"): 1}
    assert values(figures, telemetry.NODES_USD) == {(): pytest.approx(0.13)}
    assert values(figures, telemetry.PLAN_GAP) == {(): pytest.approx(1.1)}
    assert values(figures, telemetry.TRUSTED) == {(): 1}
    assert values(figures, telemetry.REFUSALS) == {
        ("most_usd",): 1,
        ("quota",): 1,
        ("not_come",): 2,
        ("not_joined",): 1,
    }


def test_what_goes_is_none_and_a_forecast_that_is_new_is_not_trusted():
    counted = Placed()
    assert not list(counted.figures()), "nothing was looked at yet"
    offering = Offering("sure", (2,), 0.1, 60)
    counted.look(View([offering], [], {}), a_plan(), {})
    figures = list(counted.figures())
    assert values(figures, telemetry.NODES) == {("sure", "on-demand"): 0}
    assert values(figures, telemetry.NODES_USD) == {(): 0.0}
    assert values(figures, telemetry.TRUSTED) == {(): 0}


def test_the_slas_that_are_named_are_bounded_and_those_of_most_value():
    states = [a_state(f"airflow/p{n}{'x' * 500}", value=n + 1) for n in range(SLAS_MAX + 50)]
    figures = list(of_slas(states))
    named = values(figures, telemetry.SLA_MISS)
    assert len(named) == SLAS_MAX
    assert all(len(name) <= LABEL_MAX for (name,) in named)
    assert min(int(name.removeprefix("airflow/p").rstrip("x")) for (name,) in named) == 50
    assert sum(values(figures, telemetry.SLAS).values()) == SLAS_MAX + 50


def test_what_is_measured_of_alerts():
    figures = alerted()
    counts = values(figures, telemetry.ALERTS)
    assert counts["chat", "sent"] == 1
    assert sum(counts.values()) == 1, "no label for a target that the settings do not name"
    assert values(figures, telemetry.ALERTS_UNDER_WAY) == {("chat",): 0, ("mail",): 1}


class Instrument:
    def __init__(self, metric):
        self.kind = metric.kind
        self.at = {}

    def inc(self, value, tags):
        assert self.kind is Kind.COUNTER
        assert value > 0, "Ray refuses it"
        self.at[tuple(tags.items())] = self.at.get(tuple(tags.items()), 0) + value

    def set(self, value, tags):
        assert self.kind is Kind.GAUGE
        self.at[tuple(tags.items())] = value


@pytest.fixture
def exporter():
    made = {}

    def make(metric):
        assert metric.name not in made, "an instrument is made once"
        made[metric.name] = Instrument(metric)
        return made[metric.name]

    return Exporter(make), made


COUNT = Metric("swarm_things_total", Kind.COUNTER, "Things.", ("kind",))
LEVEL = Metric("swarm_level", Kind.GAUGE, "Level.", ("of",))


def test_counters_rise_by_what_is_new(exporter):
    export, made = exporter
    for count in (0, 2, 2, 5):
        export.export([Figure(COUNT, count, {"kind": "a"})])
    assert made["swarm_things_total"].at == {(("kind", "a"),): 5}


def test_a_gauge_that_is_no_longer_measured_is_nothing(exporter):
    export, made = exporter
    export.export([Figure(LEVEL, 3, {"of": "a"}), Figure(LEVEL, 4, {"of": "b"})])
    export.export([Figure(LEVEL, 5, {"of": "b"})])
    assert made["swarm_level"].at == {(("of", "a"),): 0.0, (("of", "b"),): 5.0}
    export.export([Figure(LEVEL, 7, {"of": "a"})])
    assert made["swarm_level"].at == {(("of", "a"),): 7.0, (("of", "b"),): 0.0}
