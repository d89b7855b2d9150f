"""What a user gets from `swarm up`: answers, a token on every route, and nothing lost by a kill."""

import contextlib
import ipaddress
import json
import os
import signal
import stat
import time

import httpx2 as httpx
import psutil
import pytest

from swarm.client import ApiError
from tests.e2e.conftest import cli

CHAIN = [
    ("crm_export", "finance_close", "dwh.orders"),
    ("finance_close", "board_deck", "fin.revenue"),
]


def eventually(look, timeout_s=180.0):
    """The first true answer of `look`; what is looked at keeps the machine for itself."""
    deadline_s = time.monotonic() + timeout_s
    while not (answer := look()):
        assert time.monotonic() < deadline_s, "did not happen in time"
        time.sleep(0.1)
    return answer


def living(processes):
    """Those that have not ended; one may be gone while it is looked at."""
    found = []
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def kill_all(processes):
    """Each at once; the end of one may be that of others."""
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.kill()


def add_line(swarm, **told):
    """To the manifest, whose reader never sees a part of it gone."""
    with (swarm.settings.parent / "tasks.jsonl").open("a") as manifest:
        manifest.write(json.dumps(told) + "\n")


def edges(swarm):
    return [
        (edge["upstream"]["pipeline"], edge["downstream"]["pipeline"], edge["dataset"])
        for edge in swarm.client.dependencies()
    ]


def complete(swarm):
    found = sorted((up, down, name.rpartition("/")[2]) for up, down, name in edges(swarm))
    return found == sorted(CHAIN)


def actor_process(swarm, name):
    """The process of an actor, which Ray titles after its class and, while one runs, its method."""

    def found():
        for process in psutil.Process(swarm.pid).children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                title = (process.cmdline() or [""])[0]
                if title.partition(".")[0] == f"ray::{name}":
                    return process
        return None

    return eventually(found)


def test_the_undeclared_dependency_is_found_and_the_declared_one_is_marked(swarm):
    eventually(lambda: complete(swarm))
    declared = {e["downstream"]["pipeline"]: e["declared"] for e in swarm.client.dependencies()}
    assert declared == {"finance_close": False, "board_deck": True}
    [edge] = swarm.client.dependencies(declared=False)
    assert {(line["access"], line["channel"]) for line in edge["evidence"]} == {
        ("write", "sql_source"),
        ("read", "sql_source"),
    }
    assert all(line["place"].endswith(".sql:1") for line in edge["evidence"])


def test_impact_and_upstream_follow_the_chain(swarm):
    eventually(lambda: complete(swarm))
    hits = swarm.client.impact("crm_export")["hits"]
    assert [(h["task"]["pipeline"], h["distance"], h["declared"]) for h in hits] == [
        ("finance_close", 1, False),
        ("board_deck", 2, True),
    ]
    hits = swarm.client.upstream("manifest/board_deck")["hits"]
    assert [h["task"]["pipeline"] for h in hits] == ["finance_close", "crm_export"]


def refused(method, url, headers):
    """The answer, once strangers from here may ask again: they may not try all routes at once."""
    while (answer := httpx.request(method, url, headers=headers, timeout=60)).status_code == 429:
        time.sleep(float(answer.headers["Retry-After"]))
    return answer


def test_every_route_wants_the_token(swarm):
    schema = httpx.get(
        f"{swarm.url}/api/v1/openapi.json",
        headers={"Authorization": f"Bearer {swarm.token}"},
        timeout=60,
    ).json()
    assert len(schema["paths"]) >= 10
    for path, operations in [*schema["paths"].items(), ("/api/v1/openapi.json", {"get": {}})]:
        for method in operations:
            for headers in ({}, {"Authorization": "Bearer wrong"}):
                answer = refused(method, swarm.url + path, headers)
                assert answer.status_code == 401, (method, path)
                assert answer.json()["code"] == "unauthorized"


def test_secrets_are_readable_by_their_owner_only(swarm):
    for name in ("token", "ray-token"):
        assert stat.S_IMODE((swarm.state / name).stat().st_mode) == 0o600


def test_ray_itself_wants_its_token(swarm):
    environ = psutil.Process(swarm.pid).children()[0].environ()
    assert environ["RAY_AUTH_MODE"] == "token"
    assert environ["RAY_AUTH_TOKEN_PATH"] == str(swarm.state / "ray-token")


