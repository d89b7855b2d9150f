"""Which workers of orchestrators are missing, and what ran on them.

`decide` says which sightings are news, `apply` follows the records of the graph stream, and
`findings` compares what holds with what is open, as `swarm.graph.findings` does.

Rules
1. A worker is missing as long as one who tells of it says that it is silent or dead. A sign of life
   that another had of it later, by more than the interval of such signs, outweighs that.
2. What ran on it is what its orchestrator's API told, and every run in one of its processes that
   was not told to have ended.
3. It is back when both say so. Where one of its group began after it was last heard and nothing
   that ran on it is left unfinished, that one stands in for it, and it is missed no more.
4. One that is silent when it is first heard of, beside others of its group that live, is history.
"""

from collections.abc import Iterator
from dataclasses import replace

from swarm.model.connectors import Batch
from swarm.model.findings import Finding, FindingKind, finding_id
from swarm.model.foreign import ForeignWorker, Presence, RanOn, SeenBy
from swarm.model.graph import FindingChanged, ForeignWorkerSeen, GraphRecord, RunSeen
from swarm.model.lineage import Level
from swarm.model.runs import Run, RunState, TaskRun

_LIVE = frozenset({RunState.RUNNING, RunState.QUEUED})

Name = tuple[str, str]  # orchestrator and name


