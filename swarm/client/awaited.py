"""`AsyncClient`: a connection to a running swarm for programs on asyncio."""

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Concatenate, ParamSpec, Self, TypeAlias, TypeVar

import httpx2 as httpx

from swarm.client import calls, hearing, running
from swarm.client.call import Answer, Call, Pages, Request
from swarm.client.http import answered, broken, broken_stream, headed, listening, root, within
from swarm.client.place import found, local
from swarm.client.signature import as_method
from swarm.client.steps import (
    Broken,
    Effect,
    Given,
    Listen,
    Now,
    Parts,
    Patience,
    Pause,
    Steps,
    Take,
    sent,
    walked,
)

P = ParamSpec("P")
T = TypeVar("T")
Told: TypeAlias = AsyncGenerator[T, None]


def _asks(make: Callable[P, Call[T]]) -> Callable[Concatenate["AsyncClient", P], Awaitable[T]]:
    def method(client: "AsyncClient", /, *args: P.args, **kwargs: P.kwargs) -> Awaitable[T]:
        return client._run(sent(make(*args, **kwargs), client.patience))

    return as_method(method, make)


def _lists(
    make: Callable[P, Pages[T]],
) -> Callable[Concatenate["AsyncClient", P], Told[T]]:
    def method(client: "AsyncClient", /, *args: P.args, **kwargs: P.kwargs) -> Told[T]:
        return client._walk(walked(client.patience, make(*args, **kwargs)))

    return as_method(method, make)


def _does(
    make: Callable[Concatenate[Patience, P], Steps[T]],
) -> Callable[Concatenate["AsyncClient", P], Awaitable[T]]:
    def method(client: "AsyncClient", /, *args: P.args, **kwargs: P.kwargs) -> Awaitable[T]:
        return client._run(make(client.patience, *args, **kwargs))

    return as_method(method, make)


def _hears(
    make: Callable[Concatenate[Patience, P], Parts[T]],
) -> Callable[Concatenate["AsyncClient", P], Told[T]]:
    def method(client: "AsyncClient", /, *args: P.args, **kwargs: P.kwargs) -> Told[T]:
        return client._walk(make(client.patience, *args, **kwargs))

    return as_method(method, make)