def test_nobody_else_reaches_its_ports(swarm):
    """But one of Ray Serve, which wants Ray's token."""
    reached = set()
    for process in [psutil.Process(swarm.pid), *psutil.Process(swarm.pid).children(recursive=True)]:
        with contextlib.suppress(psutil.NoSuchProcess):  # it has just ended
            sockets, title = process.net_connections("tcp"), process.cmdline()[0]
            hosts = {one.laddr.ip for one in sockets if one.status == psutil.CONN_LISTEN}
            reached |= {(title.partition(":swarm-api")[0], host) for host in hosts}
    assert {title for title, host in reached if not is_here(host)} <= {"ray::ServeReplica"}
    assert len(reached) > 5


def is_here(host):
    address = ipaddress.ip_address(host)
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


def test_a_source_that_is_down_is_named_and_the_rest_goes_on(swarm):
    def failing():
        rows = {row["source"]: row for row in swarm.client.status()["connectors"]}
        states = {source: row["state"] for source, row in rows.items()}
        return rows if states == {"airflow": "unavailable", "manifest": "ok"} else None

    rows = eventually(failing)
    assert "127.0.0.1:9" in rows["airflow"]["message"]
    shown = swarm.cli("status")
    assert shown.returncode == 3
    assert "airflow unavailable" in shown.stdout


def test_the_command_line_shows_what_the_api_knows(swarm):
    eventually(lambda: complete(swarm))
    shown = swarm.cli("deps", "-o", "json")
    assert shown.returncode == 0, shown.stderr
    assert json.loads(shown.stdout)["edges"] == list(swarm.client.dependencies(declared=False))
    table = swarm.cli("deps", "--all").stdout
    assert "manifest/crm_export/load" in table
    assert "manifest/board_deck/draw" in table
    assert "manifest/board_deck" in swarm.cli("impact", "crm_export").stdout
    unknown = swarm.cli("impact", "crm_exprt")
    assert unknown.returncode == 4
    assert "Did you mean crm_export" in unknown.stderr


def test_an_acknowledged_event_survives_the_kill_of_the_graph_actor(swarm):
    eventually(lambda: complete(swarm))
    before = {(u, d, n) for u, d, n in edges(swarm)}
    swarm.client.send_lineage(
        {
            "eventType": "COMPLETE",
            "eventTime": "2026-11-22T06:00:00Z",
            "run": {"runId": "0190aaaa-0000-7000-8000-000000000001", "facets": {}},
            "job": {"namespace": "spark", "name": "late_reader", "facets": {}},
            "inputs": [{"namespace": "warehouse", "name": "board.deck"}],
            "outputs": [],
            "producer": "https://example.org/producer",
            "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json",
        }
    )
    victim = actor_process(swarm, "GraphActor")
    os.kill(victim.pid, signal.SIGKILL)
    victim.wait(180)
    swarm.client.push(
        "cron", evidence=[{"pipeline": "tidy", "access": "read", "dataset": "board.deck"}]
    )
    eventually(lambda: len(edges(swarm)) == len(before) + 2)
    after = set(edges(swarm))
    assert before < after
    assert {reader for _, reader, _ in after - before} == {"late_reader", "tidy"}


def test_an_unknown_facet_is_kept_and_read_back(swarm):
    mine = {"_producer": "https://example.org/mine", "_schemaURL": "x", "colour": ["red", 7]}
    swarm.client.send_lineage(
        {
            "eventType": "START",
            "eventTime": "2026-11-22T06:00:00Z",
            "run": {"runId": "0190aaaa-0000-7000-8000-000000000002", "facets": {"mine": mine}},
            "job": {"namespace": "spark", "name": "painter", "facets": {}},
            "producer": "https://example.org/producer",
            "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json",
        }
    )
    [kept] = eventually(lambda: list(swarm.client.facets("spark/painter/painter")))
    assert (kept["of"], kept["name"], kept["content"]) == ("run", "mine", mine)


def test_actors_give_way_to_no_other_program(swarm):
    assert actor_process(swarm, "DispatcherActor").nice() == psutil.Process().nice()


