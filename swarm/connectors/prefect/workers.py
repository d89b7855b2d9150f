"""The workers of Prefect's work pools, as the server tells of them. Pure.

The server knows no worker as dead, only as not heard: of what ran on it, it knows the pool.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from swarm.connectors.attendance import presence
from swarm.connectors.payloads import Payload
from swarm.connectors.prefect.mapping import epoch_s, process_of
from swarm.model.connectors import Item
from swarm.model.foreign import ForeignWorker, RanOn, Role, SeenBy
from swarm.model.recovery import Recovery
from swarm.model.runs import Run, RunState

EVERY_S = 30.0  # Prefect's default where a worker does not tell
_RUNNING = frozenset({"PENDING", "RUNNING"})
_MISSED = 3  # beats after which Prefect calls a worker offline


def has_workers(pool: Payload) -> bool:
    """Whether programs of a team serve a pool, not the server or a cloud itself."""
    kind = str(pool.get("type"))
    return "name" in pool and not (kind.endswith(":push") or kind.endswith(":managed"))


def read_workers(
    instance: str, pool: str, rows: Iterable[Payload], now_s: float
) -> list[ForeignWorker]:
    """The workers of one pool; those that were never heard are not told."""
    found: list[ForeignWorker] = []
    for row in rows:
        heard_s = epoch_s(row["last_heartbeat_time"])
        every_s = float(row.get("heartbeat_interval_seconds") or EVERY_S)
        if heard_s is not None:
            found.append(
                ForeignWorker(
                    instance,
                    f"{pool}/{row['name']}",
                    Role.WORKER,
                    SeenBy.SERVER,
                    presence(heard_s, now_s, _MISSED * every_s),
                    heard_s,
                    started_s=epoch_s(row.get("created")) or 0.0,
                    every_s=every_s,
                    silent_after_s=_MISSED * every_s,
                    group=f"pool {pool}",
                )
            )
    return found


def going_on(
    rows: Iterable[Payload], groups: Iterable[tuple[str, tuple[Item, ...]]]
) -> Iterator[tuple[str, Run]]:
    """The runs of flow runs that go on, each with the group of workers that can have taken it."""
    pools = {str(row["id"]): row.get("work_pool_name") for row in rows}
    for run_id, items in groups:
        for item in items:
            if isinstance(item, Run) and item.state is RunState.RUNNING and pools.get(run_id):
                yield f"pool {pools[run_id]}", item


def with_runs(
    workers: Iterable[ForeignWorker], live: Mapping[str, Iterable[Run]]
) -> list[ForeignWorker]:
    """The workers, silent ones with what ran on them; `live` are the runs that go on, by group.

    A run belongs to the only worker of its pool that can have started it: one that had begun by
    then and was heard later. Where several can, nobody is told to have run it.
    """
    workers = list(workers)
    runs: dict[str, list[RanOn]] = {}
    for group, ones in live.items():
        for run in ones:
            able = [w for w in workers if w.group == group and _can_have_started(w, run)]
            if len(able) == 1:
                runs.setdefault(able[0].name, []).append(RanOn(run.pipeline, run.run_id))
    return [replace(worker, runs=tuple(runs.get(worker.name, ()))) for worker in workers]


def _can_have_started(worker: ForeignWorker, run: Run) -> bool:
    begun_s = run.started_at_s
    return begun_s is None or (
        worker.started_s <= begun_s <= worker.heard_s + worker.silent_after_s
    )


def why_not(recovery: Recovery, row: Payload) -> str:
    """Why a flow run need not be run again, as it is now; empty: it has to."""
    state, process = str(row["state_type"]), process_of(row)
    if state not in _RUNNING:
        return f"its state is {row.get('state_name') or state}"
    return "" if process == recovery.process else f"it is in process {process or '?'} now"


def was_refused(answer: Payload) -> str:
    """Why the server did not take a state; empty: it did."""
    if answer["status"] == "ACCEPT":
        return ""
    reason = (answer.get("details") or {}).get("reason") or "no reason given"
    return f"{answer['status']}: {reason}"
