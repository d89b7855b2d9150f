"""Who held slots of which nodes: the same before and after an hour is summed up."""

import dataclasses
import random
import tracemalloc

import pytest

from swarm.model.dispatch import (
    Copied,
    CopyGone,
    CopyLeads,
    Ended,
    Granted,
    Lost,
    Rearmed,
    Submitted,
    WorkerGone,
    WorkerJoined,
)
from swarm.model.graph import PipelineSeen
from swarm.model.journal import Entry
from swarm.model.keys import PipelineKey, TaskKey
from swarm.model.pipelines import Pipeline, Task
from swarm.model.scaling import Scaled, Step
from swarm.model.work import (
    CapacityClass,
    LossCause,
    Offer,
    Outcome,
    Resources,
    Submission,
    TaskId,
    Token,
    WorkerId,
)
from swarm.placement.metering import Spent
from swarm.store.read_tables import uses
from swarm.store.retention import Retention

HOUR_S = 3_600.0
BEGIN_S = 480_000 * HOUR_S
PIPELINE = PipelineKey("airflow", "load")


class Story:
    """Entries of a stream, the dispatcher's, at hours since the beginning."""

    def __init__(self, stream="dispatch"):
        self.entries = []
        self.stream = stream

    def at(self, hour, *records):
        for record in records:
            seq = len(self.entries) + 1
            self.entries.append(Entry(self.stream, seq, BEGIN_S + hour * HOUR_S, "cause", record))

    def step(self, hour, step, node, offering="cheap"):
        self.at(hour, Scaled(step, BEGIN_S + hour * HOUR_S, offering=offering, node=node))


def joined(worker, slots=2):
    room = Resources(cpu=float(slots))
    place = {"capacity": CapacityClass.SPOT, "pool": "cheap"}
    return WorkerJoined(Offer(WorkerId(worker), f"node-{worker}", slots, room, **place))


def submitted(task, at_s=0.0):
    return Submitted(
        Submission(TaskId(task), "data", "x", at_s, pipeline=PIPELINE, run=f"of {task}")
    )


def granted(task, worker, grant=1):
    return Granted(Token(TaskId(task), grant), WorkerId(worker), 1)


def ended(task, grant=1, outcome=Outcome.SUCCEEDED):
    return Ended(Token(TaskId(task), grant), outcome)


def a_history(seed):
    """Workers that come and go, and what they run, over a day and a half."""
    chance, story = random.Random(seed), Story()
    at, tasks, free, running = 0.0, 0, [], {}
    workers = 0
    while at < 36.0:
        at += chance.expovariate(4.0)
        move = chance.random()
        if move < 0.15 or not free:
            workers += 1
            story.at(at, joined(f"w{workers}"))
            free += [f"w{workers}"] * 2
        elif move < 0.6:
            worker = free.pop(chance.randrange(len(free)))
            tasks += 1
            story.at(at, submitted(f"t{tasks}"), granted(f"t{tasks}", worker))
            running[f"t{tasks}"] = worker
        elif running:
            task = chance.choice(sorted(running))
            free.append(running.pop(task))
            story.at(at, ended(task, outcome=chance.choice((Outcome.SUCCEEDED, Outcome.FAILED))))
    return story.entries


def a_short_life(seed):
    """Nodes of some half an hour: what dispatcher and placement journal of them, and the hours
    they are billed for. Each boots under another name than it has when its worker comes; some are
    refused, and some never join."""
    chance, work, fleet, billed_h = random.Random(seed), Story(), Story("placement"), 0.0
    told = []
    for number in range(60):
        at, fate = number * 0.3, chance.random()
        boots_h, lives_h = chance.uniform(0.03, 0.06), chance.uniform(0.4, 0.7)
        up, gone = at + boots_h, at + boots_h + lives_h
        told.append((at + 0.002, fleet.step, Step.BOOTING, f"boot-{number % 7}"))
        if fate < 0.1:
            told.append((up, fleet.step, Step.NOT_COME, f"boot-{number % 7}"))
            continue
        if fate < 0.2:
            told.append((up, fleet.step, Step.NOT_JOINED, f"boot-{number % 7}"))
            told.append((gone, fleet.step, Step.LEFT, f"boot-{number % 7}"))
            billed_h += gone - at
            continue
        worker = joined(f"w{number}")
        told.append((up, work.at, worker))
        told.append((up + 0.002, fleet.step, Step.JOINED, f"node-w{number}"))
        told.append((up + 0.002, fleet.step, Step.LEFT, f"boot-{number % 7}"))
        told.append(
            (up + 0.01, work.at, submitted(f"t{number}"), granted(f"t{number}", f"w{number}"))
        )
        told.append((gone - 0.02, work.at, ended(f"t{number}")))
        told.append((gone - 0.01, work.at, WorkerGone(WorkerId(f"w{number}"), LossCause.NODE_GONE)))
        told.append((gone + 0.002, fleet.step, Step.LEFT, f"node-w{number}"))
        billed_h += gone - at
    for hour, tell, *what in sorted(told, key=lambda one: one[0]):
        tell(hour, *what)
    return sorted(work.entries + fleet.entries, key=lambda entry: entry.at_s), billed_h


