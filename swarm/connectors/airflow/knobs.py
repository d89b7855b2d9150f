"""What a hand turns in Airflow.

A hold pauses the DAG before its next tick. A paused DAG makes no runs, so the run of each tick that
passed is seen to at the release: Airflow's own timetable says which are missing (a dry run of a
backfill lists them); the scheduler makes one of them, or all with `catchup`; the others are made
here, each under its logical date, of which there is one run. What is late and left out is made too,
before the DAG goes on, with all its tasks skipped (`left_out.py`): also that of a tick which was
left out while the hold went on for later ones. A DAG with a run under way is never paused, because
that would stop the run, so a hold that lets its first tick go is over here for all of them; and
none that assets start, because what they tell it meanwhile is lost.

A yield pauses its backfills, which keep their place. A trigger makes a run under an id of its own;
its `conf` tells the stretch of time that it is for.
Airflow's REST API has no priority to change.
"""

import asyncio
import contextlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from swarm.clock import Clock, SystemClock
from swarm.config import Settings, Source
from swarm.connectors.airflow.backfills import Backfills
from swarm.connectors.airflow.http import AirflowHttp, quoted
from swarm.connectors.airflow.left_out import conf_of, skip_all
from swarm.connectors.airflow.mapping import is_left_out
from swarm.connectors.airflow.ticks import Tick, epoch_s, iso, next_tick, ticks_of
from swarm.connectors.http_answers import Contradicts, Forbidden, NotFound
from swarm.connectors.knobs import Look
from swarm.connectors.payloads import Payload
from swarm.errors import MalformedResponse, Unauthorized
from swarm.model.intents import Act, Carried, Intent

_SCHEDULER_S = 5.0  # in which the scheduler makes what it makes itself after a release
_LOOK_S = 0.5
_GONE = "there is no such DAG any more"
_NOT_AN_ID = re.compile(r"[^A-Za-z0-9_.~:+-]")


def connect(source: Source, settings: Settings) -> "AirflowKnobs":
    """Asks nothing yet."""
    del settings
    clock = SystemClock()
    return AirflowKnobs(AirflowHttp(source, clock), clock)


@dataclass(frozen=True, slots=True)
class _Mark:
    """The first tick that falls into a hold, and whether the scheduler makes up for all."""

    first: Tick
    catchup: bool

    def __str__(self) -> str:
        return json.dumps(asdict(self))