class AsyncClient:
    """`Client` for asyncio: the same methods, to be awaited or iterated over with `async for`.

    >>> async with AsyncClient() as swarm:
    ...     async for edge in swarm.dependencies(declared=False):
    ...         print(edge["upstream"], "->", edge["downstream"], edge["confidence"])

    Who leaves `events()` or `follow()` early closes it: `async with contextlib.aclosing(...)`.
    """

    def __init__(
        self,
        url: str | None = None,
        token: str | None = None,
        *,
        timeout_s: float = 30.0,
        retry_for_s: float = 30.0,
    ) -> None:
        url, token = found() if url is None else (url, token or "")
        self.url = url.rstrip("/")
        self.patience = Patience(retry_for_s)
        self._http = httpx.AsyncClient(**root(self.url, token, timeout_s))
        self._listening = listening(timeout_s)

    @classmethod
    def local(cls, state_dir: Path, timeout_s: float = 30.0, retry_for_s: float = 30.0) -> Self:
        """Connect to the swarm that `swarm up` started with this state folder."""
        return cls(*local(state_dir), timeout_s=timeout_s, retry_for_s=retry_for_s)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Let the connections go."""
        await self._http.aclose()

    status = _asks(calls.health.status)
    ready = _does(calls.health.ready)
    unresolved = _asks(calls.health.unresolved)
    quarantine = _asks(calls.health.quarantine)
    openapi = _asks(calls.health.openapi)
    events = _hears(hearing.events)

    pipelines = _lists(calls.graph.pipelines)
    datasets = _lists(calls.graph.datasets)
    dependencies = _lists(calls.graph.dependencies)
    runs = _lists(calls.graph.runs)
    graph = _asks(calls.graph.graph)
    impact = _asks(calls.graph.impact)
    upstream = _asks(calls.graph.upstream)
    between = _asks(calls.graph.between)
    dependencies_diff = _asks(calls.graph.dependencies_diff)
    explain = _asks(calls.explained.explain)
    questions = _asks(calls.graph.questions)
    judge = _asks(calls.graph.judge)

    facets = _lists(calls.told.facets)
    columns = _lists(calls.told.columns)
    send_lineage = _asks(calls.told.send_lineage)
    push = _asks(calls.told.push)

    findings = _lists(calls.findings.findings)
    findings_score = _asks(calls.findings.findings_score)
    rate = _asks(calls.findings.rate)
    mute = _asks(calls.findings.mute)
    unmute = _asks(calls.findings.unmute)
    foreign_workers = _asks(calls.findings.foreign_workers)

    submit = _does(running.submit)
    wait = _does(running.wait)
    wait_all = _does(running.wait_all)
    follow = _hears(running.follow)
    output = _does(running.output)
    output_part = _asks(calls.tasks.output_part)
    tasks = _lists(calls.tasks.tasks)
    task = _asks(calls.tasks.task)
    explain_task = _asks(calls.tasks.explain_task)
    cancel = _asks(calls.tasks.cancel)
    workers = _asks(calls.tasks.workers)
    drain = _asks(calls.tasks.drain)
    losses = _asks(calls.losses.losses)
    keep_agents = _asks(calls.tasks.keep_agents)

    slas = _asks(calls.slas.slas)
    sla_score = _asks(calls.slas.sla_score)
    offered_slas = _asks(calls.slas.offered_slas)
    accept_sla = _asks(calls.slas.accept_sla)
    decline_sla = _asks(calls.slas.decline_sla)

    decisions = _asks(calls.decisions.decisions)
    waited = _asks(calls.decisions.waited)
    held = _asks(calls.decisions.held)
    hold = _asks(calls.decisions.hold)
    release = _asks(calls.decisions.release)
    links = _asks(calls.decisions.links)
    link = _asks(calls.decisions.link)
    unlink = _asks(calls.decisions.unlink)

    durations = _asks(calls.ahead.durations)
    profile = _asks(calls.ahead.profile)
    ahead = _asks(calls.ahead.ahead)
    simulate = _asks(calls.ahead.simulate)
    replay = _asks(calls.ahead.replay)

    plan = _asks(calls.fleet.plan)
    scaling = _lists(calls.fleet.scaling)
    cost = _asks(calls.fleet.cost)
    cost_minutes = _asks(calls.fleet.cost_minutes)

    keys = _asks(calls.access.keys)
    create_key = _asks(calls.access.create_key)
    rotate_key = _asks(calls.access.rotate_key)
    revoke_key = _asks(calls.access.revoke_key)
    audit = _lists(calls.access.audit)
    verify_audit = _asks(calls.access.verify_audit)

    async def _run(self, steps: Steps[T]) -> T:
        """Carry out the steps; what they return."""
        came: Any = None
        while True:
            try:
                step = steps.send(came)
            except StopIteration as done:
                result: T = done.value
                return result
            came = await self._do(step)

    async def _walk(self, parts: Parts[T]) -> Told[T]:
        """Carry out the steps; what they give."""
        came: Any = None
        stream: httpx.Response | None = None
        chunks: AsyncIterator[bytes] | None = None
        try:
            while True:
                try:
                    step = parts.send(came)
                except StopIteration:
                    return
                came = None
                if isinstance(step, Given):
                    yield step.item
                elif isinstance(step, Listen):
                    if stream is not None:
                        await stream.aclose()
                    came, stream = await self._listen(step.request)
                    chunks = None if stream is None else stream.aiter_bytes()
                elif isinstance(step, Take):
                    try:
                        came = b"" if chunks is None else await anext(chunks, b"")
                    except httpx.RequestError as error:
                        came = broken_stream(self.url, error)
                else:
                    came = await self._do(step)
        finally:
            if stream is not None:
                await stream.aclose()

    async def _do(self, step: Effect) -> Answer | Broken | float | None:
        match step:
            case Pause(for_s):
                await asyncio.sleep(for_s)
                return None
            case Now():
                return time.monotonic()
            case Request():
                try:
                    return answered(await self._http.send(self._built(step)))
                except httpx.RequestError as error:
                    return broken(self.url, error)
        raise AssertionError(f"{step} is for listeners")

    async def _listen(self, request: Request) -> tuple[Answer | Broken, httpx.Response | None]:
        try:
            asked = self._built(request, self._listening)
            stream = await self._http.send(asked, stream=True)
            if stream.is_success:
                return headed(stream), stream
            await stream.aread()
            return answered(stream), None
        except httpx.RequestError as error:
            return broken(self.url, error), None

    def _built(self, request: Request, timeout: httpx.Timeout | None = None) -> httpx.Request:
        timeout = timeout or within(request.within_s, self._http.timeout)
        return self._http.build_request(
            request.method,
            request.path,
            params=request.params,
            headers=request.headers,
            content=request.content,
            timeout=timeout,
        )
