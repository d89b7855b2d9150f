"""A server that does what a test says with each request in turn, also what no good server does."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from swarm.demo.processes import free_ports


@dataclass
class Heard:
    """A request as it came."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    at_s: float


Act = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Server:
    """`acts` are done in order, one for each request; what is heard beyond them fails the test."""

    acts: list[Act]
    port: int
    heard: list[Heard] = field(default_factory=list)
    left: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            self.heard.append(await _request(reader))
            act = self.acts.pop(0) if self.acts else answers(500, {"code": "x", "detail": "extra"})
            await act(reader, writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            self.left.set()
        finally:
            writer.close()

    @contextlib.asynccontextmanager
    async def listening(self) -> AsyncIterator[None]:
        server = await asyncio.start_server(self.serve, "127.0.0.1", self.port)
        try:
            yield
        finally:
            server.close()


def free_port() -> int:
    (port,) = free_ports(1)
    return port


def answers(status: int, body: Any, **headers: Any) -> Act:
    """JSON, or bytes as they are."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()

    async def act(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        lines = {name.replace("_", "-"): text for name, text in headers.items()}
        lines |= {"Content-Length": len(content), "Connection": "close"}
        head = "".join(f"{name}: {text}\r\n" for name, text in lines.items())
        writer.write(f"HTTP/1.1 {status} X\r\n{head}\r\n".encode() + content)
        await writer.drain()

    return act


async def cuts(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """The connection ends without an answer."""
    writer.transport.abort()


async def cuts_within(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """The answer breaks off in the middle."""
    writer.write(b'HTTP/1.1 200 X\r\nContent-Length: 1000\r\n\r\n{"seq"')
    await writer.drain()
    writer.transport.abort()


async def is_silent(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
    """No answer, until the client leaves."""
    await reader.read()


def streams(*chunks: bytes, then: str = "ends") -> Act:
    """Server-sent events; after them the stream `ends`, `breaks` off, or `stays` until the client
    leaves."""

    async def act(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = "Content-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n"
        writer.write(f"HTTP/1.1 200 X\r\n{head}Connection: close\r\n\r\n".encode())
        for chunk in chunks:
            writer.write(f"{len(chunk):x}\r\n".encode() + chunk + b"\r\n")
            await writer.drain()
        if then == "ends":
            writer.write(b"0\r\n\r\n")
            await writer.drain()
        elif then == "stays":
            await reader.read()
            raise ConnectionResetError

    return act


async def _request(reader: asyncio.StreamReader) -> Heard:
    head = (await reader.readuntil(b"\r\n\r\n")).decode()
    first, *lines = head.strip().split("\r\n")
    method, path, _ = first.split(" ")
    headers = {name.lower(): text for name, _, text in (line.partition(": ") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Heard(method, path, headers, body, asyncio.get_running_loop().time())