def usage(store, hours, *, runs=True):
    return store.projections().fleet.usage(BEGIN_S, BEGIN_S + hours * HOUR_S, runs=runs)


def rounded(found):
    held = [(*one[:7], round(one.node_s, 3), round(one.slot_s, 3)) for one in found.held]
    fleet = [(*o[:3], round(o.node_s, 3), o.nodes, round(o.there_s, 3)) for o in found.fleet]
    return sorted(held), sorted(fleet)


def test_grants_and_workers_become_node_hours(store):
    story = Story()
    story.at(0.0, joined("w"), submitted("a"), granted("a", "w"))
    story.at(1.5, ended("a"))
    story.at(2.0, WorkerGone(WorkerId("w"), LossCause.NODE_GONE))
    store.projector().apply(story.entries)
    found = usage(store, 3)
    assert [(one.hour - 480_000, one.node_s, one.nodes) for one in found.fleet] == [
        (0, HOUR_S, 1),
        (1, HOUR_S, 1),
    ]
    assert [(one.hour - 480_000, one.node_s, one.slot_s) for one in found.held] == [
        (0, HOUR_S / 2, HOUR_S),
        (1, HOUR_S / 4, HOUR_S / 2),
    ]
    assert {(one.team, one.pipeline, one.run, one.pool) for one in found.held} == {
        ("data", "airflow/load", "of a", "cheap")
    }
    assert {one.run for one in usage(store, 3, runs=False).held} == {""}


def test_what_goes_on_counts_until_now(store):
    story = Story()
    story.at(0.0, joined("w"), submitted("a"), granted("a", "w"))
    store.projector().apply(story.entries)
    assert sum(one.slot_s for one in usage(store, 0.5).held) == HOUR_S / 2
    assert sum(one.node_s for one in usage(store, 0.75).fleet) == HOUR_S * 0.75


def test_a_loss_is_told_and_its_end_may_still_count(store):
    story = Story()
    story.at(0.0, joined("w"), submitted("a"), granted("a", "w"))
    story.at(0.5, Lost(Token(TaskId("a"), 1), LossCause.SILENT))
    projector = store.projector()
    projector.apply(story.entries)
    assert [(one.spent, one.slot_s) for one in usage(store, 3).held] == [(Spent.RETRY, HOUR_S / 2)]
    story.at(0.6, ended("a"))
    projector.apply(story.entries)
    (held,) = usage(store, 3).held
    assert (held.spent, round(held.slot_s)) == (Spent.WORK, 2_160)


def test_a_lost_task_is_a_retry_on_one_node_and_work_on_the_next(store):
    story = Story()
    story.at(0.0, joined("w"), joined("v"), submitted("a"), granted("a", "w"))
    story.at(0.5, Lost(Token(TaskId("a"), 1), LossCause.NODE_GONE))
    story.at(0.5, Rearmed(Token(TaskId("a"), 1)), granted("a", "v", 2))
    story.at(1.0, ended("a", 2))
    store.projector().apply(story.entries)
    spent = {one.spent: one.slot_s for one in usage(store, 1).held}
    assert spent == {Spent.RETRY: HOUR_S / 2, Spent.WORK: HOUR_S / 2}


def by_spent(found):
    return {(one.spent, one.pool): one.slot_s / HOUR_S for one in found.held}


