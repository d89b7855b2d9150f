"""How the SLAs stand, as pipelines run.

`decide` looks at the SLAs that something was told about since, and every so often at all whose
deadline is near, since time alone moves them too. It answers with those that stand otherwise than
was last told, and with the findings of those at risk.

Rules
1. SLAs are those of `promised.py`. One is looked at from `AHEAD_S` before its deadline on, until
   the deadline has passed.
2. Its pipeline has to be done with what everything upstream makes for it today (`forecast.py`).
3. At risk is from `RISK_FROM` on, and on track again below `CALM_BELOW`: between them it stays.
   The finding closes when it is on track again, met, or missed.
4. How a deadline ended is judged `SETTLE_S` after it, when connectors have told of it: it was met
   if the pipeline was done then with what was new. `scoring.py` keeps count of how right warnings
   are; those of a muted rule open no finding.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from random import Random

from swarm.model.findings import Finding, FindingKind, finding_id, told
from swarm.model.graph import (
    DependencyChanged,
    DependencyGone,
    FindingChanged,
    GraphRecord,
    PipelineGone,
    PipelineSeen,
    RunSeen,
    RunsKept,
)
from swarm.model.keys import PipelineKey
from swarm.model.lineage import Level
from swarm.model.runs import Run
from swarm.model.sequencing import SlaAccepted, SlaChanged, SlaDeclined
from swarm.model.sla import Sla, SlaState, Standing, Terms
from swarm.sequencing.deadlines import next_deadline_s
from swarm.sequencing.forecast import Forecast, Habits, Node, forecast
from swarm.sequencing.promised import Promised
from swarm.sequencing.scoring import judged, muted
from swarm.sequencing.standing_on import Chain, Ground, nodes_of, upstream_of
from swarm.sequencing.world import World

AHEAD_S = 12 * 3_600.0
LOOK_EVERY_S = 30.0
RISK_FROM, CALM_BELOW = 0.8, 0.5
# Where so many draws all end in time, or all too late, more of them would not say more than `STEP`.
FEW_DRAWS = 50
# A chance this near to a warning is drawn anew, by more draws: three standard deviations of what
# `DRAWS` leave open. Of the many looks before a deadline the unluckiest would warn else.
NEAR, NEAR_DRAWS = 0.085, 1_600
SETTLE_S = 60.0
# What is told anew: a chance that moved by so much.
STEP = 0.05

SlaRecord = SlaChanged | SlaAccepted | SlaDeclined

_TOLD = frozenset({Standing.ON_TRACK, Standing.AT_RISK, Standing.MET})


class Promises:
    """The SLAs, what was told of them, and the world they stand in."""

    def __init__(self, world: World, slas: Iterable[Sla]) -> None:
        self._world = world
        self._promised = Promised(slas)
        self._states: dict[str, SlaState] = {}
        self._open: dict[str, Finding] = {}
        self._looked_s: dict[str, float] = {}
        self._upstream: dict[str, Chain] = {}
        self._ground: dict[str, Ground] = {}
        self._behind: dict[PipelineKey, set[str]] = {}  # the SLAs that stand on each
        self._touched: set[str] = set()

    def apply(self, record: GraphRecord | SlaRecord) -> None:
        """Follow a record that the world has followed."""
        match record:
            case SlaAccepted() | SlaDeclined() | PipelineSeen() | PipelineGone():
                self._promised.apply(record)
                self._move()
            case SlaChanged(state) if state.standing is Standing.DROPPED:
                self._states.pop(state.sla.name, None)
            case SlaChanged(state):
                self._states[state.sla.name] = state
            case FindingChanged(finding) if finding.kind is FindingKind.SLA_AT_RISK:
                if finding.closed_at_s is None:
                    self._open[finding.id] = finding
                else:
                    self._open.pop(finding.id, None)
            case RunSeen(Run(pipeline=key)) | RunsKept(key):
                self._touch(key)
            case DependencyChanged() | DependencyGone():
                self._move()
            case _:
                pass

    @property
    def states(self) -> Iterable[SlaState]:
        """How each stands."""
        return self._states.values()

    @property
    def slas(self) -> Iterable[Sla]:
        """What is promised."""
        return self._promised.slas.values()

    @property
    def terms(self) -> Terms:
        """The same, and what was declined."""
        return self._promised.terms

    def _move(self) -> None:
        """The graph moved: who stands on what has to be found anew."""
        self._upstream.clear()
        self._ground.clear()
        self._behind.clear()
        self._touched |= self._promised.slas.keys()

    def decide(self, now_s: float) -> list[SlaChanged | FindingChanged]:
        """What stands otherwise than was told."""
        changed: list[SlaChanged | FindingChanged] = []
        touched, self._touched = self._touched, set()
        for name, sla in self._promised.slas.items():
            if name not in touched and now_s - self._looked_s.get(name, 0.0) < LOOK_EVERY_S:
                continue
            self._looked_s[name] = now_s
            for state in self._stands(sla, now_s):
                if _is_news(self._states.get(name), state):
                    changed.append(SlaChanged(state))
                known, risk = self._open.get(_id_of(state)), _risk(state, now_s)
                finding = told(known, risk, now_s)
                changed += [FindingChanged(finding)] if finding else []
        return [*changed, *self._dropped(now_s)]

    def find(self, name: str) -> Finding | None:
        """The finding of that id, where it is open here."""
        return self._open.get(name)

    def records(self) -> Iterator[SlaRecord | FindingChanged]:
        """A snapshot."""
        yield from self._promised.records()
        yield from map(SlaChanged, self._states.values())
        yield from map(FindingChanged, self._open.values())

    def _dropped(self, now_s: float) -> Iterator[SlaChanged | FindingChanged]:
        """What nobody promises any more."""
        for name, state in self._states.items():
            if name not in self._promised.slas:
                yield SlaChanged(replace(state, standing=Standing.DROPPED))
        for finding in self._open.values():
            if finding.sla is not None and finding.sla.sla.name not in self._promised.slas:
                yield FindingChanged(replace(finding, changed_at_s=now_s, closed_at_s=now_s))

    def _touch(self, pipeline: PipelineKey) -> None:
        self._touched |= self._behind.get(pipeline, set())
        if len(self._upstream) < len(self._promised.slas):
            self._touched |= self._promised.slas.keys() - self._upstream.keys()

    def _stands(self, sla: Sla, now_s: float) -> Iterator[SlaState]:
        """How it stands now; of a deadline that has passed, first how that ended."""
        known = self._states.get(sla.name)
        if (
            known is not None
            and known.standing in _TOLD
            and not known.is_judged
            and known.deadline_s + SETTLE_S <= now_s
        ):
            known = self._judged(known)
            yield known
        deadline_s = next_deadline_s(sla, now_s)
        if deadline_s is None or deadline_s - now_s > AHEAD_S:
            return
        if known is None or known.deadline_s != deadline_s:
            weeks = known.weeks if known is not None else ()
            known = SlaState(sla, deadline_s, Standing.ON_TRACK, weeks=weeks)
        origin = self._promised.origin(sla)
        yield self._standing(replace(known, sla=sla, origin=origin), now_s)

    def _standing(self, was: SlaState, now_s: float) -> SlaState:
        """Where it was before, now."""
        nodes, habits = self._nodes(was.sla, was.deadline_s, now_s)
        found = self._forecast(was, nodes, habits, now_s)
        if found is None:
            unknown = replace(was, standing=Standing.UNKNOWN, path=(), late=None)
            return replace(unknown, chance=0.0, expected_s=0.0)
        standing = _standing(found.chance, was.standing, is_done=found.expected_s <= now_s)
        warns = standing is Standing.AT_RISK and was.warned_at_s is None
        node = {node.key: node for node in nodes}
        late = [key for key in found.path if _is_late(node[key], was.deadline_s, now_s)]
        return replace(
            was,
            standing=standing,
            chance=found.chance,
            expected_s=found.expected_s,
            path=found.path,
            late=late[0] if late else None,
            warned_at_s=now_s if warns else was.warned_at_s,
        )

    def _judged(self, last: SlaState) -> SlaState:
        """How its deadline ended."""
        chain = self._chain(last.sla)
        nodes, habits = nodes_of(self._world, chain, last.deadline_s, last.deadline_s)
        found = self._forecast(last, nodes, habits, last.deadline_s)
        missed = found is None or found.expected_s > last.deadline_s
        weeks = judged(last.weeks, last.deadline_s, last.warned_at_s, missed=missed)
        standing = Standing.MISSED if missed else Standing.MET
        return replace(last, standing=standing, is_judged=True, weeks=weeks)

    def _forecast(
        self, of: SlaState, nodes: Sequence[Node], habits: Habits, now_s: float
    ) -> Forecast | None:
        if not nodes:
            return None
        # The same luck each time: no noise between two.
        luck = f"{of.sla.name} {of.deadline_s}"
        found = forecast(nodes, of.deadline_s, now_s, habits, Random(luck), FEW_DRAWS)
        if found is not None and 0.0 < found.chance < 1.0:
            found = forecast(nodes, of.deadline_s, now_s, habits, Random(luck))
        if found is not None and abs(found.chance - RISK_FROM) < NEAR:
            found = forecast(nodes, of.deadline_s, now_s, habits, Random(luck), NEAR_DRAWS)
        return found

    def _chain(self, sla: Sla) -> Chain:
        chain = self._upstream.get(sla.name)
        if chain is None:
            chain = self._upstream[sla.name] = upstream_of(self._world.graph, sla.pipeline)
            for key in chain.ordered:
                self._behind.setdefault(key, set()).add(sla.name)
        return chain

    def _nodes(self, sla: Sla, deadline_s: float, now_s: float) -> tuple[Sequence[Node], Habits]:
        chain = self._chain(sla)
        ground = self._ground.get(sla.name)
        if ground is None or ground.deadline_s != deadline_s:
            ground = self._ground[sla.name] = Ground(chain, deadline_s)
        return ground.nodes(self._world, now_s)


def _standing(chance: float, was: Standing, *, is_done: bool) -> Standing:
    if is_done:
        return Standing.MET
    if chance >= RISK_FROM or (chance >= CALM_BELOW and was is Standing.AT_RISK):
        return Standing.AT_RISK
    return Standing.ON_TRACK


def _is_late(node: Node, deadline_s: float, now_s: float) -> bool:
    return node.today is not None and node.today.is_late(deadline_s, now_s)


def _is_news(known: SlaState | None, state: SlaState) -> bool:
    if known is None or known.deadline_s != state.deadline_s:
        return True
    said = (known.standing, known.late, known.is_judged, known.origin)
    if said != (state.standing, state.late, state.is_judged, state.origin):
        return True
    return abs(known.chance - state.chance) >= STEP


def _risk(state: SlaState, now_s: float) -> Finding | None:
    """The warning, while there is one."""
    if state.standing is not Standing.AT_RISK or muted(state.weeks):
        return None
    kind, level = FindingKind.SLA_AT_RISK, Level.WARN
    own = (state.sla.pipeline,)
    cause = (state.late, *own) if state.late not in (None, *own) else own
    pipelines = tuple(key for key in cause if key is not None)
    return Finding(_id_of(state), kind, pipelines, (), level, now_s, now_s, sla=state)


def _id_of(state: SlaState) -> str:
    return finding_id(FindingKind.SLA_AT_RISK, state.sla.name, str(state.deadline_s))
