"""How a call can fail. `CallFailed` is all of it."""

from collections.abc import Mapping


class CallFailed(Exception):
    """A call came to no good end. Where it may still have been carried out and carried an
    `idempotency_key`, sending it again under that key does nothing twice."""

    idempotency_key: str | None = None


class Unreachable(CallFailed):
    """Nothing answers at the URL, or what answers breaks off."""


class ApiError(CallFailed):
    """The API refused a call. `code` is stable, the text is for people, `fix` says what to do about
    it as far as the API does; `retry_after_s` is when it wants to be asked again."""

    def __init__(
        self,
        status: int,
        code: str,
        detail: str,
        fix: str = "",
        retry_after_s: float | None = None,
    ) -> None:
        super().__init__(status, code, detail, fix, retry_after_s)
        self.status, self.code, self.detail, self.fix = status, code, detail, fix
        self.retry_after_s = retry_after_s

    def __str__(self) -> str:
        return self.detail


class Unauthorized(ApiError):
    """The token opens nothing (401)."""


class Forbidden(ApiError):
    """The token's roles do not open this (403)."""


class NotFound(ApiError):
    """There is nothing of that name (404)."""


class Conflict(ApiError):
    """What is asked does not fit what is there (409): other tasks under the same key, for one."""


class Gone(ApiError):
    """What follows that place is no longer kept (410): read anew, and listen without a place."""


class Invalid(ApiError):
    """The request itself is wrong, or too large (400, 413, 415, 422)."""


class Busy(ApiError):
    """Too much at once (429), for longer than the client waits."""


class Unavailable(ApiError):
    """What the answer hangs on is not there (503) or has no room (507)."""


_KINDS: Mapping[int, type[ApiError]] = {
    400: Invalid,
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    410: Gone,
    413: Invalid,
    415: Invalid,
    422: Invalid,
    429: Busy,
    503: Unavailable,
    507: Unavailable,
}


def refusal(
    status: int, code: str, detail: str, fix: str = "", retry_after_s: float | None = None
) -> ApiError:
    """The error of that status."""
    return _KINDS.get(status, ApiError)(status, code, detail, fix, retry_after_s)
