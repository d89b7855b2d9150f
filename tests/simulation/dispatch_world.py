"""A seeded world around the real dispatch engine: processes, a network and a journal that fail.

Time is virtual. Everything random comes from one `random.Random(seed)`, so a seed replays exactly.
The journal is the only thing that survives a crash. Faults stop at `HEAL_S`; then every task has
to reach its outcome before `END_S`. What must never happen is checked while it happens.
"""

import heapq
import random
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace

from swarm.dispatch.detector import Patience
from swarm.dispatch.dispatcher import Dispatcher, Policy
from swarm.dispatch.events import (
    Acquire,
    Cancel,
    Drain,
    Event,
    Finish,
    Grants,
    Guide,
    Hold,
    Nod,
    Now,
    Orders,
    Propose,
    Rearm,
    Receipt,
    Register,
    Renew,
    Submit,
    WorkerLost,
)
from swarm.dispatch.guidance import HELD_SHARE
from swarm.dispatch.states import HELD, TaskState
from swarm.errors import Conflict, Rejected
from swarm.model.dispatch import (
    CancelAsked,
    DispatchRecord,
    Ended,
    Granted,
)
from swarm.model.keys import PipelineKey
from swarm.model.sides import Side, Sided
from swarm.model.work import (
    CapacityClass,
    Effects,
    LossCause,
    Needs,
    Offer,
    Outcome,
    Resources,
    SlaClass,
    Submission,
    TaskId,
    Token,
    WorkerId,
)
from swarm.model.work import Rearm as RearmBy
from tests.simulation.dispatch_promises import Broken, judge, judge_copies
from tests.simulation.fenced_sink import FencedSink

HEAL_S = 10.0
END_S = 90.0
BEAT_S = 0.1
RENEW_S = 1.0
SLOTS, ROOM = 3, Resources(cpu=4.0)
WAIT_MAX_S = 0.25  # for a slot
WALL_S = 1_000.0
PIPELINES = [PipelineKey("air", f"dag{number}") for number in range(3)]
HOLD_S = 2.0
SURE = Side(CapacityClass.DEDICATED, ())  # where second copies are to run
TICK_S = 0.05
CONTACT = {Nod.NOTED, Nod.COME}
STALE_S = 1.0  # so long a sender beats for a worker that stands still
PATIENCE = Patience(suspect_s=0.3, redistribute_s=0.6, self_fence_s=3.0, guard_s=0.5)
POLICY = Policy(weights={"gold": 3.0}, rearm_max_s=8.0, patience=PATIENCE)


@dataclass
class Journal:
    """What is durable. An append under an old epoch is refused."""

    records: list[DispatchRecord] = field(default_factory=list)
    snapshot: tuple[int, list[DispatchRecord]] = (0, [])
    epoch: int = 0
    newest: dict[TaskId, int] = field(default_factory=dict)  # grant
    ended: set[TaskId] = field(default_factory=set)

    def append(self, epoch: int, records: tuple[DispatchRecord, ...]) -> None:
        if epoch != self.epoch:
            raise Conflict("another dispatcher writes this stream")
        self.records += records
        for record in records:
            if isinstance(record, Granted):
                self.newest[record.token.task] = record.token.grant
            elif isinstance(record, Ended):
                self.ended.add(record.token.task)


@dataclass
class Running:
    """A task's process on a worker's node; it outlives a worker that only stands still."""

    token: Token
    outcome: Outcome
    ends_s: float
    started: bool = False


@dataclass(frozen=True)
class Beat:
    """Of a worker, with what it tells of its own hearing."""

    worker: WorkerId
    number: int
    unheard_s: float


