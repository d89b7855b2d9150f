"""Errors as RFC 9457 problem documents: the only place that knows HTTP status codes of errors."""

from collections.abc import Mapping

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from swarm.errors import (
    DifferentBody,
    Forbidden,
    InputError,
    NoCapacity,
    NoRoom,
    Overloaded,
    Rejected,
    SafeMode,
    StoreError,
    SwarmError,
    Trimmed,
    Unavailable,
    UnknownKey,
)

_STATUS: tuple[tuple[type[SwarmError], int, str], ...] = (
    (UnknownKey, 404, "unknown-key"),
    (Forbidden, 403, "forbidden"),
    (Overloaded, 429, "overloaded"),
    (DifferentBody, 409, "different-body"),
    (NoCapacity, 422, "no-capacity"),
    (Rejected, 409, "rejected"),
    (InputError, 400, "bad-input"),
    (NoRoom, 507, "no-room"),
    (SafeMode, 503, "safe-mode"),
    (Unavailable, 503, "issuer-unavailable"),
    (Trimmed, 410, "trimmed"),
    (StoreError, 503, "store-unavailable"),
)
# What to do about it, by code; what is wrong in this case is in the detail.
FIXES: Mapping[str, str] = {
    "attempt-over": "A program's own token ends with its grant; another grant has its own.",
    "bad-input": "Send what the route takes: /api/v1/openapi.json describes it.",
    "different-body": "Take another Idempotency-Key or id, or send what was sent before.",
    "encoding": "Send the body as it is, or gzipped with `Content-Encoding: gzip`.",
    "forbidden": "Use a key with such a role: `swarm keys create NAME --role ROLE`.",
    "http": "Send what the route takes: /api/v1/openapi.json describes it.",
    "internal": "Report it, with `swarm.log` of this time.",
    "interrupted": "Send it again, under the same `Idempotency-Key` where it changes something.",
    "invalid-request": "Send what the route takes: /api/v1/openapi.json describes it.",
    "issuer-unavailable": "Send it again a little later, or use an API key.",
    "key-expired": "Make a new key: `swarm keys create NAME --role ROLE`.",
    "key-revoked": "Make a new key: `swarm keys create NAME --role ROLE`.",
    "method": "Use a method that `Allow` names.",
    "no-capacity": "Ask for less, add larger workers, or say `wait_for_capacity`.",
    "no-room": "Free some space where the store is, then send it again.",
    "overloaded": "Send it again after `Retry-After`.",
    "rate-limited": "Send it again after `Retry-After`; ask for more at once, and less often.",
    "rejected": "Read how it stands now, and decide anew.",
    "safe-mode": "See `swarm status`: it names the record, and the command that sets it aside.",
    "store-unavailable": "Send it again after `Retry-After`; `swarm doctor` says what is wrong.",
    "token-expired": "Get a new token of the issuer.",
    "token-refused": "Get a token that the issuer signs for this audience.",
    "too-large": "Send it in parts.",
    "too-slow": "Send it again, in smaller parts where the line is slow.",
    "trimmed": "Read everything anew, and listen without a place.",
    "unauthorized": "Send `Authorization: Bearer TOKEN`; `swarm up` says where the first one is.",
    "unknown-key": "Look the name up in the list it is from.",
    "unknown-route": "See /api/v1/openapi.json for the routes there are.",
}
_RETRY_AFTER_S = {429: "1", 503: "5", 507: "5"}


def problem(status: int, code: str, detail: str) -> JSONResponse:
    """One problem document. `code` is stable; `detail`, what is wrong, and `fix`, what to do about
    it, are for people."""
    headers = {"Retry-After": _RETRY_AFTER_S[status]} if status in _RETRY_AFTER_S else {}
    if status == 401:
        headers["WWW-Authenticate"] = "Bearer"
    body = {
        "type": "about:blank",
        "title": code,
        "status": status,
        "code": code,
        "detail": detail,
        "fix": FIXES[code],
    }
    return JSONResponse(body, status, headers, media_type="application/problem+json")


def of_error(error: SwarmError) -> JSONResponse:
    """The problem document of an error of ours."""
    for kind, status, code in _STATUS:
        if isinstance(error, kind):
            return problem(status, code, str(error))
    return problem(500, "internal", str(error))


def install(app: FastAPI) -> None:
    """Answer every error of swarm, of validation and of routing as a problem document."""

    @app.exception_handler(SwarmError)
    async def of_swarm(_: Request, error: SwarmError) -> JSONResponse:
        return of_error(error)

    @app.exception_handler(RequestValidationError)
    async def of_validation(_: Request, error: RequestValidationError) -> JSONResponse:
        lines = [f"{'.'.join(str(p) for p in e['loc'])}: {e['msg']}" for e in error.errors()]
        return problem(422, "invalid-request", "; ".join(lines))

    @app.exception_handler(HTTPException)
    async def of_routing(_: Request, error: HTTPException) -> JSONResponse:
        return problem(error.status_code, "http", str(error.detail))
