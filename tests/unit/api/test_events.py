"""Who listens hears everything once, in order, across cuts; a slow one costs nobody anything."""

import asyncio
import json
from contextlib import asynccontextmanager

import pytest

from swarm.api import stream
from swarm.api.app import create_app
from swarm.api.news import block, news_of
from swarm.api.recent import Recent
from swarm.errors import Trimmed
from swarm.model.connectors import Batch, CursorMoved
from swarm.model.graph import PipelineSeen
from swarm.model.journal import Entry
from swarm.model.keys import PipelineKey
from swarm.model.pipelines import Pipeline
from swarm.model.sequencing import SlaAccepted, SlaDeclined
from swarm.model.sla import Sla
from swarm.store.follow import Follower
from swarm.store.journal import open_journal
from swarm.store.projector import open_projector

PATH = "/api/v1/events"


class Listener:
    """One stream, read as it comes; `take` blocks the app's sending until it is called."""

    def __init__(self, app, query="", **headers) -> None:
        self._messages: asyncio.Queue = asyncio.Queue(1)
        self._left = asyncio.Event()
        headers = {"authorization": "Bearer token"} | headers
        scope = {"type": "http", "method": "GET", "path": PATH, "query_string": query.encode()}
        scope["headers"] = [(k.encode(), v.encode()) for k, v in headers.items()]
        self._asked = False
        self.task = asyncio.create_task(app(scope, self._receive, self._messages.put))

    async def _receive(self):
        if not self._asked:
            self._asked = True
            return {"type": "http.request", "body": b"", "more_body": False}
        await self._left.wait()
        return {"type": "http.disconnect"}

    async def take(self):
        async with asyncio.timeout(20):
            return await self._messages.get()

    async def begin(self):
        """The status, and the first block."""
        status = (await self.take())["status"]
        return status, (await self.take())["body"].decode()

    async def hears(self, count):
        """The next `count` events as (id, kind, data)."""
        told = []
        while len(told) < count:
            told += events_in((await self.take())["body"].decode())
        return told

    async def leave(self):
        self._left.set()
        await self.task


def events_in(text):
    fields = [dict(line.split(": ", 1) for line in one.split("\n")) for one in text.split("\n\n")
              if "data: " in one]  # fmt: skip
    return [(int(one.get("id", 0)), one["event"], json.loads(one["data"])) for one in fields]


def pipeline(name):
    return Pipeline(PipelineKey("airflow", name))


@asynccontextmanager
async def following(api):
    """The app with its follower at work, and the projector's step by hand."""
    app = create_app(api.deps)
    async with app.router.lifespan_context(app):
        yield app


def project(api):
    folder = api.settings.state_dir
    Follower(open_journal("", folder), open_projector("", folder)).catch_up()


async def happen(api, *names):
    for name in names:
        await api.deps.graph.offer(Batch("test", "", (pipeline(name),)), "cause")
    await asyncio.to_thread(project, api)


async def followed(api):
    """Return when the follower has read all there is."""
    last = await asyncio.to_thread(api.deps.projections.log.last)
    async with asyncio.timeout(20):
        while api.deps.model.seq < last:
            await api.deps.news.wait()


async def test_what_happens_is_heard_and_a_cut_leaves_no_gap(api) -> None:
    async with following(api) as app:
        await happen(api, "before")
        await followed(api)
        first = Listener(app)
        status, opening = await first.begin()
        assert (status, opening.split("\n")[0]) == (200, "retry: 1000")
        await happen(api, "a")
        [(seq, kind, data)] = await first.hears(1)
        assert (kind, data["about"], data["seq"]) == ("pipeline", ["airflow/a"], seq)
        assert (data["what"], data["text"]) == ("pipeline_seen", "airflow/a is new or changed")
        await first.leave()
        await happen(api, "b", "c")
        again = Listener(app, **{"last-event-id": str(seq)})
        await again.begin()
        assert [data["about"] for _, _, data in await again.hears(2)] == [
            ["airflow/b"],
            ["airflow/c"],
        ]
        await again.leave()
        assert api.deps.listeners == 0


async def test_what_is_older_than_memory_comes_from_the_log(api) -> None:
    await happen(api, *(f"p{at}" for at in range(5)))
    async with following(api) as app:
        listener = Listener(app, query="after=0")
        await listener.begin()
        heard = [data["about"][0] for _, _, data in await listener.hears(5)]
        assert heard == [f"airflow/p{at}" for at in range(5)]
        await happen(api, "last")
        assert (await listener.hears(1))[0][2]["about"] == ["airflow/last"]
        await listener.leave()


