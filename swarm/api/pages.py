"""The dashboard's files, as they are: read once, packed once, each with its hash.

They hold no data and are given to everybody; what they show they ask of the API, with a token.
The headers let a page run and load nothing that is not one of these files, and make the browser
refuse text as markup (Trusted Types), so a hostile name stays a name.
"""

import gzip
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from fastapi import FastAPI
from starlette.requests import Request
from starlette.responses import Response

FOLDER = Path(__file__).parents[1] / "dashboard"
PAGES = ("/", "/graph", "/timeline", "/fleet", "/cost", "/findings")
# What each page is about, as data: the answer of the API that most of it is made of.
DATA = {
    "/now.json": "status",
    "/graph.json": "graph",
    "/timeline.json": "runs",
    "/fleet.json": "workers",
    "/cost.json": "cost",
    "/findings.json": "findings",
}

_TYPES = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
}
_HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types swarm"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-cache",  # ask each time; the hash answers
    "Vary": "Accept-Encoding",
}


@dataclass(frozen=True, slots=True)
class _File:
    plain: bytes
    packed: bytes
    type: str
    tag: str

    @classmethod
    def read(cls, path: Path) -> "_File":
        plain = path.read_bytes()
        tag = f'"{hashlib.sha256(plain).hexdigest()[:32]}"'
        return cls(plain, gzip.compress(plain, 9, mtime=0), _TYPES[path.suffix], tag)

    def answer(self, request: Request) -> Response:
        headers = _HEADERS | {"ETag": self.tag, "Content-Type": self.type}
        if self.tag in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        if "gzip" in request.headers.get("accept-encoding", ""):
            return Response(self.packed, headers=headers | {"Content-Encoding": "gzip"})
        return Response(self.plain, headers=headers)


def is_page(method: str, path: str) -> bool:
    """Whether a request is for one of these files, or for none that there could be."""
    return method in ("GET", "HEAD") and not path.startswith("/api/")


def install(app: FastAPI) -> None:
    """Serve each page, and what they load below `/assets/`; `.json` leads to the API, which asks
    for a token."""
    files = {path.name: _File.read(path) for path in FOLDER.iterdir() if path.suffix in _TYPES}
    page = files.pop("index.html")
    for path in PAGES:
        app.add_route(path, _given(page), include_in_schema=False)
    for path, name in DATA.items():
        app.add_route(path, _leading(f"/api/v1/{name}"), include_in_schema=False)
    for name, file in files.items():
        app.add_route(f"/assets/{name}", _given(file), include_in_schema=False)


def _given(file: _File) -> Callable[[Request], Awaitable[Response]]:
    async def give(request: Request) -> Response:
        return file.answer(request)

    return give


def _leading(path: str) -> Callable[[Request], Awaitable[Response]]:
    async def lead(request: Request) -> Response:
        query = f"?{request.url.query}" if request.url.query else ""
        return Response(status_code=307, headers=_HEADERS | {"Location": path + query})

    return lead
