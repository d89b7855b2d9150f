"""How Ray has to be started for swarm, whoever starts it: who is let in, when a node counts as
dead, what runs beside the head."""

import re
from collections.abc import Mapping

from swarm.capacity.clusterfile.located import Note, Path

GUARD = "swarm.capacity.guard"
HEALTH = {  # Ray's own values, of all but the head's first seconds
    "RAY_health_check_period_ms": 3_000,
    "RAY_health_check_timeout_ms": 10_000,
    "RAY_health_check_failure_threshold": 5,
}
HEALTH_FIX = (
    "RAY_health_check_period_ms=500, RAY_health_check_timeout_ms=2000 and "
    "RAY_health_check_failure_threshold=5 for the head"
)
_DEAD_MIN_S, _DEAD_MAX_S = 5.0, 30.0
_UNWANTED = "RAY_AUTOSCALER_PENDING_NODE_IDLE_TIMEOUT_S"  # below 0, and by itself: never
_ASSIGNED = re.compile(r"(?:^|[\s;&(])(?:export\s+)?([A-Za-z_]\w*)=([^\s;&]*)")
LOOPBACK = ("127.0.0.1", "localhost", "::1")


def assigned(command: str) -> dict[str, str]:
    """The variables that a shell command sets for what it starts."""
    return {name: value.strip("\"'") for name, value in _ASSIGNED.findall(command)}


def health(environ: Mapping[str, str], path: Path, note: Note) -> None:
    """When Ray's head takes a silent node for dead."""
    try:
        period_ms, timeout_ms, misses = (
            float(environ.get(name, default)) for name, default in HEALTH.items()
        )
    except ValueError:
        note(path, "a health check of Ray that is no number", HEALTH_FIX)
        return
    dead_s = (period_ms + timeout_ms) * misses / 1_000
    if dead_s > _DEAD_MAX_S:
        note(path, f"a node that hangs is noticed after {dead_s:.0f} s only", HEALTH_FIX)
    elif dead_s < _DEAD_MIN_S:
        problem = f"a node that is silent for {dead_s:.1f} s is dead for good, and a busy one is"
        note(path, problem, HEALTH_FIX)


def unwanted(environ: Mapping[str, str], path: Path, note: Note) -> None:
    """When Ray's autoscaler ends a machine that has not joined and is wanted no more: swarm can but
    stop wanting it."""
    if not environ.get(_UNWANTED, "").isdecimal():
        note(
            path,
            "a machine that never joins is paid for up to an hour",
            f"{_UNWANTED}=60 for the head",
        )


def niceness(environ: Mapping[str, str], path: Path, note: Note) -> None:
    """Ray starts actors at 15 by itself."""
    if environ.get("RAY_worker_niceness") != "0":
        note(
            path,
            "beside other work swarm's actors get no CPU and are taken for dead",
            "RAY_worker_niceness=0 where Ray is started",
        )


def token(environ: Mapping[str, str], path: Path, note: Note) -> None:
    """Whoever reaches Ray's ports may run any program, unless it asks for a token."""
    mode = environ.get("RAY_AUTH_MODE", "none said")
    if mode != "token":
        note(
            path,
            f"whoever reaches Ray may run programs on it (RAY_AUTH_MODE: {mode})",
            "RAY_AUTH_MODE=token where Ray is started",
        )
