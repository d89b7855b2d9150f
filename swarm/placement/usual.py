"""How tasks of a kind usually go, learned from what the dispatcher journals.

A kind is what a task is without its run: its pipeline (or team) and its orchestrator's name of it.
Of each kind the last durations are kept, as they would have been on a usual day (`today.py`), and
how long after the first task of its run it was handed in. So a run that is to come, and the rest of
one that has begun, can be planned for. What was learned can be kept and recalled (`memory.py`).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from statistics import median, quantiles

from swarm.model.dispatch import DispatchRecord, Ended, Granted, Lost, Started, Submitted, TaskKept
from swarm.model.keys import PipelineKey
from swarm.model.learned import Habit, Part
from swarm.model.scaling import Expected
from swarm.model.work import Needs, Outcome, SlaClass, Submission, TaskId
from swarm.placement.demand import Spread
from swarm.placement.rooms import slots
from swarm.placement.situation import Coming
from swarm.placement.today import Today

_KEPT = 40  # durations of a kind
_TELLING = 3  # of them tell what is usual
_KINDS, _RUNS = 20_000, 2_000
_MISSED_RUNS = 3  # a kind that so many runs did not have is not one of the pipeline any more
_LATE_S = 600.0  # what did not come by then after its time is not waited for

Kind = tuple[str, str]
PartOf = tuple[PipelineKey, str]


@dataclass(frozen=True, slots=True)
class _Part:
    """A kind within its pipeline: when after the run's first it is handed in, in run `run_no`, and
    which was the newest run then."""

    offset_s: float
    needs: Needs
    sla: SlaClass
    run_no: int
    newest_no: int


@dataclass(slots=True)
class _Run:
    first_s: float
    number: int
    seen: set[str] = field(default_factory=set)


class Usual:
    """`apply` in the order of the dispatcher's stream. `came` hears of all work that ended but
    backfills: when it was handed in, how many slots it took, and for how long."""

    def __init__(self, came: Callable[[float, int, float], None] | None = None) -> None:
        self._came = came
        self._changed: dict[Kind, None] = {}  # since it was kept
        self._moved: dict[tuple[PipelineKey, str], None] = {}  # parts, since then
        self._took_s: dict[Kind, list[float]] = {}
        self._spreads: dict[Kind, Spread] = {}
        self._today = Today()
        self._live: dict[TaskId, Submission] = {}
        self._began_s: dict[TaskId, float] = {}
        self._parts: dict[PipelineKey, dict[str, _Part]] = {}
        self._runs: dict[PartOf, _Run] = {}
        self._run_no: dict[PipelineKey, int] = {}

    def apply(self, record: DispatchRecord, at_s: float, *, learns: bool = True) -> None:
        """`learns` false: what it tells was learned already, and only what lives is followed."""
        match record:
            case Submitted(submission) | TaskKept(submission):
                self._live[submission.task] = submission
                if submission.sla is not SlaClass.BACKFILL:
                    self._come(submission)
            case Granted(token) | Started(token):
                self._began_s[token.task] = at_s
            case Lost(token):
                self._began_s.pop(token.task, None)
            case Ended(token, outcome):
                self._end(token.task, at_s, outcome is Outcome.SUCCEEDED, learns)
            case _:
                pass

    def begin(self) -> None:
        """The stream begins anew, with a snapshot of what lives."""
        self._live, self._began_s = {}, {}

    def stepped(self, by_s: float) -> None:
        """The wall clock was set by so much: what runs has not run for longer by that."""
        self._began_s = {task: at_s + by_s for task, at_s in self._began_s.items()}
        for run in self._runs.values():
            run.first_s += by_s

    def kept(self) -> tuple[tuple[Habit, ...], tuple[Part, ...]]:
        """All that was learned."""
        return self._told(
            self._took_s, ((key, name) for key in self._parts for name in self._parts[key])
        )

    def news(self) -> tuple[tuple[Habit, ...], tuple[Part, ...]]:
        """The same, of what changed since it was kept: news until they are recalled."""
        self._changed = {kind: None for kind in self._changed if kind in self._took_s}
        self._moved = {
            (key, name): None for key, name in self._moved if name in self._parts.get(key, {})
        }
        return self._told(self._changed, self._moved)

    def recall(self, habits: Iterable[Habit], parts: Iterable[Part]) -> None:
        """What was kept, the newest last; of parts what is not known better by now."""
        for one in habits:
            self._took_s[one.of, one.name] = list(one.took_s)
            self._spreads.pop((one.of, one.name), None)
            self._changed.pop((one.of, one.name), None)
        for part in parts:
            self._moved.pop((part.pipeline, part.name), None)
            named = self._parts.setdefault(part.pipeline, {})
            if part.name not in named or not named[part.name].run_no:
                named[part.name] = _Part(part.offset_s, part.needs, part.sla, 0, 0)
            self._run_no.setdefault(part.pipeline, 0)

    def _told(
        self, kinds: Iterable[Kind], parts: Iterable[tuple[PipelineKey, str]]
    ) -> tuple[tuple[Habit, ...], tuple[Part, ...]]:
        habits = (
            Habit(*kind, tuple(round(took_s, 1) for took_s in self._took_s[kind]))
            for kind in kinds
            if kind in self._took_s
        )
        found = (
            Part(pipeline, name, one.offset_s, one.needs, one.sla)
            for pipeline, name in parts
            if (one := self._parts.get(pipeline, {}).get(name)) is not None
        )
        return tuple(habits), tuple(found)

    def pipelines(self) -> frozenset[PipelineKey]:
        """Those that tasks of were handed in."""
        return frozenset(self._parts)

    def began_s(self, task: TaskId, else_s: float) -> float:
        """When it began to run; `else_s` where that was before anything that is known."""
        return self._began_s.get(task, else_s)

    def takes(self, submission: Submission) -> Spread | None:
        """How long tasks of its kind take today; None where none ended yet."""
        return self._takes(_kind(submission))

    def coming(
        self, expected: Mapping[PipelineKey, Expected], now_s: float, until_s: float
    ) -> Iterator[Coming]:
        """What is to be handed in before `until_s`: the rest of the runs that have begun, and the
        runs of the planned starts. Only of pipelines whose tasks were run here before."""
        for (pipeline, run), begun in self._runs.items():
            for name, part in self._parts[pipeline].items():
                at_s = begun.first_s + part.offset_s
                late = at_s < now_s - _LATE_S
                if name not in begun.seen and part.run_no < begun.number and not late:
                    yield self._part(pipeline, f"{name} of {run}", name, at_s)
        for pipeline, parts in self._parts.items():
            known = expected.get(pipeline)
            for start_s in known.starts_s if known is not None else ():
                for name, part in parts.items():
                    at_s = start_s + part.offset_s
                    if now_s <= start_s and at_s < until_s:
                        yield self._part(pipeline, f"{name} of a run to come", name, at_s)

    def _part(self, pipeline: PipelineKey, called: str, name: str, at_s: float) -> Coming:
        part = self._parts[pipeline][name]
        takes = self._takes((str(pipeline), name)) or Spread((60.0, 60.0))
        return Coming(f"{pipeline} {called}", pipeline, at_s, part.needs, part.sla, takes)

    def _takes(self, kind: Kind) -> Spread | None:
        usual = self._spread(kind)
        return usual and usual.times(self._today.factor)

    def _spread(self, kind: Kind) -> Spread | None:
        if kind not in self._spreads and kind in self._took_s:
            self._spreads[kind] = spread(self._took_s[kind])
        return self._spreads.get(kind)

    def _come(self, submission: Submission) -> None:
        part_of = submission.part_of
        if part_of is None:
            return
        pipeline, _ = part_of
        at_s, name = submission.submitted_at_s, _kind(submission)[1]
        run = self._runs.get(part_of)
        if run is None:
            run = self._runs[part_of] = _Run(at_s, self._next_run(pipeline))
            if len(self._runs) > _RUNS:
                del self._runs[next(iter(self._runs))]
        if name in run.seen:
            return
        run.seen.add(name)
        numbers = run.number, self._run_no[pipeline]
        offset_s = max(0.0, at_s - run.first_s)
        self._parts[pipeline][name] = _Part(offset_s, submission.needs, submission.sla, *numbers)
        self._moved[pipeline, name] = None

    def _next_run(self, pipeline: PipelineKey) -> int:
        """The number of a run that begins. What did not come for a few runs is forgotten; of runs
        at the same time an older one's counts as well."""
        number = self._run_no[pipeline] = self._run_no.get(pipeline, 0) + 1
        parts = self._parts.get(pipeline, {})
        self._parts[pipeline] = {
            name: part for name, part in parts.items() if number - part.newest_no < _MISSED_RUNS
        }
        return number

    def _end(self, task: TaskId, at_s: float, succeeded: bool, learns: bool) -> None:
        began_s = self._began_s.pop(task, None)
        submission = self._live.pop(task, None)
        if submission is None or began_s is None or not learns:
            return
        took_s, needs = max(0.0, at_s - began_s), submission.needs
        if succeeded:
            self._learn(submission, took_s)
        counts = submission.sla is not SlaClass.BACKFILL and not needs.capability
        if self._came is not None and counts:
            self._came(submission.submitted_at_s, slots(needs.resources), took_s)

    def _learn(self, submission: Submission, took_s: float) -> None:
        kind = _kind(submission)
        self._changed[kind] = None
        took = self._took_s.pop(kind, [])
        if len(took) >= _TELLING and (usual_s := median(took)) > 0:
            self._today.add(took_s / usual_s)
        self._took_s[kind] = [*took[1 - _KEPT :], took_s / self._today.factor]
        self._spreads.pop(kind, None)
        if len(self._took_s) > _KINDS:
            oldest = next(iter(self._took_s))
            del self._took_s[oldest]
            self._spreads.pop(oldest, None)


def spread(took_s: list[float]) -> Spread:
    """Of durations that were seen: the least, the largest and the deciles between."""
    if len(took_s) < 2:
        return Spread((took_s[0] / 2, took_s[0], took_s[0] * 2))
    inner = quantiles(took_s, n=10, method="inclusive")
    return Spread((min(took_s), *sorted(inner), max(took_s)))


def _kind(submission: Submission) -> Kind:
    name = submission.subject
    if submission.run:
        name = name.replace(submission.run, "").strip()
    return str(submission.pipeline or submission.team), name
