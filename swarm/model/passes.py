"""Passes: what lets the program of one grant in at swarm's API, and nobody else.

A pass is derived in two steps: from swarm's own key the seed of a task, which goes to its workers
with what it runs; from the seed the pass of each grant, which alone the program sees. So no program
can make the pass of another grant, and nothing of a pass is kept anywhere. Whether the grant still
holds is for who is shown it to know.
"""

import base64
import binascii
import hashlib
import hmac

from swarm.model.work import TaskId, Token

PREFIX = "swt_"
_PARTS = 3


def seed_of(key: bytes, task: TaskId) -> str:
    """What the passes of a task are made from."""
    return _mac(key, f"swarm pass of {task}")


def pass_of(seed: str, token: Token) -> str:
    """The pass of one grant, as a bearer token."""
    name = base64.urlsafe_b64encode(token.task.encode()).decode().rstrip("=")
    return f"{PREFIX}{name}.{token.grant}.{_mac(seed.encode(), str(token.grant))}"


def read(key: bytes, text: str) -> Token | None:
    """Whose pass that is; None where it is none of ours. Takes the same time whatever is wrong
    with its last part."""
    parts = text.removeprefix(PREFIX).split(".")
    if len(parts) != _PARTS or not (parts[1].isascii() and parts[1].isdecimal()):
        return None
    try:
        padded = parts[0] + "=" * (-len(parts[0]) % 4)
        task = TaskId(base64.urlsafe_b64decode(padded.encode()).decode())
    except (binascii.Error, ValueError):
        return None
    token = Token(task, int(parts[1]))
    wanted = pass_of(seed_of(key, task), token)
    return token if hmac.compare_digest(wanted.encode(), text.encode()) else None


def _mac(key: bytes, text: str) -> str:
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()
