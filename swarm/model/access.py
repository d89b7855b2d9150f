"""Who asks over HTTP, and what that lets them do."""

from dataclasses import dataclass
from enum import StrEnum

from swarm.model.work import TaskId


class Role(StrEnum):
    """What somebody or something is to swarm; `swarm/api/roles.py` says what each may do."""

    VIEWER = "viewer"  # a person or a tool that looks
    OPERATOR = "operator"  # a person who decides: holds, links, SLAs, verdicts
    ADMIN = "admin"  # everything
    AGENT = "agent"  # a machine that hosts agents
    WORKER = "worker"  # what stands beside an orchestrator's own runs and tells of them
    PLUGIN = "plug-in"  # an orchestrator that has its tasks run here


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks: the name that is kept with what it changes, and its roles. The program of a task
    that has a pass for itself is one for that `task` alone."""

    name: str
    roles: frozenset[Role]
    task: TaskId | None = None

    @property
    def may_inline(self) -> bool:
        """Whether it may name a program or a function to run; who may, runs code on the workers."""
        return bool(self.roles & {Role.ADMIN, Role.PLUGIN})


@dataclass(frozen=True, slots=True)
class Key:
    """An API key as it is kept: of its secret only the SHA-256. Times are seconds since the
    epoch; `last_used_s` may be a minute behind."""

    id: str
    name: str
    roles: frozenset[Role]
    digest: bytes
    made_at_s: float
    made_by: str
    expires_at_s: float
    revoked_at_s: float | None = None
    last_used_s: float | None = None
    replaces: str = ""  # the id of the key that it was made for in a rotation

    def is_open(self, now_s: float) -> bool:
        """Whether it lets anybody in."""
        return self.revoked_at_s is None and now_s < self.expires_at_s