class Watched:
    """All foreign workers that are known, and the runs in their processes."""

    def __init__(self) -> None:
        self._workers: dict[Name, dict[SeenBy, ForeignWorker]] = {}
        self._live: dict[RanOn, Run | TaskRun] = {}
        self._in_process: dict[str, dict[RanOn, None]] = {}
        self._open: dict[str, Finding] = {}
        self._moved: set[Name] = set()

    @property
    def workers(self) -> list[ForeignWorker]:
        """As they were last told of, by orchestrator and name."""
        return [worker for name in sorted(self._workers) for worker in self._of(name)]

    @property
    def process_of(self) -> dict[RanOn, str]:
        """Where the runs are run that go on, as far as their orchestrator knows."""
        return {ran: run.process for ran, run in self._live.items()}

    def apply(self, record: GraphRecord) -> None:
        match record:
            case ForeignWorkerSeen(worker):
                self._put(worker)
            case RunSeen(run):
                self._run(run)
            case FindingChanged(finding) if finding.kind is FindingKind.MISSING_WORKER:
                if finding.closed_at_s is None:
                    self._open[finding.id] = finding
                else:
                    self._open.pop(finding.id, None)
                if finding.worker is not None:
                    self._moved.add(_name(finding.worker))
            case _:
                pass

    def decide(self, batch: Batch) -> list[ForeignWorkerSeen]:
        """The sightings of a batch that say something new; beats alone never do."""
        told = (item for item in batch.items if isinstance(item, ForeignWorker))
        return [ForeignWorkerSeen(worker) for worker in told if self._is_news(worker)]

    def findings(self, now_s: float) -> list[FindingChanged]:
        """The findings that are not as they were last told."""
        moved, self._moved = sorted(self._moved), set()
        news = (self._told(name, now_s) for name in moved)
        return [FindingChanged(finding) for finding in news if finding is not None]

    def find(self, name: str) -> Finding | None:
        """The finding of that id, where it is open here."""
        return self._open.get(name)

    def records(self) -> Iterator[GraphRecord]:
        """A snapshot."""
        yield from map(ForeignWorkerSeen, self.workers)
        yield from map(RunSeen, self._live.values())
        yield from map(FindingChanged, self._open.values())

    def _of(self, name: Name) -> list[ForeignWorker]:
        return list(self._workers.get(name, {}).values())

    def _is_news(self, worker: ForeignWorker) -> bool:
        known = self._workers.get(_name(worker), {}).get(worker.seen_by)
        if worker.presence is Presence.STOPPED:
            return known is not None
        if known is None:
            return not (worker.presence is Presence.SILENT and self._has_live_peer(worker))
        if worker.is_missed:
            said = (worker.presence, worker.runs, worker.processes)
            return said != (known.presence, known.runs, known.processes)
        restarted = worker.started_s != known.started_s
        return known.is_missed or restarted or self._outweighs(worker)

    def _has_live_peer(self, worker: ForeignWorker) -> bool:
        return any(peer.presence is Presence.ALIVE for peer in self._peers(worker))

    def _peers(self, worker: ForeignWorker) -> Iterator[ForeignWorker]:
        for name, tellers in self._workers.items():
            if name != _name(worker) and name[0] == worker.orchestrator:
                yield from (peer for peer in tellers.values() if peer.group == worker.group)

    def _outweighs(self, alive: ForeignWorker) -> bool:
        """Whether this sign of life is what shows a worker to be back that another missed."""
        if self._missing(_name(alive)) is None:
            return False
        others = [w for w in self._of(_name(alive)) if w.seen_by is not alive.seen_by]
        return all(not other.is_missed or _later(alive, other) for other in others)

    def _put(self, worker: ForeignWorker) -> None:
        name = _name(worker)
        tellers = self._workers.setdefault(name, {})
        if worker.presence is Presence.STOPPED:
            tellers.pop(worker.seen_by, None)
        else:
            tellers[worker.seen_by] = worker
        if not tellers:
            del self._workers[name]
        self._moved.add(name)
        self._moved |= {_name(peer) for peer in self._peers(worker) if peer.is_missed}

    def _run(self, run: Run | TaskRun) -> None:
        ran = _ran(run)
        before = self._live.pop(ran, None)
        if before is not None:
            held = self._in_process[before.process]
            held.pop(ran, None)
            if not held:
                del self._in_process[before.process]
        if run.process and run.state in _LIVE:
            self._live[ran] = run
            self._in_process.setdefault(run.process, {})[ran] = None
        if before is not None or run.process:
            self._moved |= {_name(f.worker) for f in self._open.values() if f.worker is not None}

    def _missing(self, name: Name) -> ForeignWorker | None:
        """The worker as the surest of those says who miss it."""
        tellers = self._of(name)
        alive = [worker for worker in tellers if not worker.is_missed]
        missed = [
            worker
            for worker in tellers
            if worker.is_missed and not any(_later(other, worker) for other in alive)
        ]
        return max(missed, key=lambda w: (w.presence is Presence.DEAD, w.heard_s), default=None)

    def _told(self, name: Name, now_s: float) -> Finding | None:
        """What is to be told of a worker, if anything."""
        id_ = finding_id(FindingKind.MISSING_WORKER, *name)
        known, worker = self._open.get(id_), self._missing(name)
        if worker is not None:
            worker = replace(worker, runs=self._ran_on(name, known))
        if worker is None or self._is_replaced(worker):
            return replace(known, changed_at_s=now_s, closed_at_s=now_s) if known else None
        if known is not None and known.worker is not None and _same(known.worker, worker):
            return None
        first_seen_s = known.first_seen_s if known else now_s
        level = Level.GATE if worker.presence is Presence.DEAD else Level.WARN
        return Finding(
            id_,
            FindingKind.MISSING_WORKER,
            tuple(dict.fromkeys(ran.pipeline for ran in worker.runs)),
            (),
            level,
            first_seen_s,
            now_s,
            worker=worker,
            mute=known.mute if known else None,
        )

    def _ran_on(self, name: Name, known: Finding | None) -> tuple[RanOn, ...]:
        ran: dict[RanOn, None] = {}
        if known is not None and known.worker is not None:
            ran |= dict.fromkeys(known.worker.runs)
        for worker in self._of(name):
            if worker.is_missed:
                ran |= dict.fromkeys(worker.runs)
                for process in worker.processes:
                    ran |= self._in_process.get(process, {})
        return tuple(sorted(ran, key=lambda one: (one.pipeline, one.run_id, one.task)))

    def _is_replaced(self, worker: ForeignWorker) -> bool:
        if any(self._is_unfinished(ran, worker) for ran in worker.runs):
            return False
        return any(
            peer.presence is Presence.ALIVE and peer.started_s > worker.heard_s
            for peer in self._peers(worker)
        )

    def _is_unfinished(self, ran: RanOn, worker: ForeignWorker) -> bool:
        """Whether a run still stands where it was, and not in another process."""
        run = self._live.get(ran)
        return run is not None and (not worker.processes or run.process in worker.processes)


def _later(alive: ForeignWorker, missed: ForeignWorker) -> bool:
    return alive.heard_s > missed.heard_s + alive.every_s


def _same(one: ForeignWorker, other: ForeignWorker) -> bool:
    return (one.presence, one.seen_by, one.runs) == (other.presence, other.seen_by, other.runs)


def _ran(run: Run | TaskRun) -> RanOn:
    if isinstance(run, Run):
        return RanOn(run.pipeline, run.run_id)
    return RanOn(run.task.pipeline_key, run.run_id, run.task.task)


def _name(worker: ForeignWorker) -> Name:
    return worker.orchestrator, worker.name
