"""What a person should do about a missing worker."""

from collections.abc import Mapping

from swarm.model.foreign import ForeignWorker, Presence, Role

_MEANS: Mapping[Role, str] = {
    Role.SCHEDULER: "Nothing new is started until a scheduler runs again: start it.",
    Role.DAG_PROCESSOR: "Changes of DAG files are not seen until it runs again: start it.",
    Role.TRIGGERER: "Deferred tasks do not wake until a triggerer runs again: start it.",
    Role.DAEMON: "What this daemon does (schedules, sensors, queued runs) stands still: start "
    "`dagster-daemon run`.",
    Role.WORKER: "Runs of its pool wait until a worker takes them: start one.",
    Role.ATTEMPT: "Look whether its process still runs; if not, clear or re-run it.",
}


def advice(worker: ForeignWorker) -> str:
    """One or two sentences; empty when nothing has to be done."""
    if not worker.is_missed:
        return ""
    told = [_MEANS[worker.role]]
    if worker.runs and worker.role is not Role.ATTEMPT:
        if worker.presence is Presence.DEAD and worker.processes:
            told.append("Its runs are dead with it and may be run again.")
        else:
            told.append("Its runs may still be working: make sure of their end before a re-run.")
    return " ".join(told)