def a_copied_task():
    story = Story()
    sure = joined("v").offer
    story.at(0.0, joined("w"), WorkerJoined(dataclasses.replace(sure, pool="sure")))
    story.at(0.0, submitted("a"), granted("a", "w"))
    story.at(0.5, Copied(Token(TaskId("a"), 1), WorkerId("v"), 1))
    return story


def test_the_copy_that_was_not_needed_is_a_retry(store):
    """Whose end it was is not known; the first one stands for the work."""
    story = a_copied_task()
    story.at(0.75, dataclasses.replace(ended("a"), copied=True))
    store.projector().apply(story.entries)
    assert by_spent(usage(store, 1)) == {("work", "cheap"): 0.75, ("retry", "sure"): 0.25}


def test_a_copy_that_went_is_a_retry_until_then(store):
    story = a_copied_task()
    story.at(0.6, CopyGone(Token(TaskId("a"), 1), WorkerId("v"), LossCause.NODE_GONE))
    story.at(0.75, ended("a"))
    store.projector().apply(story.entries)
    found = by_spent(usage(store, 1))
    assert found == pytest.approx({("work", "cheap"): 0.75, ("retry", "sure"): 0.1})


@pytest.mark.parametrize("batches", [1, 99])
def test_a_copy_that_leads_is_the_work_from_its_beginning(store, batches):
    story = a_copied_task()
    story.at(0.6, CopyLeads(Token(TaskId("a"), 1), WorkerId("v"), LossCause.NODE_GONE))
    story.at(0.9, ended("a"))
    projector = store.projector()
    size = -(-len(story.entries) // batches)
    for at in range(0, len(story.entries), size):
        projector.apply(story.entries[at : at + size])
    found = by_spent(usage(store, 1))
    assert found == pytest.approx({("retry", "cheap"): 0.6, ("work", "sure"): 0.4})


def test_slots_in_which_sensors_waited_are_told_apart(store):
    """As the definition of their pipeline says; a try of one that ended badly is a retry."""
    parts = {"group.wait": "S3KeySensor", "poll": "_PythonSensor", "load": "BashOperator"}
    known = tuple(Task(TaskKey("airflow", "load", name), kind) for name, kind in parts.items())
    parts_of = {"pipeline": PIPELINE, "run": "r 1"}
    tries = [
        Submission(TaskId(name), "data", "x", 0.0, subject=f"load.{name} r 1", **parts_of)
        for name in ("group.wait", "poll[3]", "load", "other")
    ]
    story = Story()
    story.at(0.0, joined("w", 8), *map(Submitted, tries))
    story.at(0.0, *(granted(one.task, "w") for one in tries))
    story.at(0.25, ended("load"), ended("other"), ended("poll[3]", outcome=Outcome.FAILED))
    story.at(0.5, ended("group.wait"))
    projector = store.projector()
    seen = PipelineSeen(Pipeline(PIPELINE, known))
    projector.apply([Entry("graph", 1, BEGIN_S, "cause", seen)])
    projector.apply(story.entries)
    spent = {one.spent: one.slot_s for one in usage(store, 1).held}
    assert spent == {
        Spent.SENSOR: HOUR_S / 2,
        Spent.WORK: HOUR_S / 2,
        Spent.RETRY: HOUR_S / 4,
    }


@pytest.mark.parametrize("seed", range(4))
def test_batches_and_sums_of_any_time_give_the_same(new_store, seed):
    """Once all at once; once in small batches, summed up again and again on the way."""
    entries = a_history(seed)
    whole, parts = new_store(), new_store()
    whole.projector().apply(entries)
    projector, chance = parts.projector(), random.Random(seed)
    at = 0
    while at < len(entries):
        size = chance.randrange(1, 40)
        projector.apply(entries[at : at + size])
        projector.trim(Retention())
        at += size
    assert rounded(usage(parts, 40)) == rounded(usage(whole, 40))


def test_hours_that_are_over_leave_only_their_sums(store):
    projector = store.projector()
    story = Story()
    story.at(0.0, joined("w"))
    for number in range(20):
        story.at(number / 10, submitted(f"t{number}"), granted(f"t{number}", "w"))
        story.at((number + 1) / 10, ended(f"t{number}"))
    story.at(5.0, submitted("late"))
    projector.apply(story.entries)
    before = rounded(usage(store, 5))
    projector.trim(Retention(ended_tasks=0))  # the tasks themselves are gone then
    assert rounded(usage(store, 5)) == before
    assert sum(one[8] for one in before[0]) == pytest.approx(2 * HOUR_S, abs=1)


def test_summing_up_many_takes_no_more_memory_than_those_of_a_node(store):
    """20,000 that 40 nodes held are some 7 MB at once."""
    projector, story = store.projector(), Story()
    story.at(0.0, *(joined(f"w{number}") for number in range(40)))
    story.at(8.0, submitted("late"))
    projector.apply(story.entries)
    held = {"slots": 0.01, "team": "data", "pipeline": "p", "run": "r", "spent": Spent.WORK}
    rows = [
        held
        | {
            "key": f"{number:064d}",
            "node": f"node-w{number % 40}",
            "from_s": BEGIN_S + number % 7_200,
            "until_s": BEGIN_S + number % 7_200 + 60.0,
        }
        for number in range(20_000)
    ]
    with projector._database.writing() as connection:
        connection.execute(uses.insert(), rows)
    del rows
    tracemalloc.start()
    projector.trim(Retention())
    _, peak_bytes = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert sum(one.slot_s for one in usage(store, 8).held) == pytest.approx(20_000 * 0.6)
    assert peak_bytes < 3_000_000


def test_a_span_ends_where_it_says(store):
    story = Story()
    story.at(0.0, joined("w"))
    story.at(40.0, WorkerGone(WorkerId("w"), LossCause.NODE_GONE))
    projector = store.projector()
    projector.apply(story.entries)
    for _ in range(2):  # before and after they are summed up
        found = usage(store, 24)
        assert [one.hour - 480_000 for one in found.fleet] == list(range(24))
        projector.trim(Retention())


def test_the_oldest_hours_go(store):
    story = Story()
    story.at(0.0, joined("w"))
    for hour in range(40):
        story.at(hour, submitted(f"t{hour}"), granted(f"t{hour}", "w"))
        story.at(hour + 0.5, ended(f"t{hour}"))
    projector = store.projector()
    projector.apply(story.entries)
    projector.trim(Retention(held_hours=20))
    found = usage(store, 41)
    assert [one.hour - 480_000 for one in found.held] == list(range(18, 40))  # two are not summed
    assert [one.hour - 480_000 for one in found.fleet] == list(range(18, 41))


def test_a_grant_that_never_ends_does_not_keep_all_that_came_after(store):
    """What of it is summed up stays as it was then: work."""
    story = Story()
    story.at(0.0, joined("w"), submitted("a"), granted("a", "w"))
    story.at(60.0, submitted("b"))
    projector = store.projector()
    projector.apply(story.entries)
    projector.trim(Retention())
    story.at(61.0, Lost(Token(TaskId("a"), 1), LossCause.SILENT))
    projector.apply(story.entries)
    spent = {}
    for one in usage(store, 62).held:
        spent[one.spent] = spent.get(one.spent, 0.0) + one.slot_s / HOUR_S
    assert spent == {Spent.WORK: 11.0, Spent.RETRY: 50.0}


def test_sums_outlive_projections_that_are_made_anew(store):
    """The journal may not reach back as far as they do."""
    entries = a_history(2)
    projector = store.projector()
    projector.apply(entries)
    projector.trim(Retention())
    before = rounded(usage(store, 40))
    projector.reset()
    assert usage(store, 40).fleet
    projector.apply(entries)
    assert rounded(usage(store, 40)) == before


def node_h(found):
    return sum(one.node_s for one in found.fleet) / HOUR_S


def a_rented_node(story, node="node-w"):
    story.step(0.0, Step.ORDERED, "")
    story.step(0.01, Step.BOOTING, node)
    return story


def test_the_boot_of_a_node_is_paid_for_and_nobodys(store):
    """Also what it is there after its last worker."""
    work, fleet = Story(), a_rented_node(Story("placement"))
    fleet.step(0.11, Step.JOINED, "node-w")
    work.at(0.1, joined("w"), submitted("a"), granted("a", "w"))
    work.at(0.5, ended("a"), WorkerGone(WorkerId("w"), LossCause.NODE_GONE))
    fleet.step(0.51, Step.LEFT, "node-w")
    projector = store.projector()
    projector.apply(work.entries)
    assert node_h(usage(store, 1)) == pytest.approx(0.4)
    projector.apply(fleet.entries)
    found = usage(store, 1)
    assert node_h(found) == pytest.approx(0.5)
    (hour,) = found.fleet
    assert (hour.pool, hour.capacity, hour.nodes) == ("cheap", CapacityClass.SPOT, 1)
    assert sum(one.node_s for one in found.held) == pytest.approx(0.2 * HOUR_S)  # a slot of two
    stood, held = store.projections().fleet.standing(BEGIN_S, BEGIN_S + HOUR_S)
    assert [(one.slots, round((one.until_s - one.from_s) / HOUR_S, 3)) for one in stood] == [
        (0, 0.09),
        (2, 0.41),
    ]
    assert len(held) == 1


def test_a_node_that_got_another_name_when_it_joined_is_one(store):
    """It boots for longer than its worker takes to be seen, and is not there twice meanwhile."""
    work, fleet = Story(), a_rented_node(Story("placement"), "boot-1")
    work.at(0.1, joined("w"))
    fleet.step(0.11, Step.JOINED, "node-w")
    fleet.step(0.11, Step.LEFT, "boot-1")
    work.at(0.5, WorkerGone(WorkerId("w"), LossCause.NODE_GONE))
    fleet.step(0.51, Step.LEFT, "node-w")
    projector = store.projector()
    for entry in sorted(work.entries + fleet.entries, key=lambda entry: entry.at_s):
        projector.apply([entry])
    found = usage(store, 1)
    assert node_h(found) == pytest.approx(0.5)
    assert [one.nodes for one in found.fleet] == [1]


def test_what_never_joined_is_paid_for_and_what_never_came_is_not(store):
    work, fleet = Story(), a_rented_node(Story("placement"), "boot-1")
    fleet.step(0.01, Step.BOOTING, "boot-2", "sure")
    fleet.step(0.2, Step.NOT_COME, "boot-2", "sure")
    fleet.step(0.21, Step.NOT_JOINED, "boot-1")
    fleet.step(0.31, Step.LEFT, "boot-1")
    work.at(0.0, joined("w"))  # of the same pool, so it is known to be spot
    work.at(0.3, WorkerGone(WorkerId("w"), LossCause.NODE_GONE))
    projector = store.projector()
    projector.apply(fleet.entries)
    (alone,) = usage(store, 1).fleet
    assert (alone.pool, alone.capacity) == ("cheap", CapacityClass.DEDICATED)
    projector.apply(work.entries)
    (both,) = usage(store, 1).fleet
    assert (both.pool, both.capacity, both.nodes) == ("cheap", CapacityClass.SPOT, 2)
    assert both.node_s == pytest.approx(0.6 * HOUR_S)


def test_what_boots_is_there_as_far_as_placement_tells(store):
    """Where it tells no more the node is not there for ever."""
    fleet = a_rented_node(Story("placement"))
    projector = store.projector()
    projector.apply(fleet.entries)
    assert node_h(usage(store, 90)) == 0.0
    fleet.step(0.11, Step.REACHABLE, "")
    projector.apply(fleet.entries)
    assert node_h(usage(store, 90)) == pytest.approx(0.1)


def test_nodes_that_nobody_saw_boot_count_by_their_workers(store):
    """A fixed pool, or one that stood before."""
    work, fleet = Story(), Story("placement")
    work.at(0.1, joined("w"))
    fleet.step(0.0, Step.JOINED, "node-w")
    work.at(0.5, WorkerGone(WorkerId("w"), LossCause.NODE_GONE))
    fleet.step(0.6, Step.LEFT, "node-w")
    projector = store.projector()
    projector.apply(work.entries)
    projector.apply(fleet.entries)
    assert node_h(usage(store, 1)) == pytest.approx(0.4)


@pytest.mark.parametrize("seed", range(3))
def test_nodes_of_half_an_hour_are_within_two_percent_of_their_bill(new_store, seed):
    """Also where they come in small batches and are summed up on the way."""
    entries, billed_h = a_short_life(seed)
    whole, parts = new_store(), new_store()
    whole.projector().apply(entries)
    found = usage(whole, 40)
    assert abs(node_h(found) - billed_h) < 0.02 * billed_h
    projector, chance, at = parts.projector(), random.Random(seed), 0
    while at < len(entries):
        size = chance.randrange(1, 20)
        projector.apply(entries[at : at + size])
        projector.trim(Retention())
        at += size
    assert rounded(usage(parts, 40)) == rounded(found)