async def test_a_place_that_is_not_in_the_log_is_gone(api) -> None:
    app = create_app(api.deps)
    gone = Listener(app, query="after=1000000")
    status, body = await gone.begin()
    assert (status, json.loads(body)["code"]) == (410, "trimmed")
    refused = Listener(app, **{"last-event-id": "x"})
    assert (await refused.begin())[0] == 400
    for one in (gone, refused):
        await one.leave()


async def test_a_stream_whose_place_is_lost_under_way_says_so(api, monkeypatch) -> None:
    def trimmed(after, limit):
        raise Trimmed("cut")

    app = create_app(api.deps)
    listener = Listener(app)
    assert (await listener.begin())[0] == 200
    monkeypatch.setattr(api.deps.projections.log, "read", trimmed)
    api.deps.model.seq += 1
    api.deps.news.set()
    assert [kind for _, kind, _ in await listener.hears(1)] == ["resync"]
    assert (await listener.take())["more_body"] is False
    await listener.task


async def test_a_stream_ends_after_so_much_and_goes_on_where_it_was(api, monkeypatch) -> None:
    monkeypatch.setattr(stream, "_AT_ONCE", 1)
    monkeypatch.setattr(stream, "_MOST_BYTES", 1)
    await happen(api, "a", "b")
    async with following(api) as app:
        place, heard = 0, []
        while len(heard) < 2:
            listener = Listener(app, query=f"after={place}")
            await listener.begin()
            [(place, _, data)] = await listener.hears(1)
            heard += data["about"]
            assert (await listener.take())["more_body"] is False
            await listener.task
        assert heard == ["airflow/a", "airflow/b"]


async def test_a_listener_that_takes_nothing_is_cut_off(api) -> None:
    never = asyncio.Event()

    async def receive():
        await never.wait()

    async def send(message):
        await never.wait()

    slow = stream.EventStream(api.deps, 0, take_s=0.01)
    async with asyncio.timeout(20):
        await slow.stream_response(send)
    assert api.deps.listeners == 0


async def test_there_are_only_so_many_listeners(api) -> None:
    api.deps.listeners = stream.LISTENERS_MAX
    refused = Listener(create_app(api.deps))
    status, body = await refused.begin()
    assert (status, json.loads(body)["code"]) == (429, "overloaded")
    await refused.leave()


def test_the_newest_are_kept_and_none_is_left_out() -> None:
    recent = Recent()
    recent.restart(10)
    for seq in range(11, 9_011):
        record = CursorMoved("airflow", "") if seq % 2 else PipelineSeen(pipeline(f"p{seq}"))
        recent.add(seq, Entry("graph", seq, 1.0, "", record))
    assert recent.ends == 9_010
    place, told = recent.begins, []
    while place < recent.ends:
        place, text = recent.after(place, 7)
        told += [seq for seq, _, _ in events_in(text.decode())]
    assert told == [seq for seq in range(recent.begins + 1, 9_011) if seq % 2 == 0]
    assert 2_000 <= len(told) < 4_000


def test_long_and_hostile_names_stay_one_event() -> None:
    name = "x\n\ndata: forged\r\u2028" + "y" * 1_000_000
    told = block(7, Entry("graph", 1, 5.0, "c", PipelineSeen(pipeline(name))))
    assert told.count(b"\n") == 4
    assert len(told) < 6_000
    assert events_in(told.decode())[0][0] == 7


def test_what_people_say_of_slas_is_told_with_who_said_it() -> None:
    sla = Sla(PipelineKey("airflow", "a"), 27_000.0)
    promised, declined = SlaAccepted(sla, "ann", 1.0), SlaDeclined(sla.pipeline, "bob", 2.0)
    news = [news_of(record) for record in (promised, declined)]
    assert [(one.kind, one.text) for one in news if one] == [
        ("sla", "ann promises airflow/a by 07:30 UTC"),
        ("sla", "bob wants no SLA of airflow/a"),
    ]


@pytest.mark.parametrize("record", [CursorMoved("airflow", "3")])
def test_what_only_engines_need_is_no_news(record) -> None:
    assert news_of(record) is None
    assert block(1, Entry("connector", 1, 0.0, "", record)) == b""
