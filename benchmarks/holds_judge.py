"""What must never happen to the pipelines of `benchmarks.holds_world`.

It knows how the world is made, not what the engine makes of it: planned starts are the
orchestrator's own, rings are looked for along the edges, times are compared with the policy.
"""

from collections import Counter

from benchmarks.holds_fleet import MIN_S, Fleet, Line, Turn
from swarm.model.graph import DependencyChanged, GraphRecord, PipelineGone, PipelineSeen
from swarm.model.intents import Act, Intent, Mode
from swarm.model.keys import PipelineKey
from swarm.model.lineage import GATE_FROM
from swarm.sequencing.holds import LEAD_S, SWARM

TTL_S, WAIT_MAX_S = 60.0, 7_200.0
# The past tells a planned start, and is off by what runs are late.
OFF_S = 15 * MIN_S
_CLOCK_S = 1.0
NEVER = (
    "deadlocks",
    "lost",
    "begun_twice",
    "holds_past_ttl",
    "holds_past_latest",
    "held_twice",
    "held_in_a_ring",
    "held_against_mode",
)


class Judge:
    """Counts what went wrong, and of `held` and `runs` how many there were."""

    def __init__(self, fleet: Fleet) -> None:
        self._fleet = fleet
        self._edges: dict[PipelineKey, dict[PipelineKey, float]] = {}
        self._newest: dict[PipelineKey, Intent] = {}
        self._settled: dict[PipelineKey, set[float]] = {}
        self._held: set[tuple[PipelineKey, float]] = set()
        self._wrong: dict[str, set[object]] = {name: set() for name in NEVER}

    def counts(self) -> Counter[str]:
        """All of it, once the days are over."""
        runs = 0
        for line in self._fleet.lines:
            for turn in () if line.is_gone else line.turns.values():
                runs += 1
                twice = turn.made > 1 or len(turn.began) > 1
                self._note("begun_twice", twice, (line.key, turn.planned_s))
                lost = (line.key, turn.planned_s) in self._wrong["lost"]
                self._note("deadlocks", not turn.began and not lost, (line.key, turn.planned_s))
        wrong = {name: len(cases) for name, cases in self._wrong.items()}
        return Counter({"runs": runs, "held": len(self._held), **wrong})

    def saw(self, record: GraphRecord) -> None:
        """The graph moved."""
        match record:
            case DependencyChanged(_, edge):
                up, down = edge.key.upstream.pipeline_key, edge.key.downstream.pipeline_key
                self._edges.setdefault(up, {})[down] = edge.confidence
            case PipelineSeen(pipeline):
                for declared in pipeline.declared:
                    self._edges.setdefault(declared.upstream.pipeline_key, {})[pipeline.key] = 1.0
            case PipelineGone(key):
                self._edges.pop(key, None)
            case _:
                pass

    def decided(self, intent: Intent, now_s: float) -> None:
        """Swarm or somebody wants something."""
        key, before = intent.target, self._newest.get(intent.target)
        self._newest[key] = intent
        line, settled = self._fleet.of(key), self._settled.setdefault(key, set())
        is_new = before is None or before.act is not Act.HOLD
        if intent.act is Act.RELEASE and before is not None:
            come_s = (at_s for at_s in before.due_s if at_s <= now_s + LEAD_S)
            settled.update(map(line.nearest, come_s))
        settled.update(map(line.nearest, intent.let_go_s))
        if intent.act is Act.HOLD and intent.by == SWARM and is_new:
            again = settled.intersection(map(line.nearest, intent.due_s))
            self._note("held_twice", again, intent.id)
            ring = any(self._leads(key, up, {key}) for up in intent.waits_for)
            self._note("held_in_a_ring", ring, intent.id)

    def stopped(self, intent: Intent, turn: Turn) -> None:
        """A run is not made because of a hold."""
        self._held.add((intent.target, turn.planned_s))
        turn.by_person |= intent.by != SWARM

    def lost(self, key: PipelineKey, turn: Turn) -> None:
        """A hold is over, and a run that fell into it was not made."""
        self._note("lost", not self._fleet.of(key).is_gone, (key, turn.planned_s))

    def stands(self, intent: Intent, reached_s: float, mode: Mode, now_s: float) -> None:
        """A hold stands at a hand that a living swarm reached last at `reached_s`, when the mode
        of the pipeline was `mode` for as long as a hold lives."""
        self._note("holds_past_ttl", now_s - reached_s > TTL_S + _CLOCK_S, intent.id)
        if intent.by == SWARM:
            planned_s = self._fleet.of(intent.target).nearest(intent.due_s[0])
            late = now_s - planned_s > WAIT_MAX_S + OFF_S
            self._note("holds_past_latest", late, intent.id)
            self._note("held_against_mode", mode is not Mode.GATE, intent.id)

    def queued(
        self, line: Line, turn: Turn, since_s: float, reached_s: float, now_s: float
    ) -> None:
        """A run waits in swarm's own queue though there is room for it."""
        newest = self._newest.get(line.key)
        if newest is not None:
            self.stopped(newest, turn)
        self._note("holds_past_ttl", now_s - reached_s > TTL_S + _CLOCK_S, (line.key, since_s))
        late = now_s - max(since_s, turn.planned_s) > WAIT_MAX_S + OFF_S
        self._note("holds_past_latest", late and not turn.by_person, (line.key, since_s))

    def _leads(self, from_: PipelineKey, to: PipelineKey, seen: set[PipelineKey]) -> bool:
        for down, confidence in self._edges.get(from_, {}).items():
            if confidence >= GATE_FROM and down not in seen:
                if down == to or self._leads(down, to, seen | {down}):
                    return True
                seen.add(down)
        return False

    def _note(self, name: str, wrong: object, case: object) -> None:
        if wrong:
            self._wrong[name].add(case)
