"""What the routes are given, made by the composition root."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends, Header, Request, Response

from swarm.actors.entering import entered
from swarm.actors.ports import Dispatch, Graph, Outputs, Sequencer
from swarm.api.guard import CALLER
from swarm.api.kept import Kept
from swarm.api.keyring import Keyring
from swarm.api.oidc import Issuer
from swarm.api.read_model import ReadModel
from swarm.api.recent import Recent
from swarm.api.repeats import HEADER, KEY_MAX
from swarm.api.roles import ROOT, is_telling
from swarm.clock import Clock
from swarm.errors import Rejected, UnknownKey
from swarm.lineage.text import SqlContext
from swarm.model.access import Caller
from swarm.model.causes import asked_cause, told_cause
from swarm.model.keys import PipelineKey, TaskKey
from swarm.model.outputs import Output, Printed
from swarm.model.work import Token
from swarm.placement.prices import PriceBook
from swarm.store.audit import Audit
from swarm.store.keys import Keys
from swarm.store.projections import Projections
from swarm.store.trail import Standing

CAUSE_HEADER = "Swarm-Cause"  # of an answer: the ID of all that follows from the request


@dataclass(slots=True)
class Deps:
    """`token` may do everything, those of `tokens` what their roles say, `keys` are those that were
    made here, `audit` is who changed what, kept for `audit_kept_s` (0: for ever).
    `lineage_namespaces` maps the job namespace of OpenLineage events to an orchestrator,
    `sql_context` tells where the SQL of a task runs, `output` what a task printed under a grant,
    from a byte on, at most so many, `result` what a call returned, as JSON text. `standing` tells
    which streams stand still before a record, `quarantine` sets one aside: stream, number, by
    whom, why, the cause. `pass_key`: what passes are made with; empty: there are none. `prices`:
    what nodes cost, now and with the spot market of these pools, and why some of it is missing.
    `plans`: the fleet is planned for.
    `news` is set, and a new one put in its place, when `model` and `recent` have moved;
    `listeners` is how many follow them."""

    token: str
    graph: Graph
    dispatch: Dispatch
    outputs: Outputs
    sequencer: Sequencer
    projections: Projections
    clock: Clock
    tokens: Mapping[str, Caller] = field(default_factory=dict)
    keys: Keys | None = None
    audit: Audit | None = None
    issuer: Issuer | None = None
    lineage_namespaces: Mapping[str, str] = field(default_factory=dict)
    sql_context: Callable[[TaskKey], SqlContext] = lambda _: SqlContext()
    output: Callable[[Output, int, int], Printed] = lambda *_: Printed()
    result: Callable[[Token], str | None] = lambda _: None
    standing: Callable[[], Iterable[Standing]] = lambda: ()
    quarantine: Callable[[str, int, str, str, str], None] = lambda *_: None
    pass_key: bytes = b""
    requests_per_s: float = 500.0
    prices: Callable[[float, frozenset[str]], tuple[PriceBook, tuple[str, ...]]] = lambda *_: (
        PriceBook(),
        (),
    )
    min_confidence: float = 0.5
    audit_kept_s: float = 0.0
    plans: bool = True
    team_weights: Mapping[str, float] = field(default_factory=dict)
    model: ReadModel = field(default_factory=ReadModel)
    recent: Recent = field(default_factory=Recent)
    news: asyncio.Event = field(default_factory=asyncio.Event)
    listeners: int = 0
    keyring: Keyring = field(init=False)
    kept: Kept = field(init=False)

    def __post_init__(self) -> None:
        self.keyring = Keyring(self.keys, self.clock, self.audit_kept_s, self.pass_key)
        self.kept = Kept(self.clock)


# Coroutines, though they wait for nothing: FastAPI calls a plain function in a thread.
async def _of(request: Request) -> Deps:
    deps: Deps = request.app.state.deps
    return deps


async def _who(request: Request) -> Caller:
    caller: Caller = request.scope[CALLER]
    return caller


Given = Annotated[Deps, Depends(_of)]
Who = Annotated[Caller, Depends(_who)]
# Under which a route makes what has its identity from it.
Once = Annotated[str | None, Header(alias=HEADER, max_length=KEY_MAX)]


async def _cause(request: Request, response: Response, deps: Given, who: Who) -> str:
    path = request.url.path.removeprefix(ROOT)
    id_ = entered(deps.clock.now_s())
    response.headers[CAUSE_HEADER] = id_
    about = (who.name, f"{request.method} {path}", id_)
    told = is_telling(request.method, path)
    return told_cause(*about) if told else asked_cause(*about)


# What the records that follow from a request are kept with; who asks for a change is audited by it.
Cause = Annotated[str, Depends(_cause)]


def whole_pipeline(deps: Deps, name: str) -> PipelineKey:
    """Where that name leads, which must not be a task, and be listed by an orchestrator."""
    found = deps.model.find(name)
    if not isinstance(found, PipelineKey):
        raise Rejected(f"`{name}` is a task; name a whole pipeline")
    if found not in deps.model.graph.pipelines:
        raise UnknownKey(f"Only data tells of {found}: no orchestrator that is read lists it.")
    return found
