"""A reverse proxy on a real socket: it counts what a connector sends and can misbehave.

`with Proxy("http://127.0.0.1:8080") as proxy:` listens on `proxy.url`, hands every request on to
the server behind it, and remembers it in `proxy.requests` (also those that a fault answered).
`proxy.faults` holds what to answer instead, `proxy.headers` what replaces the server's headers;
without a server behind (`Proxy()`) everything that no fault answers is a 502. Websockets are
tunnelled.
"""

import http.client
import re
import select
import socket
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import urlsplit

_HOP_BY_HOP = frozenset({"connection", "keep-alive", "transfer-encoding", "content-length", "te"})
_CHUNK = 64 * 1024


@dataclass(frozen=True, slots=True)
class Seen:
    """One request as it arrived."""

    method: str
    path: str
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Fault:
    """The answer to requests whose path with its query matches the regular expression `path`.

    `times`: how often, then the server answers again. `stall_s`: silence before the answer.
    `filler_bytes`: so many bytes follow `body`. `drop`: close the connection without an answer.
    """

    path: str
    status: int = 500
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    times: int = 1_000_000
    stall_s: float = 0.0
    filler_bytes: int = 0
    drop: bool = False


class Proxy:
    """Listens from `__enter__` to `__exit__`; `faults` and `requests` may be used in between."""

    def __init__(self, server: str = "") -> None:
        self.server = urlsplit(server)
        self.requests: list[Seen] = []
        self.faults: list[Fault] = []
        self.headers: dict[str, str] = {}
        self.closed = threading.Event()
        self._listener = _Listener(("127.0.0.1", 0), _Handler)
        self._listener.proxy = self
        self._thread = threading.Thread(target=self._listener.serve_forever, args=(0.05,))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._listener.server_address[1]}"

    @property
    def methods(self) -> dict[str, int]:
        """How many requests came, by method."""
        found: dict[str, int] = {}
        for seen in self.requests:
            found[seen.method] = found.get(seen.method, 0) + 1
        return found

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.closed.set()
        self._listener.shutdown()
        self._listener.server_close()
        self._thread.join()

    def take_fault(self, path: str) -> Fault | None:
        for fault in self.faults:
            if fault.times > 0 and re.search(fault.path, path):
                fault.times -= 1
                return fault
        return None


class _Listener(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    proxy: Proxy

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up in the middle of an answer is what some tests are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Listener

    def _answer(self) -> None:
        proxy = self.server.proxy
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        proxy.requests.append(Seen(self.command, self.path, body, dict(self.headers)))
        fault = proxy.take_fault(self.path)
        if fault is not None:
            self._misbehave(fault)
        elif not proxy.server.netloc:
            self._send(502, {}, b"no server behind this proxy")
        elif self.headers.get("upgrade"):
            self._tunnel()
        else:
            self._forward(body)

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = do_OPTIONS = _answer

    def _misbehave(self, fault: Fault) -> None:
        self.close_connection = True
        if fault.stall_s:
            self.server.proxy.closed.wait(fault.stall_s)
        if fault.drop:
            return
        self._send(fault.status, fault.headers, fault.body, fault.filler_bytes)

    def _forward(self, body: bytes) -> None:
        server = self.server.proxy.server
        connection = http.client.HTTPConnection(server.netloc, timeout=120)
        headers = {k: v for k, v in self.headers.items() if k.lower() not in _HOP_BY_HOP}
        try:
            connection.request(self.command, self.path, body or None, headers)
            answer = connection.getresponse()
            told = {name.lower(): value for name, value in answer.getheaders()}
            self._send(answer.status, told | self.server.proxy.headers, answer.read())
        except OSError as error:
            self._send(502, {}, f"the server behind does not answer: {error}".encode())
        finally:
            connection.close()

    def _send(
        self, status: int, headers: Mapping[str, str], body: bytes, filler_bytes: int = 0
    ) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            if name.lower() not in _HOP_BY_HOP:
                self.send_header(name, value)
        self.send_header("content-length", str(len(body) + filler_bytes))
        if self.close_connection:  # untold, a client may send its next request into the end
            self.send_header("connection", "close")
        self.end_headers()
        self.wfile.write(body)
        for start in range(0, filler_bytes, _CHUNK):
            self.wfile.write(b" " * min(_CHUNK, filler_bytes - start))

    def _tunnel(self) -> None:
        self.close_connection = True
        server = self.server.proxy.server
        with socket.create_connection((server.hostname, server.port), timeout=120) as behind:
            head = f"{self.command} {self.path} HTTP/1.1\r\n{self.headers.as_string()}"
            behind.sendall(head.replace("\r\n", "\n").replace("\n", "\r\n").encode())
            ends = {self.connection: behind, behind: self.connection}
            while not self.server.proxy.closed.is_set():
                for end in select.select(list(ends), [], [], 0.1)[0]:
                    data = end.recv(_CHUNK)
                    if not data:
                        return
                    ends[end].sendall(data)

    def log_message(self, format: str, *args: object) -> None:
        """Silent."""