class AirflowKnobs:
    """See the port in `swarm.connectors.knobs`."""

    acts = frozenset({Act.HOLD, Act.YIELD, Act.TRIGGER})

    def __init__(self, http: AirflowHttp, clock: Clock) -> None:
        self._http, self._clock = http, clock
        self._backfills = Backfills(http)
        self._unpaused: set[str] = set()  # for which intents, by this process
        self._begins: dict[str, str] = {}  # why what was to be left out is not, by intent

    async def look(self, intent: Intent, mark: str, turned: bool) -> Look:
        return await asyncio.to_thread(self._look, intent, mark, turned)

    async def turn(self, intent: Intent, mark: str) -> tuple[Carried, str]:
        return await asyncio.to_thread(self._turn, intent, mark)

    async def undo(self, intent: Intent, mark: str, turned: bool) -> tuple[Carried, str]:
        if intent.act is not Act.HOLD:
            return await asyncio.to_thread(self._backfills.undo, mark, turned)
        kept = _read(mark)
        assert kept is not None, "it is undone where something was marked"
        try:
            changed, left_out = await asyncio.to_thread(self._release, intent, kept)
            made = await self._see_to(intent, kept)
        except NotFound:
            return Carried.GONE, _GONE
        if changed and turned:
            return Carried.OVERRULED, f"a person unpaused it; {made}"
        if why := self._begins.pop(intent.id, ""):
            return Carried.REFUSED, f"it is not left out: {why}; {made}"
        late = f"; {left_out} left out" if left_out else ""
        return Carried.DONE, f"it goes on; {made}{late}"

    async def close(self) -> None:
        await asyncio.to_thread(self._http.close)

    # --- looks -----------------------------------------------------------------------------------

    def _look(self, intent: Intent, mark: str, turned: bool) -> Look:
        try:
            dag = self._http.get(f"{_dag(intent.target.name)}/details")
        except NotFound:
            return Look(mark, Carried.GONE, _GONE)
        match intent.act:
            case Act.HOLD:
                return self._look_at_ticks(intent, dag, mark, turned)
            case Act.YIELD:
                return self._backfills.look(intent.target.name, mark, turned)
            case _:
                return Look("trigger")

    def _look_at_ticks(self, intent: Intent, dag: Payload, mark: str, turned: bool) -> Look:
        following, kept = next_tick(dag, self._http.major), _read(mark)
        if why := _why_not(dag, following, mark, turned):
            return Look(mark, *why)
        first = kept.first if kept else following
        if kept and self._lets_go(intent, kept):
            why_not = "one tick of a DAG cannot begin while the next is held: all begin"
            return Look(mark, Carried.REFUSED, why_not)
        if first is None or first.due_s > intent.valid_until_s:
            return Look("", Carried.NOT_NEEDED, "no tick of it falls into the hold yet")
        if self._http.major < 3 and intent.valid_until_s > first.due_s + first.width_s:
            why_not = "Airflow 2 does not tell the ticks that a longer hold would lose"
            return Look(mark, Carried.REFUSED, why_not)
        if runs := self._runs_under_way(intent.target.name, first):
            if turned:
                return Look(mark, Carried.OVERRULED, f"a person started the run {runs[0]}")
            return Look(mark, Carried.REFUSED, f"its run {runs[0]} is under way")
        return Look(str(_Mark(first, bool(dag.get("catchup")))))

    def _lets_go(self, intent: Intent, kept: _Mark) -> bool:
        """Is a tick to begin while the hold goes on for later ones?"""
        if kept.first.due_s >= intent.from_s:
            return False
        now_s = self._clock.now_s()
        gone = (t for t in self._missing(intent.target.name, kept) if t.due_s < intent.from_s)
        return not all(intent.leaves_out(tick.due_s, now_s) for tick in gone)

    def _runs_under_way(self, dag_id: str, first: Tick) -> list[str]:
        """Those that a pause would stop. That of a held tick, where it is queued, waits with it."""
        page = self._http.get(f"{_dag(dag_id)}/dagRuns?state=running&state=queued&limit=20")
        return [
            str(run["dag_run_id"])
            for run in page["dag_runs"]
            if run["state"] == "running"
            or not run.get("logical_date")
            or epoch_s(run["logical_date"]) < first.logical_s
        ]

    # --- turns -----------------------------------------------------------------------------------

    def _turn(self, intent: Intent, mark: str) -> tuple[Carried, str]:
        if intent.act is Act.YIELD:
            return self._backfills.turn(mark)
        try:
            if intent.act is Act.TRIGGER:
                return self._trigger(intent)
            self._pause(intent.target.name, is_paused=True)
            kept = _read(mark)
            runs = self._runs_under_way(intent.target.name, kept.first) if kept else []
        except NotFound:
            return Carried.GONE, _GONE
        if runs:  # it began between the look and the pause
            return Carried.REFUSED, f"its run {runs[0]} was faster"
        return Carried.DONE, f"paused before {iso(kept.first.due_s) if kept else ''}"

    def _pause(self, dag_id: str, *, is_paused: bool) -> None:
        self._http.write("PATCH", f"{_dag(dag_id)}?update_mask=is_paused", {"is_paused": is_paused})

    def _trigger(self, intent: Intent) -> tuple[Carried, str]:
        run_id = f"swarm__{_NOT_AN_ID.sub('.', intent.id)}"
        body: dict[str, object] = {"dag_run_id": run_id, "note": f"swarm: {intent.reason}"}
        if intent.stretch is not None:
            told = {"start": intent.stretch.start, "end": intent.stretch.end}
            body["conf"] = {"swarm": {**told, "label": intent.stretch.label}}
        if self._http.major >= 3:
            body["logical_date"] = None
        try:
            self._http.write("POST", f"{_dag(intent.target.name)}/dagRuns", body)
        except Contradicts:
            return Carried.DONE, f"its run {run_id} is there already"
        return Carried.DONE, f"run {run_id}"

    # --- the way back ----------------------------------------------------------------------------

    def _release(self, intent: Intent, kept: _Mark) -> tuple[bool, int]:
        """Unpause it; whether somebody had, and how many ticks are left out. Before that those
        runs are made which the scheduler would leave out, so that they go first, or which are left
        out."""
        dag_id, left_out = intent.target.name, 0
        dag = self._http.get(_dag(dag_id))
        if not dag["is_paused"]:
            return intent.id not in self._unpaused, 0
        if intent.left_out_s or intent.leaves_out(kept.first.due_s, self._clock.now_s()):
            left_out = self._leave_out(intent, kept)
        if not kept.catchup:
            # Whatever is wrong with that is told after the pause is over.
            with contextlib.suppress(MalformedResponse, Unauthorized):
                for tick in self._missing(dag_id, kept)[:-1]:
                    self._make(dag_id, intent.id, tick)
        self._pause(dag_id, is_paused=False)
        self._unpaused.add(intent.id)
        return False, left_out

    def _leave_out(self, intent: Intent, kept: _Mark) -> int:
        """Skip what the ticks that are late would have done; how many there are. What Airflow does
        not let us skip begins; where it does not answer nothing goes on yet."""
        dag_id, now_s, left_out = intent.target.name, self._clock.now_s(), 0
        try:
            for tick in self._missing(dag_id, kept):
                if intent.leaves_out(tick.due_s, now_s):
                    self._make(dag_id, intent.id, tick, conf_of(intent.id))
            for run in self._runs_since(dag_id, kept.first):
                if run["state"] != "queued":
                    continue
                if is_left_out(run):
                    skip_all(self._http, dag_id, str(run["dag_run_id"]))
                    left_out += 1
                elif intent.leaves_out(kept.first.due_of(_logical_s(run)), now_s):
                    self._begins[intent.id] = f"Airflow had made its run {run['dag_run_id']}"
        except (MalformedResponse, Unauthorized) as error:
            self._begins[intent.id] = str(error)
        return left_out

    def _runs_since(self, dag_id: str, first: Tick) -> list[Payload]:
        """The newest runs of the ticks from the first that was held on."""
        name = "logical_date" if self._http.major >= 3 else "execution_date"
        asked: dict[str, str | int] = {f"{name}_gte": iso(first.logical_s), "limit": 100}
        return list(self._http.get(f"{_dag(dag_id)}/dagRuns", asked)["dag_runs"])

    async def _see_to(self, intent: Intent, kept: _Mark) -> str:
        """Wait for the scheduler to make the runs that are missing; make what it does not."""
        dag_id = intent.target.name
        deadline_s = self._clock.monotonic_s() + _SCHEDULER_S
        missing = await asyncio.to_thread(self._missing, dag_id, kept)
        while missing and self._clock.monotonic_s() < deadline_s:
            await asyncio.sleep(_LOOK_S)
            missing = await asyncio.to_thread(self._missing, dag_id, kept)
        for tick in missing:
            await asyncio.to_thread(self._make, dag_id, intent.id, tick)
        return f"{len(missing)} runs made that its scheduler had not"

    def _missing(self, dag_id: str, kept: _Mark) -> list[Tick]:
        """The ticks since the hold began that are over and have no run, in order."""
        first, now_s = kept.first, self._clock.now_s()
        if first.due_s > now_s:
            return []
        body = {
            "dag_id": dag_id,
            "from_date": iso(first.logical_s),
            "to_date": iso(now_s),
            "reprocess_behavior": "none",
            "max_active_runs": 1,
            "run_backwards": False,
            "dag_run_conf": {},
        }
        dates = [iso(first.logical_s)]
        if self._http.major >= 3:
            with contextlib.suppress(MalformedResponse, Forbidden):  # not for this timetable, or us
                rows = self._http.write("POST", "/backfills/dry_run", body)["backfills"]
                dates += [str(row["logical_date"]) for row in rows if row["logical_date"]]
        ticks = ticks_of(dates, first)
        return [t for t in ticks if t.due_s <= now_s and not self._has_run(dag_id, t)]

    def _make(
        self, dag_id: str, intent_id: str, tick: Tick, conf: Mapping[str, object] | None = None
    ) -> None:
        if self._has_run(dag_id, tick):
            return
        body = tick.body(intent_id) | ({"conf": conf} if conf else {})
        if self._http.major < 3:
            del body["data_interval_start"], body["data_interval_end"]
        try:
            self._http.write("POST", f"{_dag(dag_id)}/dagRuns", body)
        except Contradicts:
            return  # the scheduler was faster

    def _has_run(self, dag_id: str, tick: Tick) -> bool:
        name = "logical_date" if self._http.major >= 3 else "execution_date"
        at = iso(tick.logical_s)
        asked: dict[str, str | int] = {f"{name}_gte": at, f"{name}_lte": at, "limit": 1}
        return bool(self._http.get(f"{_dag(dag_id)}/dagRuns", asked)["dag_runs"])


def _why_not(
    dag: Payload, following: Tick | None, mark: str, turned: bool
) -> tuple[Carried, str] | None:
    """Why the DAG is not to be paused, or not any more."""
    if turned and not dag["is_paused"]:
        return Carried.OVERRULED, "a person unpaused it"
    if not mark and dag["is_paused"]:
        return Carried.NOT_NEEDED, "it is paused already"
    if dag.get("asset_expression") or dag.get("dataset_expression"):
        return Carried.REFUSED, "assets start it: what they tell it while it is paused is lost"
    if following is None and not mark:
        return Carried.REFUSED, "Airflow knows no next tick of it"
    return None


def _logical_s(run: Payload) -> float:
    return epoch_s(run.get("logical_date") or run["execution_date"])


def _dag(dag_id: str) -> str:
    return f"/dags/{quoted(dag_id)}"


def _read(mark: str) -> _Mark | None:
    if not mark:
        return None
    kept = json.loads(mark)
    return _Mark(Tick(**kept["first"]), kept["catchup"])
