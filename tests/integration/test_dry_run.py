"""A dry run asks and changes nothing, whatever the API would have said."""

import json
import socket
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from typer.testing import CliRunner

from swarm.cli.main import app
from swarm.cli.rehearsal import Rehearsal, Rehearsed
from swarm.demo.processes import free_ports


class Recorder(BaseHTTPRequestHandler):
    heard: list[str]

    def do_GET(self):
        self._answer()

    def do_POST(self):
        self._answer()

    def _answer(self):
        self.heard.append(f"{self.command} {self.path}")
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"[]")

    def log_message(self, *_):
        """Says nothing."""


@pytest.fixture
def recorded(tmp_path, monkeypatch):
    """What an API is asked, that says yes to everything."""
    heard: list[str] = []
    handler = type("Handler", (Recorder,), {"heard": heard})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        (tmp_path / "token").write_text("t")
        monkeypatch.setenv("SWARM_URL", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setenv("SWARM_TOKEN_FILE", str(tmp_path / "token"))
        yield heard
        server.shutdown()


def test_a_rehearsal_asks_and_changes_nothing(recorded):
    with Rehearsal() as swarm:
        assert swarm.decisions() == []
        with pytest.raises(Rehearsed, match=r"POST /api/v1/decisions/release .*airflow/a"):
            swarm.release("airflow/a", by="ann")
    assert recorded == ["GET /api/v1/decisions?every=false"]


def test_a_dry_run_prints_the_change_and_ends_well(recorded):
    told = CliRunner().invoke(app, ["hold", "airflow/a", "--for", "2h", "--dry-run"])
    assert told.exit_code == 0, told.output
    way, path, body = told.stdout.split(" ", 2)
    assert (way, path) == ("POST", "/api/v1/decisions/hold")
    assert json.loads(body)["for_s"] == 7_200
    assert "Nothing was changed" in told.stderr
    assert [line.split()[0] for line in recorded] == ["GET"], "it looked whether there is one"
    recorded.clear()
    assert CliRunner().invoke(app, ["hold", "airflow/a"]).exit_code != 0, "no decision came back"
    assert recorded == ["POST /api/v1/decisions/hold"]


CHANGES = [
    ("release", "airflow/a"),
    ("link", "airflow/a", "dagster/b"),
    ("sla", "accept", "airflow/a"),
    ("sla", "decline", "airflow/a"),
    ("tasks", "run", "--team", "data", "true"),
    ("tasks", "cancel", "t1"),
    ("agents", "start", "clerks:Clerk"),
    ("agents", "stop", "clerks:Clerk"),
    ("keys", "create", "ann", "--role", "viewer"),
]


@pytest.mark.parametrize("words", CHANGES, ids=" ".join)
def test_none_of_them_sends_anything_but_questions(recorded, words):
    told = CliRunner().invoke(app, [*words, "--dry-run"])
    assert told.exit_code == 0, told.output
    assert told.stdout.startswith("POST /api/v1/")
    assert [line for line in recorded if not line.startswith("GET ")] == []


def test_what_is_not_there_is_not_there_in_a_dry_run_either(recorded):
    for words in (("unlink", "a/b"), ("keys", "revoke", "k"), ("workers", "drain", "w")):
        told = CliRunner().invoke(app, [*words, "--dry-run"])
        assert (told.exit_code, told.stdout) == (4, ""), words
        assert "see `swarm" in told.stderr


def test_starting_and_ending_can_be_looked_at(tmp_path):
    settings = tmp_path / "swarm.yaml"
    (tmp_path / "m.jsonl").write_text("")
    (port,) = free_ports(1)  # that no outgoing connection takes once it is free again
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", port))
        settings.write_text(
            f"state_dir: {tmp_path}/state\napi: {{port: {port}}}\n"
            f"sources: [{{kind: manifest, path: {tmp_path}/m.jsonl}}]\n"
        )
        probe.listen()
        taken = CliRunner().invoke(app, ["up", "-c", str(settings), "--dry-run"])
        assert taken.exit_code == 7, "it says what the start would say"
    told = CliRunner().invoke(app, ["up", "-c", str(settings), "--dry-run"])
    assert told.exit_code == 0, told.output
    assert told.stdout.splitlines() == [
        "would read manifest (manifest)",
        f"would answer at http://127.0.0.1:{port}/api/v1",
    ]
    assert not (tmp_path / "state").exists()
    ended = CliRunner().invoke(app, ["down", "-c", str(settings), "--dry-run"])
    assert (ended.exit_code, ended.stdout) == (0, "swarm does not run here.\n")
