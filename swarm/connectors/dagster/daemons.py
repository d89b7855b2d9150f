"""The daemons of a Dagster, as its answer to the tick tells of them. Pure.

Dagster itself calls a daemon unhealthy after 30 minutes; here it is silent after `SILENT_AFTER_S`.
It tells of no run worker: whether one lives is known to what launched it alone.
"""

from swarm.connectors.attendance import presence
from swarm.connectors.payloads import Payload
from swarm.model.foreign import ForeignWorker, Role, SeenBy

EVERY_S = 30.0
SILENT_AFTER_S = 3 * EVERY_S


def read_daemons(instance: str, tick: Payload, now_s: float) -> list[ForeignWorker]:
    """The daemons that the instance's settings require; one that never ran is not told."""
    return [
        ForeignWorker(
            instance,
            f"daemon {row['daemonType']}",
            Role.DAEMON,
            SeenBy.SERVER,
            presence(float(row["lastHeartbeatTime"]), now_s, SILENT_AFTER_S),
            float(row["lastHeartbeatTime"]),
            every_s=EVERY_S,
            silent_after_s=SILENT_AFTER_S,
            group=f"daemon {row['daemonType']}",
        )
        for row in tick["instance"]["daemonHealth"]["allDaemonStatuses"]
        if row["required"] and row["lastHeartbeatTime"] is not None
    ]
