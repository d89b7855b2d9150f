"""What can go wrong, by who has to act.

An expected outcome is a value, not an exception. Adapters translate foreign errors into these at
one line; nothing above them sees an error of httpx, SQLAlchemy or an orchestrator's client.
"""


class SwarmError(Exception):
    """Unexpected swarm error."""


class ConfigError(SwarmError):
    """The operator has to fix a setting; the message names the file, the key and the fix."""


class InputError(SwarmError):
    """A file or request of the user cannot be used; the message names the place and the fix."""


class ConnectorError(SwarmError):
    """Talking to an orchestrator failed."""


class Unavailable(ConnectorError):
    """The orchestrator does not answer, or answers 429 or 5xx: try again later."""


class Unauthorized(ConnectorError):
    """The orchestrator refused our credentials: stop and tell a person."""


class MalformedResponse(ConnectorError):
    """The orchestrator answered something that is not its API: its bug or a wrong URL."""


class CapacityError(SwarmError):
    """Whoever rents nodes does not answer, or refuses: nothing changed, it is asked again."""


class StoreError(SwarmError):
    """The journal or the projections cannot be used."""


class Unreachable(StoreError):
    """The database does not answer."""


class NoRoom(StoreError):
    """The disk under the store is full; nothing was written."""


class SafeMode(Unreachable):
    """A stream stands still before a record that stops it, until a person sets that aside."""


class Damaged(StoreError):
    """A record cannot be read; `seq` is its place in its stream."""

    seq: int = 0


class Trimmed(StoreError):
    """What follows a reader's place is no longer kept: it has to start from a snapshot."""


class Conflict(StoreError):
    """Another writer took the stream: this one is out of date and must stop."""


class Rejected(SwarmError):
    """The request was refused and changed nothing."""


class Overloaded(Rejected):
    """The inbox is full; back off and send the same request again."""


class Forbidden(Rejected):
    """Who asks may not do that."""


class DifferentBody(Rejected):
    """An id that is known was sent again with another body."""


class NoCapacity(Rejected):
    """No worker that is there or was there could run the task."""


class UnknownKey(Rejected):
    """Nothing is known under that name."""


class InvalidTransition(AssertionError):
    """A bug: no row allows this move; state is unchanged."""