class World:
    """One run of the simulation."""

    def __init__(self, seed: int, make: Callable[[Policy], Dispatcher] = Dispatcher) -> None:
        self.random = random.Random(seed)
        self.now_s = 0.0
        # Some networks are calm: there the detector is quick, and its mistakes show.
        self.noise = self.random.choice([0.0, 0.2, 1.0])
        # Some fleets are of machines that are taken away again and again.
        self.fleeting = self.random.random() < 0.25
        self.journal = Journal()
        self.fired: Counter[tuple[TaskState, str]] = Counter()
        self.zombies_refused = 0
        self._make = make
        self._agenda: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0
        self.cut: set[str] = set()  # nodes that cannot be reached
        self.deaf: set[str] = set()  # nodes that can be heard and hear nothing
        self.heard_epoch: dict[str, int] = {}  # the newest dispatcher that answered a node
        self.acknowledged: set[TaskId] = set()
        self.rearmed_by_owner: set[Token] = set()
        self.executing: dict[TaskId, set[WorkerId]] = {}
        self.submissions: dict[TaskId, Submission] = {}
        self.poison: set[TaskId] = set()
        self.sink = FencedSink(self.submissions)
        self._placing = random.Random(f"placing {seed}")
        self.dispatcher = Process(self)
        self.old_dispatchers: list[Process] = []
        self.nodes = [Node(self, f"node{number}") for number in range(4)]
        self._sequencing = random.Random(f"sequencing {seed}")
        self._holding_until_s = self._sequencing.uniform(0, 2 * HEAL_S)
        self._held: set[PipelineKey] = set()
        self._client()
        self._owner()
        self._sequence()
        self._propose()
        self._faults()

    def run(self) -> None:
        while self._agenda and self.now_s < END_S:
            at_s, _, act = heapq.heappop(self._agenda)
            self.now_s = max(self.now_s, at_s)
            act()
            if self.now_s > HEAL_S and self._over():
                break
        self._judge()

    @property
    def healed(self) -> bool:
        return self.now_s >= HEAL_S

    def after(self, delay_s: float, act: Callable[[], None]) -> None:
        self._count += 1
        heapq.heappush(self._agenda, (self.now_s + delay_s, self._count, act))

    def tell(self, node: str, event: Event, answer: Callable[[object], None] | None = None) -> None:
        """Send an event to whoever is the dispatcher when it arrives. Messages of both directions
        are lost, doubled, delayed and overtaken while the world is not healed."""

        def arrive() -> None:
            host = self.dispatcher
            if self.old_dispatchers and self._chance(0.3):
                host = self.random.choice(self.old_dispatchers)  # it does not know that it is old
            if node not in self.cut:
                host.receive(event, lambda value: reply(host.epoch, value))

        def reply(epoch: int, value: object) -> None:
            if epoch < self.heard_epoch.get(node, 0):
                return
            self.heard_epoch[node] = epoch
            if answer is not None and node not in self.cut | self.deaf:
                for _ in range(self._copies()):
                    self.after(self._delay_s(), lambda: answer(value))

        for _ in range(self._copies()):
            self.after(self._delay_s(), arrive)

    def beat(self, node: str, beat: Beat, echo: Callable[[Nod], None]) -> None:
        """Send a beat; the echo is of an epoch, and worthless if that has changed."""

        def arrive() -> None:
            if node not in self.cut:
                self.dispatcher.hear(beat, reply)

        def reply(nod: Nod) -> None:
            if node not in self.cut | self.deaf:
                self.after(self._delay_s(), lambda: echo(nod))

        if not self._chance(0.04 * self.noise):
            self.after(self._delay_s(), arrive)

    def _chance(self, share: float) -> bool:
        return not self.healed and self.random.random() < share

    def _copies(self) -> int:
        if self._chance(0.04 * self.noise):
            return 0
        return 2 if self._chance(0.04) else 1

    def _delay_s(self) -> float:
        return self.random.uniform(0.15, 0.5) if self._chance(0.05 * self.noise) else 0.005

    # --- people -----------------------------------------------------------------------------------

    def _client(self) -> None:
        pick = self.random
        # Sometimes much comes at once that is alike: then some of it waits in the workers.
        rush = pick.random() < 0.25
        within_s, sizes = (1.0, [1.0]) if rush else (HEAL_S * 0.7, [0.5, 1.0, 2.0, 4.0])
        for number in range(40 if rush else pick.randint(10, 24)):
            submission = Submission(
                task=TaskId(f"task{number}"),
                team=pick.choice(["gold", "tin", "lead"]),
                digest="body",
                submitted_at_s=pick.uniform(0, within_s),
                needs=Needs(resources=Resources(cpu=pick.choice(sizes))),
                effects=pick.choice(list(Effects)),
                rearm=pick.choice([RearmBy.SELF, RearmBy.SELF, RearmBy.OWNER]),
                sla=pick.choice(list(SlaClass)),
            )
            if pick.random() < 0.08:
                self.poison.add(submission.task)
                submission = replace(submission, rearm=RearmBy.SELF)
            self.submissions[submission.task] = self._of_pipeline(submission)
            self.after(submission.submitted_at_s, self._submitting(submission.task))
            if pick.random() < 0.15:
                self.after(
                    submission.submitted_at_s + pick.uniform(0, 3), self._cancelling(submission)
                )

    def _of_pipeline(self, submission: Submission) -> Submission:
        """Some tasks are of runs, whose orchestrator may not let them wait for long."""
        pick = self._sequencing
        if pick.random() < 0.3:
            return submission
        return replace(
            submission,
            submitted_at_s=WALL_S + submission.submitted_at_s,
            pipeline=pick.choice(PIPELINES),
            run=pick.choice(["", "monday", "tuesday"]),
            queue_wait_max_s=pick.choice([0.0, 0.0, 3.0, 8.0]),
        )

    def _sequence(self) -> None:
        """The sequencer says again and again what is held and what is urgent, until it dies."""
        pick = self._sequencing
        if pick.random() < 0.3:
            self._held ^= {pick.choice(PIPELINES)}
        guide = Guide(
            tuple(Hold(key, HOLD_S, "late upstream") for key in sorted(self._held)),
            {key: pick.uniform(-5, 5) for key in PIPELINES if pick.random() < 0.5},
            frozenset(key for key in PIPELINES if pick.random() < 0.2),
            HOLD_S,
        )
        self.tell("sequencer", guide)
        if self.now_s < self._holding_until_s:
            self.after(0.4, self._sequence)

    def _propose(self) -> None:
        """Placement wants second copies of some that run, also of those that may have none."""
        pick = self._placing
        tasks = self.dispatcher.engine.floor.tasks.values()
        copies = tuple(
            Sided(task.submission.task, task.grant, SURE, "it is late")
            for task in tasks
            if task.state in HELD and pick.random() < 0.3
        )
        self.tell("placement", Propose(for_s=HOLD_S, copies=copies))
        if not self.healed:
            self.after(0.4, self._propose)

    def _submitting(self, id_: TaskId) -> Callable[[], None]:
        def attempt() -> None:
            if id_ not in self.acknowledged:
                self.tell("client", Submit((self.submissions[id_],)), acknowledge)
                self.after(0.5, attempt)
            elif self._chance(0.3):  # it forgot that it had the answer
                self.tell("client", Submit((self.submissions[id_],)))

        def acknowledge(value: object) -> None:
            if value is Receipt.DONE:
                self.acknowledged.add(id_)
                self.after(1.0, attempt)

        return attempt

    def _cancelling(self, submission: Submission) -> Callable[[], None]:
        return lambda: self.tell("client", Cancel(submission.task, "somebody"))

    def _owner(self) -> None:
        """The plug-in of an orchestrator: looks at lost tasks and re-arms them."""
        for id_ in list(self.dispatcher.engine.floor.lost):
            task = self.dispatcher.engine.floor.tasks[id_]
            if task.submission.rearm is RearmBy.OWNER and self.random.random() < 0.3:
                self.rearmed_by_owner.add(task.token)
                self.tell("client", Rearm(task.token))
        self.after(0.3, self._owner)

    # --- faults -----------------------------------------------------------------------------------

    def _faults(self) -> None:
        if self.healed:
            self.cut.clear()
            self.deaf.clear()
            return
        if self.fleeting:
            self.random.choice(self.nodes).kill(LossCause.NODE_GONE)
        self.random.choice(
            [
                self._crash_dispatcher,
                self._split_brain,
                lambda: self._cut_node(self.cut),
                lambda: self._cut_node(self.deaf),
                self._kill_process,
                lambda: self.random.choice(self.nodes).kill(LossCause.NODE_GONE),
                lambda: self.random.choice(self.nodes).kill(None),
                lambda: self.random.choice(self.nodes).pause(self.random.uniform(0.2, 6)),
                lambda: self.random.choice(self.nodes).drain(),
                lambda: self.dispatcher.take_snapshot(),
                lambda: self.dispatcher.stall(self.random.uniform(0.1, 5)),
            ]
        )()
        self.after(self.random.expovariate(1.2), self._faults)

    def _crash_dispatcher(self) -> None:
        self.dispatcher.crash()

    def _kill_process(self) -> None:
        """End a worker's process from outside; not one where a suspect is on trial, as that
        cannot be told from the suspect's own doing."""
        node = self.random.choice(self.nodes)
        known = self.dispatcher.engine.floor.workers.get(node.worker)
        if known is None or not known.alone:
            node.kill(LossCause.PROCESS_EXIT)

    def _split_brain(self) -> None:
        """A second dispatcher takes the stream while the first still runs."""
        if self.dispatcher.alive:
            self.old_dispatchers.append(self.dispatcher)
            self.dispatcher = Process(self)

    def _cut_node(self, off: set[str]) -> None:
        node = self.random.choice(self.nodes).name
        off.add(node)
        self.after(self.random.uniform(0.2, 6), lambda: off.discard(node))

    # --- promises ---------------------------------------------------------------------------------

    def start(self, worker: WorkerId, token: Token) -> None:
        others = self.executing.setdefault(token.task, set())
        unsafe = self.submissions[token.task].effects is Effects.UNSAFE
        if unsafe and others - {worker}:
            raise Broken(f"{token} runs on {worker} and still on {others}")
        others.add(worker)
        self.sink.came(worker, token)

    def stop(self, worker: WorkerId, token: Token) -> None:
        self.executing.get(token.task, set()).discard(worker)

    def _over(self) -> bool:
        ended = {r.token.task for r in self.journal.records if isinstance(r, Ended)}
        return self.acknowledged <= ended and len(self.acknowledged) == len(self.submissions)

    def _judge(self) -> None:
        ends = Counter(r.token.task for r in self.journal.records if isinstance(r, Ended))
        if missing := self.acknowledged - ends.keys():
            raise Broken(f"acknowledged and never ended: {sorted(missing)}")
        if len(self.acknowledged) < len(self.submissions):
            raise Broken("a submission was never acknowledged")
        if twice := [id_ for id_, count in ends.items() if count > 1]:
            raise Broken(f"ended more than once: {twice}")
        judge(self.journal.records, self.submissions, self.poison, self.rearmed_by_owner)
        judge_copies(self.journal.records, self.submissions)
        self.sink.judge(self.journal.records)
        fresh, live = Dispatcher(POLICY), self.dispatcher.engine
        for record in self.journal.records:
            fresh.apply(record)
        if sorted(map(repr, fresh.records())) != sorted(map(repr, live.records())):
            raise Broken("the replayed journal is not the live state")


