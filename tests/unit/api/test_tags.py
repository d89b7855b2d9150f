"""What a client has already is not sent again; what has changed always is."""

import pytest

from swarm.api.read_model import ReadModel
from swarm.model.graph import PipelineSeen
from swarm.model.journal import Entry
from swarm.model.keys import PipelineKey
from swarm.model.pipelines import Pipeline


def pipeline(name):
    return Pipeline(PipelineKey("airflow", name))


async def asked(api, path, tag=None):
    return await api.http.get(path, headers={"If-None-Match": tag} if tag else {})


@pytest.mark.parametrize("path", ["graph", "pipelines", "runs", "status", "slas"])
async def test_an_answer_that_is_as_it_was_is_not_sent_again(api, path) -> None:
    await api.offer(pipeline("a"))
    first = await asked(api, path)
    tag = first.headers["etag"]
    for known in (tag, f'"other", W/{tag}'):
        again = await asked(api, path, known)
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == tag
    assert (await asked(api, path, '"other"')).json() == first.json()


async def test_replicas_give_the_same_answer_the_same_tag(api) -> None:
    await api.offer(pipeline("a"))
    tag = (await asked(api, "graph")).headers["etag"]
    api.deps.model = ReadModel.load(api.deps.projections)
    assert (await asked(api, "graph", tag)).status_code == 304


async def test_the_graph_is_told_anew_when_it_moves(api) -> None:
    await api.offer(pipeline("a"))
    tag = (await asked(api, "graph")).headers["etag"]
    assert (await asked(api, "graph?min_confidence=1")).json()["pipelines"]["name"] == ["a"]
    entry = Entry("graph", 0, 1.0, "cause", PipelineSeen(pipeline("b")))
    api.deps.model.follow(api.deps.model.seq + 1, entry)
    assert (await asked(api, "graph", tag)).json()["pipelines"]["name"] == ["a", "b"]
    told = (await asked(api, "graph?min_confidence=1")).json()
    assert told["pipelines"]["name"] == ["a", "b"]


async def test_only_a_few_graphs_are_kept_as_text(api) -> None:
    await api.offer(pipeline("a"))
    for percent in range(20):
        assert (await asked(api, f"graph?min_confidence={percent / 100}")).status_code == 200
    assert len(api.deps.model._drawn) < 10


@pytest.mark.parametrize("path", ["nowhere", "impact?name=nobody", "events?after=x"])
async def test_what_is_refused_is_said_each_time(api, path) -> None:
    first = await asked(api, path)
    assert first.status_code >= 400
    assert "etag" not in first.headers
    assert (await asked(api, path, "*")).status_code == first.status_code
