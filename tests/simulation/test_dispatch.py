"""What is acknowledged ends exactly once, whatever fails; and the checks that say so bite.

A failing seed replays by its number: `World(seed).run()`.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest

from swarm import sink
from swarm.dispatch import choice, dispatcher, guidance, losses
from swarm.dispatch.copies import Copies
from swarm.dispatch.detector import Detector
from swarm.dispatch.dispatcher import Decision, Dispatcher
from swarm.dispatch.events import Acquire, Finish, Guide, Now, Receipt, Renew, Silence, WorkerLost
from swarm.dispatch.floor import Floor
from swarm.dispatch.guidance import Guidance
from swarm.dispatch.queue import Queue
from swarm.dispatch.states import HELD, TRANSITIONS, Task
from swarm.dispatch.workers import Worker
from swarm.errors import InvalidTransition
from swarm.model.dispatch import CancelAsked, Copied, Ended, Lost, Rearmed, TaskKept
from swarm.model.work import LossCause, Rearm, TaskId, Token, WorkerId
from tests.simulation.dispatch_world import (
    PATIENCE,
    WAIT_MAX_S,
    Journal,
    Node,
    Process,
    World,
)
from tests.simulation.fenced_sink import FencedSink

SEEDS = 500
MUTANT_SEEDS = 200
_BLOCKS = 10


@pytest.mark.parametrize("block", range(_BLOCKS))
def test_every_seed_keeps_every_promise(block: int) -> None:
    for seed in range(block, SEEDS, _BLOCKS):
        world = World(seed)
        try:
            world.run()
        except (AssertionError, KeyError) as fault:
            raise AssertionError(f"seed {seed} at {world.now_s:.2f} s") from fault


def test_every_row_of_the_transition_table_fires() -> None:
    fired: Counter[tuple[str, str]] = Counter()
    refused = 0
    for seed in range(60):
        world = World(seed)
        world.run()
        fired += world.fired
        refused += world.zombies_refused
    assert {(state, move.__name__) for state, move in TRANSITIONS} == set(fired)
    assert refused > 0, "no returning worker was ever refused"


def test_a_seed_replays_exactly() -> None:
    first, second = World(7), World(7)
    first.run()
    second.run()
    assert first.journal.records == second.journal.records


Plant = Callable[[pytest.MonkeyPatch], None]
MUTANTS: dict[str, Plant] = {}


def mutant(plant: Plant) -> Plant:
    MUTANTS[plant.__name__] = plant
    return plant


@mutant
def old_grants_are_not_fenced(patch: pytest.MonkeyPatch) -> None:
    def current(self: Floor, token: Token) -> Task | None:
        return self.tasks.get(token.task)

    patch.setattr(Floor, "current", current)


@mutant
def the_answer_comes_before_the_journal(patch: pytest.MonkeyPatch) -> None:
    handle = Process._handle

    def eager(self: Process, event: object, reply: Callable[[object], None]) -> None:
        reply(Receipt.DONE if not isinstance(event, Acquire | Renew) else None)
        handle(self, event, reply)  # type: ignore[arg-type]

    def quick(self: Process, event: object, reply: Callable[[object], None]) -> None:
        if isinstance(event, Acquire | Renew):
            handle(self, event, reply)
        elif self.alive:
            eager(self, event, reply)

    patch.setattr(Process, "_handle", quick)


@mutant
def a_grant_number_is_used_twice(patch: pytest.MonkeyPatch) -> None:
    def move(self: Task, record: object, real: Callable[..., None] = Task.move) -> None:
        grant = self.grant
        real(self, record)
        if isinstance(record, Lost):
            self.grant = grant - 1

    patch.setattr(Task, "move", move)


@mutant
def silence_is_never_noticed(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Detector, "verdicts", lambda self, now_s: iter(()))


@mutant
def an_old_dispatcher_may_write(patch: pytest.MonkeyPatch) -> None:
    def append(self: Journal, epoch: int, records: tuple[object, ...]) -> None:
        self.records += records  # type: ignore[arg-type]

    patch.setattr(Journal, "append", append)


@mutant
def a_late_end_is_refused(patch: pytest.MonkeyPatch) -> None:
    real = Dispatcher._finish

    def finish(self: Dispatcher, event: Finish) -> Decision:
        task = self.floor.current(event.token)
        if task is not None and task.worker is None:
            return Decision((), Receipt.STALE)
        return real(self, event)

    patch.setattr(Dispatcher, "_finish", finish)


@mutant
def unsafe_work_moves_on_silence(patch: pytest.MonkeyPatch) -> None:
    def lose_silent(floor: Floor, id_: WorkerId) -> Iterator[object]:
        for held in list(floor.workers[id_].held):
            yield from losses.lose(floor.tasks[held], LossCause.SILENT)

    patch.setattr(dispatcher, "lose_silent", lose_silent)
    patch.setattr(dispatcher, "movable", lambda floor, worker: True)


@mutant
def a_restart_counts_as_silence(patch: pytest.MonkeyPatch) -> None:
    def begin(self: Dispatcher, now: Now) -> None:
        for worker in self.floor.workers:
            self.detector.grace(worker, now.steady_s - 100)

    patch.setattr(Dispatcher, "begin", begin)


@mutant
def the_fence_comes_too_early(patch: pytest.MonkeyPatch) -> None:
    real = Detector.verdicts

    def verdicts(self: Detector, now_s: float) -> Iterator[Silence]:
        for silence in real(self, now_s):
            yield replace(silence, fenced=True)

    patch.setattr(Detector, "verdicts", verdicts)


@mutant
def a_grant_whose_answer_was_lost_is_forgotten(patch: pytest.MonkeyPatch) -> None:
    real = Dispatcher._renew

    def renew(self: Dispatcher, event: Renew, now: Now) -> Decision:
        decision = real(self, event, now)
        kept = tuple(r for r in decision.records if not isinstance(r, Lost | Rearmed | Ended))
        return Decision(kept, decision.reply)

    patch.setattr(Dispatcher, "_renew", renew)


@mutant
def an_owner_is_not_asked(patch: pytest.MonkeyPatch) -> None:
    def lose(task: Task, cause: LossCause) -> Iterator[object]:
        own = replace(task.submission, rearm=Rearm.SELF)
        yield from losses_lose(replace(task, submission=own), cause)

    losses_lose = losses.lose
    patch.setattr(losses, "lose", lose)


@mutant
def a_lost_task_is_not_in_the_snapshot(patch: pytest.MonkeyPatch) -> None:
    real = Floor.records

    def records(self: Floor) -> Iterator[object]:
        return (r for r in real(self) if getattr(r, "state", "") != "lost")

    patch.setattr(Floor, "records", records)


@mutant
def cancelled_work_runs_again(patch: pytest.MonkeyPatch) -> None:
    def move(self: Task, record: object, real: Callable[..., None] = Task.move) -> None:
        real(self, record)
        if isinstance(record, CancelAsked):
            self.cancelled_by = ""

    patch.setattr(Task, "move", move)


@mutant
def poison_is_never_parked(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Task, "suspect", property(lambda self: False))


@mutant
def a_suspect_has_neighbours(patch: pytest.MonkeyPatch) -> None:
    """Then its neighbours are taken down with it, become suspects and are parked too."""
    patch.setattr(choice._Hand, "fits", lambda self, shape: True)


@mutant
def an_ended_id_is_free_again(patch: pytest.MonkeyPatch) -> None:
    real = Floor.apply

    def apply(self: Floor, record: object) -> None:
        real(self, record)  # type: ignore[arg-type]
        self.ended.clear()

    patch.setattr(Floor, "apply", apply)


@mutant
def tasks_that_move_are_counted_where_they_were(patch: pytest.MonkeyPatch) -> None:
    real = Floor._move

    def move(self: Floor, task: Task, record: object) -> None:
        before = self.counts.copy()
        real(self, task, record)  # type: ignore[arg-type]
        self.counts = before

    patch.setattr(Floor, "_move", move)


@mutant
def losses_of_machines_speak_against_tasks(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(losses, "TIED_TO_TASK", frozenset(LossCause))
    patch.setattr("swarm.dispatch.states.TIED_TO_TASK", frozenset(LossCause))


@mutant
def a_fence_is_told_before_it_is_done(patch: pytest.MonkeyPatch) -> None:
    beat = Node._beat

    def early(self: Node) -> None:
        silent_s = self.world.now_s - self.confirmed_s
        if self.running and silent_s > PATIENCE.self_fence_s / 3:
            self.world.tell(self.name, WorkerLost(self.worker, LossCause.SELF_FENCED))
        beat(self)

    patch.setattr(Node, "_beat", early)


@mutant
def what_waits_may_be_of_any_size(patch: pytest.MonkeyPatch) -> None:
    def take_ahead(hand: choice._Hand, idle: object, count: int) -> None:
        for team, shape, place in list(hand.in_turn())[:count]:
            hand.take(place, shape, team)

    patch.setattr(choice, "_take_ahead", take_ahead)


@mutant
def what_was_given_back_runs_too(patch: pytest.MonkeyPatch) -> None:
    def held(self: Node) -> tuple[Token, ...]:
        late = {t for t, at_s in self.waiting.items() if self.world.now_s - at_s > WAIT_MAX_S}
        return (*self.running, *(self.waiting.keys() - late))

    patch.setattr(Node, "_give_back", lambda self: None)
    patch.setattr(Node, "_held", held)


@mutant
def a_hold_outlives_its_time(patch: pytest.MonkeyPatch) -> None:
    take = Guidance.take

    def longer(self: Guidance, guide: Guide, now: Now) -> None:
        holds = tuple(replace(hold, for_s=hold.for_s + 30) for hold in guide.holds)
        take(self, replace(guide, holds=holds), now)

    patch.setattr(Guidance, "take", longer)


@mutant
def a_hold_loses_what_it_held(patch: pytest.MonkeyPatch) -> None:
    real = Queue.move

    def move(self: Queue, task: TaskId, latest_start_s: float, *, give_way: bool) -> None:
        if self.has_turn(task):
            real(self, task, latest_start_s, give_way=give_way)

    patch.setattr(Queue, "move", move)
    patch.setattr(Process, "_check_held", lambda self: None)


@mutant
def a_hold_stops_another_pipeline(patch: pytest.MonkeyPatch) -> None:
    real = Guidance._is_held

    def is_held(self: Guidance, task: Task, now: Now) -> bool:
        return real(self, task, now) or bool(self._holds and task.submission.pipeline)

    patch.setattr(Guidance, "_is_held", is_held)


@mutant
def a_hold_outlasts_the_orchestrator(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(guidance, "HELD_SHARE", 2.0)


@mutant
def half_a_run_is_held(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Floor, "_note_begun", lambda self, run: None)


@mutant
def a_hold_holds_nothing(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Queue, "set_aside", lambda self, task: None)


@mutant
def a_copy_commits_under_a_grant_of_its_own(patch: pytest.MonkeyPatch) -> None:
    """Then it fences the first one out, whose end counts, and nobody has made the effect."""
    came, commit = FencedSink.came, FencedSink.commit
    first: dict[tuple[FencedSink, Token], WorkerId] = {}

    def own(self: FencedSink, worker: WorkerId, token: Token) -> Token:
        is_first = first.setdefault((self, token), worker) == worker
        return token if is_first else Token(token.task, token.grant + 1)

    patch.setattr(FencedSink, "came", lambda self, w, t: came(self, w, own(self, w, t)))
    patch.setattr(FencedSink, "commit", lambda self, w, t: commit(self, w, own(self, w, t)))


@mutant
def a_copy_has_a_grant_of_its_own(patch: pytest.MonkeyPatch) -> None:
    real = Copies.granted

    def granted(self: Copies, worker: Worker, number: int, now: Now) -> tuple[Copied, ...]:
        found = real(self, worker, number, now)
        return tuple(replace(r, token=Token(r.token.task, r.token.grant + 1)) for r in found)

    patch.setattr(Copies, "granted", granted)


@mutant
def the_sink_takes_both_copies(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(sink, "_COMMITS", sink._COMMITS.replace(" AND committed IS NULL", ""))


@mutant
def what_may_not_run_twice_is_copied(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(Copies, "_may", lambda self, task, one, worker: task.state in HELD)


@mutant
def a_copy_stands_beside_the_first(patch: pytest.MonkeyPatch) -> None:
    def may(self: Copies, task: Task, wanted: object, worker: Worker) -> bool:
        fresh = not task.copy_no and not task.cancelled_by and not task.alone and task.harmless
        other = task.worker != worker.offer.worker
        return task.state in HELD and fresh and other and task.submission.may_run_twice

    patch.setattr(Copies, "_may", may)


@mutant
def a_copy_is_lost_with_the_first(patch: pytest.MonkeyPatch) -> None:
    def lose_on(worker: WorkerId, task: Task, cause: LossCause) -> Iterator[object]:
        yield from losses.lose(task, cause)

    patch.setattr(losses, "lose_on", lose_on)


@mutant
def a_copy_is_not_in_the_snapshot(patch: pytest.MonkeyPatch) -> None:
    real = Task.kept

    def kept(self: Task) -> TaskKept:
        return replace(real(self), copy=None)

    patch.setattr(Task, "kept", kept)


@pytest.mark.parametrize("name", MUTANTS)
def test_a_planted_bug_is_caught(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    MUTANTS[name](monkeypatch)
    for seed in range(MUTANT_SEEDS):
        try:
            World(seed).run()
        except (AssertionError, InvalidTransition, KeyError):
            return
    pytest.fail(f"{name}: no seed of {MUTANT_SEEDS} noticed")