class Process:
    """A dispatcher process: the shell around the engine, as the actor is."""

    def __init__(self, world: World) -> None:
        self.world = world
        world.journal.epoch += 1
        self.epoch = world.journal.epoch
        self.alive = True
        self.engine = world._make(POLICY)
        self.parked: dict[WorkerId, tuple[Acquire, Callable[[object], None]]] = {}
        self._busy_until_s = 0.0
        self._inbox: list[tuple[Event, Callable[[object], None]]] = []
        self._beats: list[tuple[float, Beat, Callable[[Nod], None]]] = []
        self._numbers: dict[WorkerId, int] = {}
        self._holds: dict[PipelineKey, float] = {}  # as told, and until when
        seq, kept = world.journal.snapshot
        for record in [*kept, *world.journal.records[seq:]]:
            self.engine.apply(record)
        self.engine.begin(self._now())
        world.after(0.02, self._tick)

    def _now(self) -> Now:
        return Now(self.world.now_s, WALL_S + self.world.now_s)

    def crash(self) -> None:
        """The process ends; another takes its place soon."""
        if self.alive:
            self.alive = False
            if self.world.dispatcher is self:
                self.world.after(self.world.random.uniform(0.1, 1.0), self._succeed)

    def _succeed(self) -> None:
        self.world.dispatcher = Process(self.world)

    def stall(self, for_s: float) -> None:
        """Stand still; what arrives meanwhile waits."""
        self._busy_until_s = self.world.now_s + for_s

    def take_snapshot(self) -> None:
        if self.alive and self.epoch == self.world.journal.epoch:
            self.world.journal.snapshot = (
                len(self.world.journal.records),
                list(self.engine.records()),
            )

    def receive(self, event: Event, reply: Callable[[object], None]) -> None:
        if not self.alive:
            return
        self._inbox.append((event, reply))
        if self.world.now_s >= self._busy_until_s:
            self._drain()

    def hear(self, beat: Beat, echo: Callable[[Nod], None]) -> None:
        """The kernel stamps it; it is read when the process is not busy."""
        if self.alive:
            self._beats.append((self.world.now_s, beat, echo))
            if self.world.now_s >= self._busy_until_s:
                self._drain()

    def _drain(self) -> None:
        beats, self._beats = self._beats, []
        for at_s, beat, echo in beats:
            last = self._numbers.get(beat.worker, beat.number - 1)
            if beat.number > last:
                self._numbers[beat.worker] = beat.number
                echo(self.engine.beat(beat.worker, at_s, beat.unheard_s))
        while self._inbox and self.alive:
            event, reply = self._inbox.pop(0)
            self._handle(event, reply)

    def _tick(self) -> None:
        if not self.alive:
            return
        if self.world.now_s >= self._busy_until_s:
            self._drain()
            due = self.engine.due(self._now())
            self._check_held()
            for event in due:
                self._handle(event, lambda value: None)
        self.world.after(TICK_S, self._tick)

    def _check_held(self) -> None:
        """What has no turn is held for a reason that stands."""
        if self.epoch != self.world.journal.epoch:
            return  # it does not know what its successor granted
        queue = self.engine.floor.queue
        for id_ in self.engine.floor.tasks:
            held = id_ in queue and not queue.has_turn(id_)
            if held and self.world.now_s > self._held_until_s(id_, 1.0) + TICK_S:
                raise Broken(f"{id_} is held, and has not to be any more")

    def _check_grants(self, records: Iterable[DispatchRecord]) -> None:
        is_old = self.epoch != self.world.journal.epoch
        for id_ in (one.token.task for one in records if isinstance(one, Granted)):
            if not is_old and self.world.now_s < self._held_until_s(id_, HELD_SHARE) - TICK_S:
                raise Broken(f"{id_} was granted, and is held")

    def _held_until_s(self, id_: TaskId, share: float) -> float:
        """Until when it may be held; for no longer than `share` of what its orchestrator bears."""
        task = self.world.submissions[id_]
        others = self.world.submissions.values()
        run = {one.task for one in others if one.part_of == task.part_of}
        if task.part_of is None or self.world.journal.newest.keys() & run:
            return -1.0
        until_s = self._holds.get(task.part_of[0], -1.0)
        if task.queue_wait_max_s:
            until_s = min(until_s, task.submitted_at_s - WALL_S + task.queue_wait_max_s * share)
        return until_s

    def _handle(self, event: Event, reply: Callable[[object], None]) -> None:
        if not self.alive:
            return
        try:
            decision = self.engine.decide(event, self._now())
        except Rejected as refusal:
            return reply(refusal)
        if isinstance(event, Guide):
            self._holds = {one.pipeline: self.world.now_s + one.for_s for one in event.holds}
        if isinstance(event, Guide | Propose):
            self._serve_parked()
        self._check_grants(decision.records)
        if isinstance(event, Acquire) and decision.reply == Grants(()):
            self.parked[event.worker] = event, reply
            return None
        if decision.records and not self._commit(decision.records):
            return None
        if isinstance(event, Finish) and decision.reply is Receipt.STALE:
            self._check_refusal(event.token)
        reply(decision.reply)
        if decision.records:
            self._serve_parked()
        return None

    def _check_refusal(self, token: Token) -> None:
        journal = self.world.journal
        newest = journal.newest.get(token.task) == token.grant
        if self.epoch == journal.epoch and newest and token.task not in journal.ended:
            raise Broken(f"the end of {token} was refused, and nobody else has it")
        self.world.zombies_refused += 1

    def _commit(self, records: tuple[DispatchRecord, ...]) -> bool:
        if self.world._chance(0.004):
            self.crash()
            return False
        try:
            self.world.journal.append(self.epoch, records)
        except Conflict:
            self.crash()
            return False
        if self.world._chance(0.004):  # committed, and nobody hears of it
            self.crash()
            return False
        for record in records:
            task = getattr(record, "token", None)
            known = self.engine.floor.tasks.get(task.task) if task is not None else None
            if known is None and isinstance(record, CancelAsked):
                known = self.engine.floor.tasks.get(record.task)
            if known is not None:
                self.world.fired[known.state, type(record).__name__] += 1
            self.engine.apply(record)
        self.engine.check()
        return True

    def _serve_parked(self) -> None:
        waiting, self.parked = self.parked, {}
        for event, reply in waiting.values():
            self._handle(event, reply)


