"""Servers of this process that take what is sent, and may refuse it."""

import asyncio
import contextlib
import datetime
import http.server
import ipaddress
import json
import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiosmtpd.handlers import Message
from aiosmtpd.smtp import SMTP
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID


@dataclass
class Taken:
    """A request: `told` is the JSON in it."""

    path: str
    headers: dict[str, str]
    told: Any


@dataclass
class Receiver:
    """What came so far. The next requests are answered with `refusals`, then all with 200."""

    port: int = 0
    taken: list[Taken] = field(default_factory=list)
    refusals: list[int] = field(default_factory=list)
    refused: int = 0


@contextlib.contextmanager
def an_http_receiver(
    tls: Path | None = None, read: Callable[[bytes], Any] = json.loads
) -> Iterator[Receiver]:
    """Over TLS with the certificate and key in the file `tls`, if one is given; `read` says what a
    body means."""
    receiver = Receiver()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            sent = self.rfile.read(int(self.headers["Content-Length"]))
            status = receiver.refusals.pop(0) if receiver.refusals else 200
            if status == 200:
                told = read(sent)
                receiver.taken.append(Taken(self.path, dict(self.headers), told))
            else:
                receiver.refused += 1
            self.send_response(status)
            if 300 <= status < 400:
                self.send_header("Location", self.path)
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    if tls is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tls)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    receiver.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Letters(Message):
    def __init__(self, letters: list[Any]) -> None:
        super().__init__()
        self._letters = letters

    def handle_message(self, message: Any) -> None:
        self._letters.append(message)


@contextlib.contextmanager
def a_mail_server() -> Iterator[tuple[int, list[Any]]]:
    """Its port and the letters it took."""
    letters: list[Any] = []
    loop = asyncio.new_event_loop()

    def serve() -> SMTP:
        return SMTP(_Letters(letters), hostname="mail.example.org", loop=loop)

    server = loop.run_until_complete(loop.create_server(serve, "127.0.0.1", 0))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield server.sockets[0].getsockname()[1], letters
    finally:
        loop.call_soon_threadsafe(server.close)  # a connection may end at this moment
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


def a_certificate(folder: Path) -> Path:
    """A file with a new key and its own certificate for 127.0.0.1."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    now = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]),
            critical=False,
        )
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(
        pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file = folder / "tls.pem"
    file.write_bytes(private + certificate.public_bytes(pem))
    return file
