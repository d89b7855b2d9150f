"""A collector is told how what enters goes on: real actors in this process, OTLP over HTTP."""

import gzip
import sys

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from swarm.actors.projector import ProjectorActor
from swarm.actors.tracer import TracerActor
from swarm.api.deps import CAUSE_HEADER
from swarm.clock import SystemClock
from swarm.config import Settings, Telemetry
from swarm.errors import ConfigError, Unavailable
from swarm.traces.otlp import Collector
from swarm.traces.spans import Span
from tests.actors.places import a_dispatcher, a_worker
from tests.integration.alerts.receivers import an_http_receiver
from tests.integration.here import an_actor, until
from tests.unit.api.conftest import client_of, local_deps

A_SPAN = Span("1" * 32, "2" * 16, "", "pass", 1.0, 2.0, {})


def read(body):
    return ExportTraceServiceRequest.FromString(gzip.decompress(body))


@pytest.fixture
def collector():
    with an_http_receiver(read=read) as running:
        yield running


def spans(collector):
    """By trace."""
    found = {}
    for taken in collector.taken:
        for resource in taken.told.resource_spans:
            for scope in resource.scope_spans:
                for one in scope.spans:
                    found.setdefault(one.trace_id.hex(), []).append(one)
    return found


def here(collector, **more):
    return {"traces_url": f"http://127.0.0.1:{collector.port}/v1/traces", **more}


async def test_one_trace_from_the_request_to_the_end_of_the_program(tmp_path, collector):
    collector.refusals = [503]
    (tmp_path / "token").write_text("sesame\n")
    told = here(collector, traces_token_file=tmp_path / "token")
    settings = Settings.model_validate({"state_dir": tmp_path / "state", "telemetry": told})
    deps = local_deps(settings, SystemClock())  # first: each stream has one writer
    async with a_dispatcher(settings.state_dir) as dispatcher:
        deps.dispatch = dispatcher
        async with (
            an_actor(ProjectorActor, settings),
            an_actor(TracerActor, settings),
            client_of(deps) as http,
            a_worker(dispatcher, tmp_path),
        ):
            argv = [sys.executable, "-c", "pass"]
            answer = await http.post("tasks", json={"tasks": [{"team": "data", "argv": argv}]})
            said = answer.headers[CAUSE_HEADER]
            await until(lambda: names(spans(collector).get(said, [])) >= WHOLE)
    whole = spans(collector)[said]
    assert names(whole) == WHOLE
    assert len({one.span_id for one in whole}) == len(whole) == 5
    known = {one.span_id for one in whole} | {b""}
    assert all(one.parent_span_id in known for one in whole), "no end of it hangs in the air"
    assert all(one.start_time_unix_nano <= one.end_time_unix_nano for one in whole)
    causes = {a.value.string_value for one in whole for a in one.attributes if a.key == CAUSE}
    assert causes == {said}
    assert collector.refused == 1
    assert {taken.headers["Authorization"] for taken in collector.taken} == {"Bearer sesame"}
    assert {taken.path for taken in collector.taken} == {"/v1/traces"}


CAUSE = "swarm.cause_id"
WHOLE = {"POST /tasks", "journal dispatch", "task", "wait", "run"}


def names(of):
    return {one.name for one in of}


def test_what_a_collector_does_not_want_is_not_sent_again_all_else_is(collector):
    line = Collector(Telemetry(**here(collector)))
    collector.refusals = [400, 401, 500, 307]
    assert "400" in line.tell([A_SPAN])
    for _ in range(3):
        with pytest.raises(Unavailable, match=r"40|50|30"):
            line.tell([A_SPAN])
    assert collector.taken == [], "a redirect is not followed"
    assert line.tell([A_SPAN]) == ""
    assert list(spans(collector)) == ["1" * 32]
    line.close()


@pytest.mark.parametrize("host", ["169.254.169.254", "[fe80::1]", "100.100.100.200", "0.0.0.0"])
def test_metadata_is_never_asked(host):
    with pytest.raises(ConfigError, match=r"telemetry\.traces_url"):
        Collector(Telemetry(traces_url=f"http://{host}/v1/traces"))


def test_a_token_that_cannot_be_read_names_its_setting(collector, tmp_path):
    settings = Telemetry(**here(collector, traces_token_file=str(tmp_path / "none")))
    with pytest.raises(ConfigError, match=r"telemetry\.traces_token_file"):
        Collector(settings)


def test_a_token_whose_file_was_replaced_is_taken(collector, tmp_path):
    (tmp_path / "token").write_text("old")
    line = Collector(Telemetry(**here(collector, traces_token_file=str(tmp_path / "token"))))
    line.tell([A_SPAN])
    (tmp_path / "token").write_text("new")
    line.tell([A_SPAN])
    (tmp_path / "token").unlink()
    with pytest.raises(Unavailable, match=r"telemetry\.traces_token_file"):
        line.tell([A_SPAN])
    line.close()
    assert [one.headers["Authorization"] for one in collector.taken] == ["Bearer old", "Bearer new"]


async def test_nobody_is_told_anything_of_what_was_before(tmp_path, collector):
    told = {"state_dir": tmp_path, "telemetry": here(collector)}
    settings = Settings.model_validate(told)
    deps = local_deps(settings, SystemClock())
    async with a_dispatcher(tmp_path) as dispatcher:
        deps.dispatch = dispatcher
        async with an_actor(ProjectorActor, settings), client_of(deps) as http:
            body = {"tasks": [{"team": "data", "argv": ["true"]}]}
            before = (await http.post("tasks", json=body)).headers[CAUSE_HEADER]
            await until(lambda: deps.projections.log.last() > 0)
            async with an_actor(TracerActor, settings):
                after = (await http.post("tasks", json=body)).headers[CAUSE_HEADER]
                await until(lambda: after in spans(collector))
    assert before not in spans(collector)