class Node:
    """A machine with a worker process, and a shim around each task that fences it by itself."""

    def __init__(self, world: World, name: str) -> None:
        self.world, self.name = world, name
        self.running: dict[Token, Running] = {}
        self.waiting: dict[Token, float] = {}  # granted beyond the slots, and since when
        self.unreported: dict[Token, Outcome] = {}  # on disk: survives the worker
        self.beats_pass = world.random.random() < 0.75
        sure = int(name[-1]) % 2
        self.capacity = CapacityClass.DEDICATED if sure else CapacityClass.SPOT
        self._incarnation = 0
        self._paused_s = (0.0, 0.0)  # from, to
        self._number = 0
        self._fenced: list[WorkerId] = []  # incarnations that ended what they ran
        self._begin()
        world.after(world.random.uniform(0, BEAT_S), self._beat)

    def _begin(self) -> None:
        """A new worker process."""
        self._incarnation += 1
        self.worker = WorkerId(f"{self.name}.{self._incarnation}")
        self.known = False
        self.number, self.acquired, self._asked = 1, 0, 0.0
        self.confirmed_s = self.echoed_s = self.world.now_s
        self._renewed_s = -RENEW_S
        self._said: set[Token] = set()  # whose start was told

    def kill(self, cause: LossCause | None) -> None:
        """The worker's process ends with its tasks. Without a cause nobody has proof of it."""
        gone = self.worker
        self._fence()
        self._begin()
        if cause is not None:
            self.world.after(0.05, lambda: self._prove(gone, cause))

    def _prove(self, gone: WorkerId, cause: LossCause) -> None:
        self.world.tell("watch", WorkerLost(gone, cause))

    def pause(self, for_s: float) -> None:
        """The worker's process stands still; its tasks go on, and their shims watch the clock."""
        self._paused_s = (self.world.now_s, self.world.now_s + for_s)

    def drain(self) -> None:
        if self.world.random.random() < 0.3 and self.known:
            self.world.tell("client", Drain(self.worker, "somebody"))
            gone = self.worker
            self.world.after(2.0, lambda: self.worker == gone and self.kill(None))

    def _fence(self) -> None:
        self.waiting.clear()
        for token in list(self.running):
            self._end(token)

    def _end(self, token: Token) -> None:
        del self.running[token]
        self.world.stop(self.worker, token)

    def _beat(self) -> None:
        world = self.world
        if self._held() and world.now_s - self.confirmed_s > PATIENCE.self_fence_s:
            self._fenced.append(self.worker)
            self._fence()
            self._begin()
        for run in list(self.running.values()):
            self._progress(run)
        since_s, until_s = self._paused_s
        if self.known and self.beats_pass and not since_s + STALE_S < world.now_s < until_s:
            self._number += 1
            self._send(Beat(self.worker, self._number, world.now_s - self.echoed_s))
        if world.now_s >= until_s:
            self._talk()
        world.after(BEAT_S, self._beat)

    def _send(self, beat: Beat) -> None:
        sent_s = self.world.now_s
        self.world.beat(self.name, beat, lambda nod: self._echoed(beat.worker, sent_s, nod))

    def _echoed(self, me: WorkerId, sent_s: float, nod: Nod) -> None:
        """The sender hears it at once; the worker when it stands still no more."""
        if me == self.worker:
            self.echoed_s = self.world.now_s
        until_s = self._paused_s[1]
        if self.world.now_s < until_s:
            again = lambda: self._echoed(me, sent_s, nod)  # noqa: E731
            self.world.after(until_s - self.world.now_s, again)
        elif me == self.worker:
            if nod in CONTACT:
                self.confirmed_s = max(self.confirmed_s, sent_s)
            if nod is not Nod.NOTED and self.known:
                self._renew()

    def _progress(self, run: Running) -> None:
        if run.token not in self.running:
            return  # a poisonous neighbour took it along
        run.started = True
        if self.world.now_s < run.ends_s:
            return
        if run.token.task in self.world.poison:
            self.kill(LossCause.PROCESS_EXIT)
            return
        if run.outcome is Outcome.SUCCEEDED:
            self.world.sink.commit(self.worker, run.token)
        self.unreported[run.token] = run.outcome
        self._end(run.token)

    def _held(self) -> tuple[Token, ...]:
        return (*self.running, *self.waiting)

    def _run_next(self) -> None:
        for token in list(self.waiting)[: SLOTS - len(self.running)]:
            del self.waiting[token]
            self._run(token)

    def _give_back(self) -> None:
        """What waits for too long is not held any more."""
        for token, since_s in list(self.waiting.items()):
            if self.world.now_s - since_s > WAIT_MAX_S:
                del self.waiting[token]
                self._renewed_s = -RENEW_S

    def _talk(self) -> None:
        me, sent_s = self.worker, self.world.now_s
        self._run_next()
        self._give_back()
        for gone in self._fenced:
            lost = WorkerLost(gone, LossCause.SELF_FENCED)
            self.world.tell(self.name, lost, lambda value, gone=gone: self._told(gone, value))
        if not self.known:
            offer = Offer(me, self.name, SLOTS, ROOM, capacity=self.capacity)
            self.world.tell(self.name, Register(offer), lambda value: self._registered(me, value))
            return
        unsaid = {token for token, run in self.running.items() if run.started} - self._said
        if unsaid or sent_s >= self._renewed_s + RENEW_S:
            self._renew()
        for token, outcome in list(self.unreported.items()):
            self.world.tell(
                self.name, Finish(token, outcome), lambda value, t=token: self._noted(t, value)
            )
        if self.acquired + 1 < self.number:
            return
        if self._asked and self.world._chance(0.05):  # gives the request up
            self.number += 1
            self.acquired = self.number - 1
        number, self._asked = self.number, sent_s
        ahead = self.world.random.choice([0, 0, 2, 4])
        if len(self._held()) < SLOTS + ahead:
            asked = Acquire(me, number, ahead)
            self.world.tell(self.name, asked, lambda value: self._granted(me, number, value))

    def _renew(self) -> None:
        me, sent_s = self.worker, self.world.now_s
        self._renewed_s = sent_s
        held = (*self._held(), *self.unreported)
        started = tuple(run.token for run in self.running.values() if run.started)
        self._said |= set(started)
        self.world.tell(
            self.name,
            Renew(me, self.acquired, held, started),
            lambda value: self._ordered(me, sent_s, value),
        )

    def _told(self, gone: WorkerId, value: object) -> None:
        if gone in self._fenced and isinstance(value, Receipt):
            self._fenced.remove(gone)

    def _registered(self, me: WorkerId, value: object) -> None:
        if me == self.worker and value is Receipt.DONE:
            self.known = True
        elif me == self.worker and value is Receipt.UNKNOWN_WORKER:
            self._begin()

    def _ordered(self, me: WorkerId, sent_s: float, value: object) -> None:
        if me != self.worker:
            return
        if value is Receipt.UNKNOWN_WORKER:
            self._fence()
            self._begin()
            return
        assert isinstance(value, Orders)
        self.confirmed_s = max(self.confirmed_s, sent_s)
        for token in value.revoked:
            self._stop(token)
            self.unreported.pop(token, None)
        for token in value.cancel:
            if self._stop(token):
                self.unreported[token] = Outcome.CANCELLED

    def _granted(self, me: WorkerId, number: int, value: object) -> None:
        if me != self.worker or number != self.number or not isinstance(value, Grants):
            return
        self.number, self.acquired = number + 1, number
        self.waiting |= dict.fromkeys(value.tokens, self.world.now_s)
        self._run_next()

    def _run(self, token: Token) -> None:
        outcome = self.world.random.choice([Outcome.SUCCEEDED] * 5 + [Outcome.FAILED])
        duration_s = self.world.random.expovariate(self.world.random.choice([0.8, 0.8, 0.2]))
        self.running[token] = Running(token, outcome, self.world.now_s + duration_s)
        self.world.start(self.worker, token)
        floor = self.world.dispatcher.engine.floor  # what moved on meanwhile will be revoked
        mine = [task for other in self.running if (task := floor.holds(self.worker, other))]
        takes = sum((task.submission.needs.resources for task in mine), Resources())
        if not takes.fits(ROOM):
            raise Broken(f"{list(self.running)} run on {self.worker} and have no room there")

    def _stop(self, token: Token) -> bool:
        """End what it holds; False where it does not."""
        if token in self.running:
            self._end(token)
            return True
        return self.waiting.pop(token, None) is not None

    def _noted(self, token: Token, value: object) -> None:
        if isinstance(value, Receipt):
            self.unreported.pop(token, None)
