"""`create_app(deps)`: the HTTP API as a FastAPI app. It knows no Ray and opens nothing itself."""

import asyncio
import contextlib
import functools
import json
from collections.abc import AsyncIterator
from typing import Any

import structlog
from fastapi import FastAPI, Request, Response

from swarm import __version__
from swarm.api import pages, passes, problems
from swarm.api.deps import Deps
from swarm.api.doors import Doors
from swarm.api.examples import with_examples
from swarm.api.guard import Guard
from swarm.api.limits import Limits
from swarm.api.read_model import ReadModel
from swarm.api.repeats import Repeats
from swarm.api.roles import ROOT
from swarm.api.routes import (
    agents,
    audit,
    cost,
    decisions,
    events,
    findings,
    foreign,
    graph,
    health,
    ingest,
    keys,
    links,
    losses,
    offers,
    outside,
    owned,
    profile,
    replay,
    runs,
    scaling,
    simulate,
    slas,
    tasks,
    told,
)
from swarm.api.tags import Tagged
from swarm.api.unmoved import Unmoved
from swarm.errors import StoreError, Trimmed
from swarm.model.access import Caller, Role

_WAIT_S = 0.1
_RETRY_S = 1.0
_BATCH = 1_000

log = structlog.get_logger()


def create_app(deps: Deps) -> FastAPI:
    """Build the app; while it lives, a task keeps its read model up to date."""

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        follower = asyncio.create_task(_follow(deps))
        yield
        follower.cancel()

    app = FastAPI(
        title="swarm",
        version=__version__,
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,  # its own route makes the text anew each time
    )
    app.state.deps = deps
    app.add_middleware(Tagged, unmoved=Unmoved(lambda: deps.model, deps.clock.monotonic_s))
    app.add_middleware(Repeats, monotonic_s=deps.clock.monotonic_s)
    admin = Caller("token", frozenset({Role.ADMIN}))

    async def passed(text: str) -> Caller:
        return await passes.caller_of(deps.pass_key, text, deps.model, deps.projections)

    doors = Doors({**deps.tokens, deps.token: admin}, deps.keyring, deps.issuer, passed)
    limits = Limits(deps.requests_per_s, deps.clock.monotonic_s)
    app.add_middleware(Guard, doors=doors, limits=limits)
    problems.install(app)
    # `/tasks/changes` comes before `/tasks/{task}`.
    for routes in (
        health,
        graph,
        findings,
        told,
        ingest,
        foreign,
        owned,
        tasks,
        losses,
        agents,
        outside,
        slas,
        offers,
        decisions,
        simulate,
        links,
        replay,
        cost,
        runs,
        profile,
        scaling,
        events,
        keys,
        audit,
    ):
        # `include_router` would look through each router twice in every request.
        app.router.routes.extend(routes.router.routes)
    _describe(app)
    pages.install(app)
    return app


def _describe(app: FastAPI) -> None:
    """Make the description, and its text, when it is first asked for."""
    plain = app.openapi

    @functools.cache
    def openapi() -> dict[str, Any]:
        return with_examples(plain())

    @functools.cache
    def text() -> bytes:
        return json.dumps(openapi(), separators=(",", ":")).encode()

    async def give(_: Request) -> Response:
        return Response(text(), media_type="application/json")

    app.openapi = openapi  # type: ignore[method-assign]
    app.add_route(f"{ROOT}/openapi.json", give, include_in_schema=False)


async def _follow(deps: Deps) -> None:
    """Keep the read model at the end of the log; where the log is cut, begin with the snapshot."""
    await _load(deps)
    while True:
        try:
            entries = await asyncio.to_thread(deps.projections.log.read, deps.model.seq, _BATCH)
        except Trimmed:
            await _load(deps)
            continue
        except StoreError as error:
            log.warning("projections cannot be read", error=str(error))
            await asyncio.sleep(_RETRY_S)
            continue
        try:
            for seq, entry in entries:
                deps.model.follow(seq, entry)
                deps.recent.add(seq, entry)
        except (AssertionError, LookupError) as fault:  # its writer stands still there, and says so
            log.error("a record contradicts what is known", fault=repr(fault))
            await _load(deps)
        if entries:
            deps.news.set()
            deps.news = asyncio.Event()
        else:
            deps.model.caught_up = True
            await asyncio.to_thread(deps.projections.log.moved, _WAIT_S)


async def _load(deps: Deps) -> None:
    deps.model = await asyncio.to_thread(ReadModel.load, deps.projections)
    deps.recent.restart(deps.model.seq)