@pytest.mark.parametrize("title", ["GraphActor", "ProjectorActor", "ConnectorActor"])
def test_each_actor_may_be_killed_at_any_time(swarm, title):
    eventually(lambda: swarm.client.ready())
    victim = actor_process(swarm, title)
    os.kill(victim.pid, signal.SIGKILL)
    victim.wait(180)
    add_line(swarm, pipeline=title, task="t")
    eventually(lambda: title in [p["pipeline"] for p in swarm.client.pipelines()])


def test_a_verdict_is_kept_across_a_rescan_and_can_be_taken_back(swarm):
    eventually(lambda: complete(swarm) or len(edges(swarm)) > len(CHAIN))
    rejected = swarm.cli("reject", "manifest/crm_export/load", "manifest/finance_close/report")
    assert rejected.returncode == 0, rejected.stderr
    eventually(lambda: ("crm_export", "finance_close") not in [e[:2] for e in edges(swarm)])
    add_line(swarm, pipeline="new_one", task="t")
    eventually(lambda: "new_one" in [p["pipeline"] for p in swarm.client.pipelines()])
    assert ("crm_export", "finance_close") not in [e[:2] for e in edges(swarm)]
    [edge] = [e for e in swarm.client.dependencies(min_confidence=0) if e["verdict"]]
    swarm.client.judge(edge, None, by="test")
    eventually(lambda: ("crm_export", "finance_close") in [e[:2] for e in edges(swarm)])


def test_a_verdict_on_nothing_is_refused_across_processes(swarm):
    nobody = {"orchestrator": "airflow", "pipeline": "x", "task": "y"}
    edge = {"upstream": nobody, "downstream": nobody | {"task": "z"}, "dataset": "warehouse/t"}
    with pytest.raises(ApiError, match="swarm deps") as refused:
        swarm.client.judge(edge, "accepted", by="test")
    assert (refused.value.status, refused.value.code) == (404, "unknown-key")


@pytest.mark.parametrize(
    ("body", "headers", "status"),
    [
        (b"not json", {}, 400),
        (b"[1, 2]", {}, 400),
        (b'{"eventType": "COMPLETE"}', {}, 400),
        (b"x" * 10_000_001, {}, 413),
        (b"not gzip", {"Content-Encoding": "gzip"}, 400),
        (b"{}", {"Content-Encoding": "br"}, 415),
    ],
)
def test_a_bad_event_gets_a_problem_that_says_why(swarm, body, headers, status):
    answer = httpx.post(
        f"{swarm.url}/api/v1/lineage",
        content=body,
        headers={"Authorization": f"Bearer {swarm.token}"} | headers,
        timeout=60,
    )
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["detail"]


def test_a_second_up_is_refused(swarm):
    second = swarm.cli("up")
    assert second.returncode == 7
    assert str(swarm.pid) in second.stderr


def test_a_taken_port_is_told_at_once(swarm, tmp_path):
    taken = swarm.url.rpartition(":")[2]
    refused = cli("up", "--port", taken, SWARM_STATE_DIR=str(tmp_path / "state"))
    assert refused.returncode == 7
    assert taken in refused.stderr


def test_down_leaves_no_process_and_up_again_knows_everything(swarm):
    eventually(lambda: len(edges(swarm)) >= len(CHAIN))
    before = sorted(edges(swarm))
    family = psutil.Process(swarm.pid).children(recursive=True)
    assert family
    stopped = swarm.cli("down")
    assert stopped.returncode == 0, stopped.stderr
    assert living(family) == []
    assert swarm.cli("status").returncode == 6
    assert swarm.cli("up").returncode == 0
    eventually(lambda: sorted(edges(swarm)) == before)


def test_the_dashboard_is_there_and_what_happens_comes_through(swarm):
    page = httpx.get(f"{swarm.url}/graph", timeout=60)
    assert (page.status_code, "/assets/main.js" in page.text) == (200, True)
    headers = {"Authorization": f"Bearer {swarm.token}", "Last-Event-ID": "0"}
    ids = []
    with httpx.stream("GET", f"{swarm.url}/api/v1/events", headers=headers, timeout=60) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        for line in answer.iter_lines():
            if line.startswith("id: "):
                ids.append(int(line.removeprefix("id: ")))
            if len(ids) == 6:
                break
    assert ids[0] == 0
    assert ids == sorted(set(ids))
