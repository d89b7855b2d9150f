"""What a hand turns in Prefect.

A hold: the server makes a scheduled run long before it is due; that run is moved to the end of the
hold, on at each renewal, and to now when the hold lets it go. So it begins by itself when nobody
says anything any more, this program included. Where what is late is left out, it is cancelled at
its latest start, also where the hold goes on for later ones. A run that is due sooner than a worker
may fetch it is left alone: to schedule what a worker has would start it twice.

A promotion or a yield: the priority of the work queue, where the deployment has one for itself.

A trigger: a run of the deployment under an idempotency key, which the server honours. It is tagged
with the stretch of time that it is for, and gets its ends in the parameters of these names that its
flow has.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from urllib.parse import quote

from swarm.clock import Clock, SystemClock
from swarm.config import Settings, Source
from swarm.connectors.http_answers import NotFound
from swarm.connectors.knobs import Look
from swarm.connectors.payloads import Payload
from swarm.connectors.prefect.client import PrefectClient, scheduled
from swarm.connectors.prefect.mapping import epoch_s
from swarm.connectors.prefect.queues import Queues
from swarm.connectors.prefect.runs import FETCHED_S
from swarm.connectors.prefect.workers import was_refused
from swarm.model.intents import Act, Carried, Intent
from swarm.model.keys import PipelineKey

_SAME_S = 1.0
_SIGN = "swarm"  # how the messages of our states begin
_MOVABLE = frozenset({"Scheduled", "Late"})


def connect(source: Source, settings: Settings) -> "PrefectKnobs":
    """Imports Prefect, asks nothing yet."""
    return PrefectKnobs(PrefectClient(source, settings.state_dir / "prefect"), SystemClock())


@dataclass(frozen=True, slots=True)
class _Held:
    """A run that was due at `due_s`, under the server's own `key`; `at_s` are the times it may have
    been moved to, the newest last."""

    due_s: float
    key: str
    at_s: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class _Mark:
    """The held runs by their id."""

    runs: Mapping[str, _Held] = field(default_factory=dict)

    def __str__(self) -> str:
        return json.dumps(asdict(self)) if self.runs else ""


class PrefectKnobs:
    """See the port in `swarm.connectors.knobs`."""

    acts = frozenset({Act.HOLD, Act.PROMOTE, Act.YIELD, Act.TRIGGER})

    def __init__(self, client: PrefectClient, clock: Clock) -> None:
        self._client, self._clock = client, clock
        self._queues = Queues(client)

    async def look(self, intent: Intent, mark: str, turned: bool) -> Look:
        deployment = await self._deployment(intent.target)
        if deployment is None:
            return Look(mark, Carried.GONE, "there is no such deployment any more")
        if intent.act is Act.TRIGGER:
            takes = (deployment.get("parameter_openapi_schema") or {}).get("properties") or {}
            return Look(json.dumps([str(deployment["id"]), sorted(takes)]))
        if intent.act is not Act.HOLD:
            return await self._queues.look(intent, deployment, mark, turned)
        return await self._look_at_runs(intent, deployment, _read(mark), turned)

    async def turn(self, intent: Intent, mark: str) -> tuple[Carried, str]:
        if intent.act is Act.TRIGGER:
            return await self._trigger(intent, mark)
        if intent.act is not Act.HOLD:
            return await self._queues.turn(intent, mark)
        moved = cancelled = 0
        for run_id, held in _read(mark).runs.items():
            is_let_go = held.due_s < intent.from_s
            if is_let_go:
                why = f"{_SIGN} lets it go ({intent.id})"
            else:
                why = f"{_SIGN} holds it ({intent.id}): {intent.reason}"
            row = await self._run(run_id, held)
            if is_let_go and intent.leaves_out(held.due_s, self._clock.now_s()):
                cancelled += row is None or await self._leave_out(intent, row)
                continue
            if row is None:
                row = await self._make_again(intent, held)
            if self._is_safe(row):
                answer = await self._client.reschedule(str(row["id"]), why, held.at_s[-1])
                moved += not was_refused(answer)
        if not moved and not cancelled:
            return Carried.REFUSED, "its worker was faster"
        told = f"; {cancelled} left out" if cancelled else ""
        return Carried.DONE, f"{moved} scheduled run{'s' * (moved != 1)} moved{told}"

    async def undo(self, intent: Intent, mark: str, turned: bool) -> tuple[Carried, str]:
        if intent.act is not Act.HOLD:
            return await self._queues.undo(intent, mark, turned)
        deployment = await self._deployment(intent.target)
        if deployment is None:
            return Carried.GONE, "there is no such deployment any more"
        changed, begun, left_out, now_s = [], 0, 0, self._clock.now_s()
        for run_id, held in _read(mark).runs.items():
            row = await self._run(run_id, held)
            is_left_out = intent.leaves_out(held.due_s, now_s)
            left_out += is_left_out
            if row is None:
                if is_left_out:
                    continue
                if deployment.get("paused"):
                    changed.append(f"{run_id}: a person paused the deployment")
                    continue
                row = await self._make_again(intent, held)
            if turned and (why := self._changed(row, held)):
                changed.append(f"{run_id}: {why}")
            elif is_left_out:
                begun += not await self._leave_out(intent, row)
            elif self._is_safe(row):
                due_s = max(held.due_s, self._clock.now_s())
                why = f"{_SIGN} lets it go ({intent.id})"
                await self._client.reschedule(str(row["id"]), why, due_s)
        return _undone(changed, begun, left_out)

    async def close(self) -> None:
        await self._client.close()

    async def _leave_out(self, intent: Intent, row: Payload) -> bool:
        """Cancel a run that has not begun: the server shows it, and why. Did that come in time?"""
        if row["state_type"] != "SCHEDULED":
            return bool(row["state_type"] == "CANCELLED")
        why = f"{_SIGN} leaves it out ({intent.id})"
        return not was_refused(await self._client.cancel(str(row["id"]), why))

    async def _look_at_runs(
        self, intent: Intent, deployment: Payload, mark: _Mark, turned: bool
    ) -> Look:
        now_s, until_s = self._clock.now_s(), intent.valid_until_s
        held: dict[str, _Held] = {}
        for run_id, run in mark.runs.items():
            is_let_go = run.due_s < intent.from_s
            if is_let_go and run.at_s[-1] <= now_s:
                continue  # it was, or begins by itself at the end that the hold had then
            row = await self._run(run_id, run)
            if is_let_go and _is_over(row) and intent.leaves_out(run.due_s, now_s):
                continue
            if row is None:
                if turned and deployment.get("paused"):
                    return Look(str(mark), Carried.OVERRULED, "a person paused the deployment")
            elif turned and (why := self._changed(row, run)):
                return Look(str(mark), Carried.OVERRULED, why)
            at_s = now_s if is_let_go else _end_s(intent, run.due_s)
            held[run_id] = replace(run, at_s=(*run.at_s[-1:], at_s))
        for row in await self._scheduled(str(deployment["id"]), until_s):
            if str(row["id"]) not in held and self._is_safe(row):
                due_s = epoch_s(row["next_scheduled_start_time"]) or until_s
                key = str(row.get("idempotency_key") or f"swarm {intent.id} {due_s:.0f}")
                held[str(row["id"])] = _Held(due_s, key, (_end_s(intent, due_s),))
        if not held:
            return Look("", Carried.NOT_NEEDED, "no run of it is due that no worker has yet")
        return Look(str(_Mark(held)))

    async def _trigger(self, intent: Intent, mark: str) -> tuple[Carried, str]:
        deployment_id, takes = json.loads(mark)
        body: dict[str, object] = {"idempotency_key": f"swarm {intent.id}", "tags": ["swarm"]}
        if (stretch := intent.stretch) is not None:
            told = {"swarm_start": stretch.start, "swarm_end": stretch.end}
            body["parameters"] = {name: value for name, value in told.items() if name in takes}
            body["tags"] = ["swarm", f"swarm {stretch.label}"]
        path = f"/deployments/{deployment_id}/create_flow_run"
        try:
            row = await self._client.write("POST", path, body)
        except NotFound:
            return Carried.GONE, "there is no such deployment any more"
        return Carried.DONE, f"flow run {row['id']}"

    async def _make_again(self, intent: Intent, held: _Held) -> Payload:
        """A run that a new version of its deployment took away; it is due in a moment."""
        deployment = await self._deployment(intent.target)
        if deployment is None:
            raise NotFound(f"{intent.target}: its deployment went in this moment")
        at_s = self._clock.now_s() + 2 * FETCHED_S
        why = f"{_SIGN} makes it again ({intent.id})"
        body = {"idempotency_key": held.key, "state": scheduled(why, at_s)}
        path = f"/deployments/{deployment['id']}/create_flow_run"
        made: Payload = await self._client.write("POST", path, body)
        return made

    async def _deployment(self, target: PipelineKey) -> Payload | None:
        flow, _, name = target.name.rpartition("/")
        try:
            found: Payload = await self._client.get(
                f"/deployments/name/{quote(flow, safe='')}/{quote(name, safe='')}"
            )
        except NotFound:
            return None
        return found

    async def _run(self, run_id: str, held: _Held) -> Payload | None:
        """The run, or what the server or we made in its place, under its key."""
        try:
            found: Payload = await self._client.flow_run(run_id)
        except NotFound:
            wanted = {"flow_runs": {"idempotency_key": {"any_": [held.key]}}}
            rows = await self._client.read("/flow_runs/filter", wanted)
            return rows[0] if rows else None
        return found

    async def _scheduled(self, deployment_id: str, until_s: float) -> Sequence[Payload]:
        """Runs that its schedule made and that are due until then; one that a person made has
        nobody to wait for."""
        due = {"before_": datetime.fromtimestamp(until_s, UTC).isoformat()}
        runs = {
            "deployment_id": {"any_": [deployment_id]},
            "state": {"type": {"any_": ["SCHEDULED"]}},
            "next_scheduled_start_time": due,
        }
        pages = self._client.pages("/flow_runs/filter", {"flow_runs": runs})
        return [row async for page in pages for row in page if row.get("auto_scheduled")]

    def _is_safe(self, row: Payload) -> bool:
        """Whether no worker can have it yet."""
        at_s = epoch_s(row.get("next_scheduled_start_time"))
        is_movable = row["state_type"] == "SCHEDULED" and row.get("state_name") in _MOVABLE
        return is_movable and at_s is not None and at_s > self._clock.now_s() + FETCHED_S

    def _changed(self, row: Payload, held: _Held) -> str:
        """What a person did to a run that was moved; empty when nobody did, or its time came."""
        at_s = epoch_s(row.get("next_scheduled_start_time"))
        if row["state_type"] == "SCHEDULED" and at_s is not None:
            is_as_left = any(abs(at_s - ours) < _SAME_S for ours in (*held.at_s, held.due_s))
            message = str((row.get("state") or {}).get("message") or "")
            return "" if is_as_left or message.startswith(_SIGN) else "a person moved it"
        if self._clock.now_s() > min(held.at_s, default=held.due_s) - FETCHED_S:
            return ""
        return f"a person brought it to {row.get('state_name') or row['state_type']}"


def _is_over(row: Payload | None) -> bool:
    """Does nothing wait any more to be left out?"""
    return row is None or row["state_type"] != "SCHEDULED"


def _end_s(intent: Intent, due_s: float) -> float:
    """To when a held run is moved: no worker is to have it before it is left out."""
    until_s = intent.valid_until_s
    return until_s + (2 * FETCHED_S if intent.leaves_out(due_s, until_s) else 0.0)


def _undone(changed: Sequence[str], begun: int, left_out: int) -> tuple[Carried, str]:
    if changed:
        return Carried.OVERRULED, "; ".join(changed)
    if begun:
        return Carried.REFUSED, f"{begun} of its runs had begun: they are not left out"
    return Carried.DONE, f"{left_out} of its runs left out" if left_out else "its runs begin"


def _read(mark: str) -> _Mark:
    runs = json.loads(mark)["runs"] if mark else {}
    return _Mark({id_: _Held(r["due_s"], r["key"], tuple(r["at_s"])) for id_, r in runs.items()})
