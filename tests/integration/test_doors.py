"""Ways in over real HTTP: the command line makes keys and reads the audit, an issuer beside the API
signs tokens. No Ray: routes that ask actors are not used."""

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey
from typer.testing import CliRunner, Result

from swarm.api.app import create_app
from swarm.api.deps import Deps
from swarm.api.oidc import Issuer
from swarm.cli.main import app
from swarm.client import ApiError, Client
from swarm.clock import SystemClock
from swarm.config import Oidc
from swarm.store.journal import open_journal
from swarm.store.projections import open_projections
from swarm.store.projector import open_projector

TOKEN = "0123456789abcdef"
KEY = RSAKey.generate_key(2048, {"kid": "k"}, private=True)

Swarm = Callable[..., Result]


class _Published(BaseHTTPRequestHandler):
    """Discovery document and keys."""

    def do_GET(self) -> None:
        url = f"http://127.0.0.1:{self.server.server_address[1]}"
        if self.path == "/keys":
            body: Any = KeySet([KEY]).as_dict(private=False)
        else:
            body = {"issuer": url, "jwks_uri": f"{url}/keys"}
        self.send_response(200)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def issuer() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Published)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def url(tmp_path: Path, issuer: str) -> Iterator[str]:
    open_projector("", tmp_path).close()
    journal, clock = open_journal("", tmp_path), SystemClock()
    oidc = Oidc(issuer=issuer, audience="swarm", roles={"staff": "viewer"})
    deps = Deps(
        TOKEN,
        *(None, None, None, None),  # type: ignore[arg-type]
        open_projections("", tmp_path),
        clock,
        keys=journal.keys(),
        audit=journal.audit(),
        pass_key=b"of the store",
        issuer=Issuer(oidc, clock),
    )
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(create_app(deps), log_level="warning", lifespan="off"))
    thread = threading.Thread(target=server.run, args=([listening],))
    thread.start()
    yield f"http://127.0.0.1:{listening.getsockname()[1]}"
    server.should_exit = server.force_exit = True
    thread.join()
    journal.close()


@pytest.fixture
def swarm(url: str, tmp_path: Path) -> Swarm:
    def run(*words: str, token: str = TOKEN) -> Result:
        file = tmp_path / "used-token"
        file.write_text(token)
        around = {"SWARM_URL": url, "SWARM_TOKEN_FILE": str(file), "NO_COLOR": "1"}
        return CliRunner().invoke(app, list(words), env=around)

    return run


def test_keys_are_made_rotated_and_revoked_on_the_command_line(
    swarm: Swarm, tmp_path: Path
) -> None:
    made = swarm("keys", "create", "ann", "--role", "viewer", "--role", "worker")
    assert made.exit_code == 0, made.stderr
    key = made.stdout.strip()
    id_ = key.split("_")[1]
    assert f"key {id_} (viewer, worker) opens until" in made.stderr
    assert key not in swarm("keys", "ls").stdout
    assert swarm("audit", "ls", token=key).exit_code != 0, "a viewer reads no audit"

    file = tmp_path / "next"
    assert swarm("keys", "rotate", id_, "--overlap", "1", "--file", str(file)).exit_code == 0
    assert file.stat().st_mode & 0o777 == 0o600
    taken = swarm("keys", "create", "bob", "--role", "viewer", "--file", str(file))
    assert (taken.exit_code, "is there already" in taken.stderr) == (7, True)
    for still in (key, file.read_text()):
        told = swarm("keys", "ls", token=still)
        assert (told.exit_code, "viewer" in told.stderr) == (5, True), "known, though not an admin"
    assert swarm("keys", "revoke", id_).exit_code == 0
    refused = swarm("keys", "ls", token=key)
    assert (refused.exit_code, "was revoked on" in refused.stderr) == (5, True)
    assert swarm("keys", "revoke", "nobody").exit_code == 4

    listed = json.loads(swarm("keys", "ls", "-o", "json").stdout)
    assert [row["roles"] for row in listed["keys"]] == [["viewer", "worker"]] * 2
    assert [row["replaces"] for row in listed["keys"]] == ["", id_]
    told = json.loads(swarm("audit", "ls", "-o", "json").stdout)["audit"]
    assert [row["types"] for row in told] == ["KeyRevoked", "KeyMade", "KeyMade"]
    assert "3 changes" in swarm("audit", "verify").stdout


def test_the_command_line_says_what_was_meddled_with(swarm: Swarm, tmp_path: Path) -> None:
    assert swarm("keys", "create", "ann", "--role", "viewer").exit_code == 0
    assert swarm("audit", "verify").exit_code == 0
    journal = open_journal("", tmp_path)
    with journal._place.database("keys").writing() as connection:
        connection.exec_driver_sql("UPDATE swarm_audit SET body = replace(body, 'viewer', 'admin')")
    journal.close()
    found = swarm("audit", "verify")
    assert found.exit_code == 3
    assert "keys: row 1 is not what was written" in found.stderr


def test_a_token_of_the_issuer_beside_it_opens(url: str, issuer: str) -> None:
    claims = {"iss": issuer, "aud": "swarm", "sub": "ann", "roles": ["staff"]}

    def status(**more: Any) -> int:
        told = claims | {"exp": int(time.time()) + 600} | more
        with Client(url, jwt.encode({"alg": "RS256", "kid": "k"}, told, KEY)) as client:
            try:
                list(client.pipelines())
            except ApiError as error:
                return error.status
        return 200

    assert status() == 200
    assert status(aud="another") == 401
    assert status(exp=int(time.time()) - 600) == 401
    assert status(roles=["guest"]) == 403
