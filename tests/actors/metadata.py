"""Metadata services of clouds, over real HTTP on this machine."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

_TTL = "X-aws-ec2-metadata-token-ttl-seconds"
_TOKEN = "X-aws-ec2-metadata-token"  # the name of a header


class Metadata(ThreadingHTTPServer):
    """Speaks IMDSv2, and Google's of one path. `told` are the answers that there are, by path;
    `tokens` those that are good, `asked` what was asked, with its status; so many questions as
    `silent` get no answer."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.told: dict[str, str] = {}
        self.tokens: set[str] = set()
        self.asked: list[tuple[str, int]] = []
        self.silent = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def ends(self, at_s: float) -> None:
        """The instance ends then, in seconds since the epoch."""
        at = datetime.fromtimestamp(at_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        action = json.dumps({"action": "terminate", "time": at})
        self.told["/latest/meta-data/spot/instance-action"] = action

    def may_end(self) -> None:
        path = "/latest/meta-data/events/recommendations/rebalance"
        self.told[path] = json.dumps({"noticeTime": "2026-01-01T00:00:00Z"})


class _Handler(BaseHTTPRequestHandler):
    server: Metadata

    def do_PUT(self) -> None:
        if self.path != "/latest/api/token" or not self.headers.get(_TTL, "").isdigit():
            self._answer(400, "")
            return
        token = f"token-{len(self.server.asked)}"
        self.server.tokens.add(token)
        self._answer(200, token)

    def do_GET(self) -> None:
        if self.server.silent:
            self.server.silent -= 1
            return
        google = self.path.startswith("/computeMetadata/")
        if google and self.headers.get("Metadata-Flavor") != "Google":
            self._answer(403, "")
        elif not google and self.headers.get(_TOKEN) not in self.server.tokens:
            self._answer(401, "")
        elif (text := self.server.told.get(self.path)) is None:
            self._answer(404, "<html>not found</html>")
        else:
            self._answer(200, text)

    def _answer(self, status: int, text: str) -> None:
        self.server.asked.append((self.path, status))
        self.send_response(status)
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text.encode())

    def log_message(self, format: str, *args: object) -> None:
        """Not to standard error."""


@contextmanager
def metadata() -> Iterator[Metadata]:
    """One that answers until the end of the block."""
    with Metadata() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
