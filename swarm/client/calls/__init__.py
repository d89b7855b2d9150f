"""Every call: what it sends, and the shape of what comes back. One module per noun.

Answers are plain dictionaries with types; a test holds these against the API's own description. A
newer API may tell more than a type says. Times are seconds since the epoch.
"""

from swarm.client.calls import (
    access,
    ahead,
    decisions,
    explained,
    findings,
    fleet,
    graph,
    health,
    losses,
    slas,
    tasks,
    told,
)

__all__ = [
    "access",
    "ahead",
    "decisions",
    "explained",
    "findings",
    "fleet",
    "graph",
    "health",
    "losses",
    "slas",
    "tasks",
    "told",
]
