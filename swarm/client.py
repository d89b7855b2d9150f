"""The Python SDK: the HTTP API as functions. It needs nothing of swarm but a URL and a token."""

import json
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import httpx2 as httpx

_RETRY_S = 1.0


class ApiError(Exception):
    """The API refused a request; `code` is stable, the text is for people."""

    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(detail)
        self.status, self.code = status, code


class Unreachable(Exception):
    """Nothing answers at the URL."""


def local(state_dir: Path) -> tuple[str, str]:
    """The URL and the token of the swarm that `swarm up` started with this state folder."""
    try:
        running = json.loads((state_dir / "up.json").read_text())
        return running["url"], Path(running["token_file"]).read_text().strip()
    except FileNotFoundError:
        raise Unreachable(f"No swarm runs with state in {state_dir}: try `swarm up`.") from None


class Client:
    """A connection to a running swarm.

    >>> with Client("http://127.0.0.1:8642", token) as swarm:
    ...     for edge in swarm.dependencies(declared=False):
    ...         print(edge["upstream"], "->", edge["downstream"], edge["confidence"])
    """

    def __init__(self, url: str, token: str, *, timeout_s: float = 30.0) -> None:
        self._url = url.rstrip("/")
        self._http = httpx.Client(
            base_url=f"{self._url}/api/v1/",
            headers={"Authorization": f"Bearer {token}"},
            timeout=timeout_s,
        )

    @classmethod
    def local(cls, state_dir: Path) -> Self:
        """Connect to the swarm that `swarm up` started with this state folder."""
        return cls(*local(state_dir))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._http.close()

    def status(self) -> dict[str, Any]:
        """Counts, and how each source is doing."""
        return dict(self._request("GET", "status"))

    def quarantine(self, stream: str, seq: int, *, by: str, reason: str) -> None:
        """Set aside the record before which a stream stands still (`status()["standing"]`)."""
        body = {"stream": stream, "seq": seq, "by": by, "reason": reason}
        self._request("POST", "quarantine", body)

    def ready(self) -> bool:
        """Whether the API has caught up and serves."""
        try:
            return bool(self._request("GET", "readyz")["ready"])
        except (ApiError, Unreachable):
            return False

    def pipelines(self) -> Iterator[dict[str, Any]]:
        """All pipelines of all orchestrators."""
        return self._pages("pipelines", {})

    def datasets(self) -> Iterator[dict[str, Any]]:
        """All datasets that lie between two tasks, with their writers and readers."""
        return self._pages("datasets", {})

    def dependencies(
        self,
        *,
        declared: bool | None = None,
        min_confidence: float | None = None,
        as_of_s: float | None = None,
    ) -> Iterator[dict[str, Any]]:
        """Dependencies, strongest first; `as_of_s` (seconds since the epoch) looks back."""
        asked = {"declared": declared, "min_confidence": min_confidence, "as_of_s": as_of_s}
        return self._pages("dependencies", asked)

    def explain(self, upstream: str, downstream: str, dataset: str = "") -> dict[str, Any]:
        """Why there is, or is no, dependency between two pipelines or tasks: the sum behind each
        as far as the journal tells."""
        asked = {"upstream": upstream, "downstream": downstream, "dataset": dataset}
        return dict(self._request("GET", "dependencies/explain", params=asked))

    def findings(self, *, since_s: float | None = None) -> Iterator[dict[str, Any]]:
        """What is open now; with `since_s` (seconds since the epoch) all that opened, changed or
        closed since then. The newest last."""
        return self._pages("findings", {"since_s": since_s})

    def rate(self, finding: str, *, right: bool, by: str) -> None:
        """Say whether it was right to tell of an open hazard."""
        self._request(
            "POST", f"findings/{quote(finding, safe='')}/feedback", {"right": right, "by": by}
        )

    def findings_score(self) -> list[dict[str, Any]]:
        """What became of the findings of each kind of hazard, and which kinds are muted."""
        return list(self._request("GET", "findings/score"))

    def questions(self) -> list[dict[str, Any]]:
        """What owners are asked now, the most valuable first; `judge` answers."""
        return list(self._request("GET", "questions"))

    def facets(self, subject: str | None = None) -> Iterator[dict[str, Any]]:
        """What OpenLineage events told beyond their meaning to swarm, of all or of one `subject`:
        `orchestrator/pipeline[/task]` or a dataset as `datasets()` names it."""
        return self._pages("facets", {"subject": subject})

    def columns(self, dataset: str | None = None) -> Iterator[dict[str, Any]]:
        """Which columns the columns of datasets, or of one, are made from, by writer."""
        return self._pages("columns", {"dataset": dataset})

    def impact(self, name: str, limit: int = 100) -> dict[str, Any]:
        """Who is hit when `name` is late or wrong: `total`, and the nearest `limit` as `hits`."""
        return dict(self._request("GET", "impact", params={"name": name, "limit": limit}))

    def upstream(self, name: str, limit: int = 100) -> dict[str, Any]:
        """What `name` stands on: `total`, and the nearest `limit` as `hits`."""
        return dict(self._request("GET", "upstream", params={"name": name, "limit": limit}))

    def unresolved(self) -> list[dict[str, Any]]:
        """What could not be understood, with the place and the reason."""
        return list(self._request("GET", "unresolved"))

    def judge(self, edge: Mapping[str, Any], verdict: str | None, by: str) -> None:
        """Accept or reject a dependency as `dependencies()` gave it; `None` takes it back."""
        body = {key: edge[key] for key in ("upstream", "downstream", "dataset")}
        self._request("POST", "dependencies/verdict", body | {"verdict": verdict, "by": by})

    def send_lineage(self, event: Mapping[str, Any]) -> int:
        """Send one OpenLineage event; it is durable when this returns."""
        return int(self._request("POST", "lineage", event)["seq"])

    def push(self, orchestrator: str, **parts: list[dict[str, Any]]) -> int:
        """Send `runs=[...]` and `evidence=[...]` of a home-made scheduler."""
        return int(self._request("POST", "push", {"orchestrator": orchestrator} | parts)["seq"])

    def submit(
        self, tasks: Sequence[Mapping[str, Any]], *, idempotency_key: str | None = None
    ) -> list[str]:
        """Hand in up to 10,000 tasks, all or none, and return their ids: each will reach exactly
        one outcome. A task is `{"argv": [...]}` or `{"call": {"path": "package.module:function",
        "args": {...}}}` or `{"capability": ..., "item": ...}` for an agent, and what the
        API's schema has besides. Sending again under the same `idempotency_key`, or with ids of
        your own, makes no second task.
        """
        headers = {} if idempotency_key is None else {"Idempotency-Key": idempotency_key}
        taken = self._request("POST", "tasks", {"tasks": list(tasks)}, headers=headers)
        return list(taken["tasks"])

    def tasks(self, state: str | None = None) -> Iterator[dict[str, Any]]:
        """The tasks that were handed in, newest first; `state` is `queued`, `leased`, `running`,
        `lost` or an outcome: `succeeded`, `failed`, `cancelled`, `parked`,
        `skipped`."""
        return self._pages("tasks", {"state": state})

    def task(self, task: str) -> dict[str, Any]:
        """One task: its state, why it waits if it does, its story, and the `result` of its
        call."""
        return dict(self._request("GET", f"tasks/{quote(task, safe='')}"))

    def explain_task(self, task: str) -> dict[str, Any]:
        """Why a task does not run yet: its place, the teams that wait, each worker's reason."""
        return dict(self._request("GET", f"tasks/{quote(task, safe='')}/explain"))

    def output(self, task: str, grant: int | None = None) -> bytes:
        """What a task has printed under a grant, its newest unless named. Of more than 5 MiB only
        the beginning and the end, and a line between that says how much is missing."""
        whole, offset = bytearray(), 0
        while True:
            text, offset = self.output_part(task, grant, offset)
            if not text:
                return bytes(whole)
            whole += text

    def output_part(
        self, task: str, grant: int | None = None, offset: int = 0
    ) -> tuple[bytes, int]:
        """Some of what a task printed from byte `offset` on, and the offset to go on at. Nothing
        more, once the task has ended, is the end; before that it is worth asking again."""
        asked = {"grant": grant, "offset": offset}
        params = {key: value for key, value in asked.items() if value is not None}
        path = f"tasks/{quote(task, safe='')}/output"
        answer = self._send("GET", path, params=params)
        return answer.content, int(answer.headers["Next-Offset"])

    def cancel(self, task: str) -> None:
        """End a task."""
        self._request("POST", f"tasks/{quote(task, safe='')}/cancel")

    def workers(self) -> list[dict[str, Any]]:
        """The workers that live, with what they hold."""
        return list(self._request("GET", "workers"))

    def losses(self, limit: int = 50) -> dict[str, Any]:
        """What was lost with workers and where it went, the newest first, and how soon that was
        seen and its work had moved."""
        return dict(self._request("GET", "losses", params={"limit": limit}))

    def foreign_workers(self) -> list[dict[str, Any]]:
        """The workers of orchestrators that swarm watches: schedulers, daemons, pool workers."""
        return list(self._request("GET", "foreign-workers"))

    def slas(self) -> list[dict[str, Any]]:
        """How the SLAs stand, with the probability that each is missed and what decides that."""
        return list(self._request("GET", "slas"))

    def plan(self) -> dict[str, Any]:
        """The newest plan of the fleet: candidates, what was chosen, and why."""
        return dict(self._request("GET", "plan"))

    def scaling(self) -> Iterator[dict[str, Any]]:
        """What was done about the fleet and why, newest first."""
        return self._pages("scale", {})

    def decisions(self, *, every: bool = False) -> list[dict[str, Any]]:
        """What is held now and why; with `every` the last decision about each pipeline."""
        return list(self._request("GET", "decisions", params={"every": every}))

    def hold(self, pipeline: str, *, by: str, for_s: float = 3_600.0) -> dict[str, Any]:
        """Hold a pipeline, whatever its mode, until it is released or the time is over."""
        body = {"pipeline": pipeline, "by": by, "for_s": for_s}
        return dict(self._request("POST", "decisions/hold", body))

    def release(self, pipeline: str, *, by: str) -> dict[str, Any]:
        """Let a pipeline go on; it is not held again for the same planned start."""
        return dict(self._request("POST", "decisions/release", {"pipeline": pipeline, "by": by}))

    def durations(self) -> list[dict[str, Any]]:
        """How long the good runs of each pipeline took: `p50_s`, `p90_s`, of how many `runs`."""
        return list(self._request("GET", "durations"))

    def simulate(self, **changes: Any) -> dict[str, Any]:
        """The day ahead as it usually goes and with something changed: `late=[...]`, `slots={...}`,
        `losses=[...]`, `backfills=[...]`, `added=[...]` as the API's schema has them."""
        return dict(self._request("POST", "simulate", changes))

    def runs(
        self, *, since_s: float | None = None, newest: bool = False
    ) -> Iterator[dict[str, Any]]:
        """The runs of all pipelines that began at `since_s` (seconds since the epoch) or later,
        newest first; only the `newest` of each."""
        return self._pages("runs", {"since_s": since_s, "newest": newest})

    def events(self, after: int | None = None) -> Iterator[dict[str, Any]]:
        """What happens, as it happens, from now on or after the event of number `after`; it never
        ends. Raises `ApiError` (410) where what follows `after` is no longer kept."""
        place = after
        while True:
            heard = False
            headers = {} if place is None else {"Last-Event-ID": str(place)}
            try:
                with self._http.stream("GET", "events", headers=headers) as answer:
                    if not answer.is_success:
                        answer.read()
                        raise self._refusal(answer)
                    for name, text in _fields(answer.iter_lines()):
                        heard = True
                        if name == "id":
                            place = int(text)
                        elif name == "event" and text == "resync":
                            raise ApiError(
                                410, "trimmed", "events in between are not kept any more"
                            )
                        elif name == "data":
                            yield json.loads(text)
            except httpx.TransportError as error:
                raise Unreachable(f"{self._url} does not answer: {error}") from None
            if not heard:  # a proxy that cuts at once
                time.sleep(_RETRY_S)

    def openapi(self) -> dict[str, Any]:
        """The API's own description (OpenAPI 3.1)."""
        return dict(self._request("GET", "openapi.json"))

    def ahead(self) -> list[dict[str, Any]]:
        """When each pipeline is yet to be done, today and on the next day: `p50_s`, `p90_s`."""
        return list(self._request("GET", "ahead"))

    def links(self) -> list[dict[str, Any]]:
        """Which pipelines start by what others make, and what each waits for."""
        return list(self._request("GET", "links"))

    def link(self, upstreams: Sequence[str], downstream: str, *, by: str, **how: Any) -> None:
        """Have `downstream` start when `upstreams` (`orchestrator/name` each) have succeeded, in
        place of the link it may have. `how` is `every`, `per`, `timezone`, `shift_s`, `holidays`,
        as in the settings."""
        body = {"upstreams": list(upstreams), "downstream": downstream, "by": by, **how}
        self._request("POST", "links", body)

    def unlink(self, downstream: str, *, by: str) -> None:
        """Take a pipeline's link away."""
        self._request("POST", "links/remove", {"downstream": downstream, "by": by})

    def offered_slas(self) -> list[dict[str, Any]]:
        """Deadlines that pipelines keep without having promised them, best first."""
        return list(self._request("GET", "slas/offered"))

    def accept_sla(
        self, pipeline: str, *, by: str, at: str | None = None, **terms: Any
    ) -> dict[str, Any]:
        """Promise what is offered of a pipeline or, with `at` ("07:30"), another time of day;
        `terms` are `timezone`, `days` and `value`, as in the settings. Returns the SLA."""
        said = {"at": at, **terms}
        told = {name: value for name, value in said.items() if value is not None}
        return dict(self._request("POST", "slas", {"pipeline": pipeline, "by": by, **told}))

    def decline_sla(self, pipeline: str, *, by: str) -> None:
        """Have no SLA of a pipeline offered, and end the one that was accepted."""
        self._request("POST", "slas/decline", {"pipeline": pipeline, "by": by})

    def sla_score(self) -> dict[str, Any]:
        """How right the warnings of SLAs were, by week and by SLA."""
        return dict(self._request("GET", "slas/score"))

    def replay(self, days: int = 30, price_usd_per_h: float | None = None) -> dict[str, Any]:
        """The last days twice, without and with swarm: what would not have gone wrong."""
        asked = {"days": days, "price_usd_per_h": price_usd_per_h}
        params = {name: value for name, value in asked.items() if value is not None}
        return dict(self._request("GET", "replay", params=params))

    def cost(
        self,
        by: str = "pipeline",
        days: int = 7,
        *,
        from_s: float | None = None,
        until_s: float | None = None,
        limit: int = 1_000,
    ) -> dict[str, Any]:
        """What the nodes under swarm's workers cost, by `pipeline`, `team`, `day` or `run`."""
        asked = {"by": by, "days": days, "from_s": from_s, "until_s": until_s, "limit": limit}
        params = {name: value for name, value in asked.items() if value is not None}
        return dict(self._request("GET", "cost", params=params))

    def keep_agents(
        self, path: str, count: int = 1, *, memory_bytes: int = 0, cwd: str = ""
    ) -> None:
        """Keep `count` agents of the class at `path` (`package.module:Class`) alive; 0 ends them.
        Over `memory_bytes` (0: any) one dies, and its items go to the others."""
        body = {"path": path, "count": count, "memory_bytes": memory_bytes, "cwd": cwd}
        self._request("POST", "agents", body)

    def drain(self, worker: str) -> None:
        """Give a worker no new tasks; what it runs goes on to its end."""
        self._request("POST", f"workers/{quote(worker, safe='')}/drain")

    def keys(self) -> list[dict[str, Any]]:
        """All API keys, without their secrets."""
        return list(self._request("GET", "keys"))

    def create_key(
        self, name: str, roles: Sequence[str], *, life_s: float | None = None
    ) -> dict[str, Any]:
        """Make an API key; `key` is its text, which no other answer has."""
        body = {"name": name, "roles": list(roles)}
        life = {} if life_s is None else {"life_s": life_s}
        return dict(self._request("POST", "keys", body | life))

    def rotate_key(self, key: str, *, overlap_s: float | None = None) -> dict[str, Any]:
        """Make a key like an old one, which goes on to open for `overlap_s`, a day if not said."""
        body = {} if overlap_s is None else {"overlap_s": overlap_s}
        return dict(self._request("POST", f"keys/{quote(key, safe='')}/rotate", body))

    def revoke_key(self, key: str) -> None:
        """End a key at once."""
        self._request("POST", f"keys/{quote(key, safe='')}/revoke")

    def audit(self) -> Iterator[dict[str, Any]]:
        """Who changed what over HTTP, newest first."""
        return self._pages("audit", {})

    def verify_audit(self) -> list[dict[str, Any]]:
        """The chain of changes of each stream: how many `rows` fit, and what is `wrong`."""
        return list(self._request("GET", "audit/verify"))

    def _pages(self, path: str, asked: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        params = {key: value for key, value in asked.items() if value is not None}
        while True:
            page = self._request("GET", path, params=params)
            yield from page["items"]
            if page["next_cursor"] is None:
                return
            params["cursor"] = page["next_cursor"]

    def _request(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Any:
        return self._send(method, path, body, params, headers).json()

    def _send(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        params: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx.Response:
        try:
            answer = self._http.request(method, path, json=body, params=params, headers=headers)
        except httpx.TransportError as error:
            raise Unreachable(f"{self._url} does not answer: {error}") from None
        if answer.is_success:
            return answer
        raise self._refusal(answer)

    def _refusal(self, answer: httpx.Response) -> ApiError:
        """What an answer refuses, in its own words."""
        try:
            problem = answer.json()
            return ApiError(answer.status_code, problem["code"], problem["detail"])
        except (ValueError, KeyError):
            return ApiError(answer.status_code, "not-swarm", f"{self._url}: {answer.text[:200]}")


def _fields(lines: Iterator[str]) -> Iterator[tuple[str, str]]:
    """The fields of server-sent events; comments, which are signs of life, are none."""
    for line in lines:
        name, colon, text = line.partition(":")
        if name and colon:
            yield name, text.removeprefix(" ")
