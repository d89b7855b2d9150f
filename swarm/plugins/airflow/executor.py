"""The executor of Airflow 3: tasks run on swarm's workers, and a worker's death costs no try."""

import os
import sys
import time
import uuid
from collections.abc import Sequence
from typing import Any

from airflow.executors import workloads
from airflow.executors.base_executor import BaseExecutor, get_execution_api_server_url
from airflow.models.callback import CallbackKey
from airflow.utils.state import CallbackState, TaskInstanceState

from swarm.plugins.airflow import rows
from swarm.plugins.airflow.asked import FILE, Asked, Program, environment, of_instance
from swarm.plugins.airflow.book import RUNNING, Held
from swarm.plugins.airflow.following import Following
from swarm.plugins.link import Change

_MODULE = "airflow.sdk.execution_time.execute_workload"
_PLACE = f"{{SWARM_FILES}}/{FILE}"  # swarm puts the folder in


class SwarmExecutor(Following, BaseExecutor):  # type: ignore[misc]  # Airflow is not there for mypy
    """Hands tasks to swarm and follows them; moves a lost one back to the queue, the same try."""

    supports_callbacks = True
    supports_multi_team = True
    is_local = False
    serve_logs = False
    # The id is in the row before anything is handed over: a scheduler that is killed leaves no
    # task behind of which the next one does not know what it is called in swarm.
    pre_assigns_external_executor_id = True

    def start(self) -> None:
        """Raises `BadSettings`."""
        self._begin(self.conf, self.team_name)
        self._environment = environment(os.environ, self._settings.pass_env, secrets=False) | {
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": get_execution_api_server_url(self.conf)
        }

    def _process_workloads(self, workload_items: Sequence[Any]) -> None:
        for work in workload_items:
            is_task = isinstance(work, workloads.ExecuteTask)
            (self.queued_tasks if is_task else self.queued_callbacks).pop(work.key, None)
            self._take(self._of_task(work) if is_task else _of_callback(work))

    def _of_task(self, work: Any) -> Held:
        id_ = work.ti.external_executor_id
        if not id_:
            id_ = str(uuid.uuid4())
            self.event_buffer[work.key] = (TaskInstanceState.QUEUED, id_)
        row = rows.name(work.ti)
        return Held(id_, work.key, row, work.ti.try_number, time.monotonic(), work)

    def _asked(self, held: Held) -> Asked:
        if held.row is None:  # Airflow keeps no state of it that would have to change after a loss
            return Asked(held.id, f"callback {held.work.display_name}", 1, "self")
        ti = held.work.ti
        return of_instance(held.id, held.key, ti.try_number, ti.queue, ti.executor_config)

    def _program(self, held: Held) -> Program:
        python = self._settings.python or sys.executable
        argv = [python, "-m", _MODULE, "--json-path", _PLACE]
        return Program(argv, self._environment, {FILE: held.work.model_dump_json()})

    def _make_work(self, session: Any, held: Held) -> None:
        """A new token; the rest too if a scheduler that is gone had it."""
        if held.work is None:
            instance = rows.instance(session, held)
            held.work = workloads.ExecuteTask.make(instance, generator=self.jwt_generator)
            return
        subject = held.work.callback.id if held.row is None else held.work.ti.id
        token = held.work.generate_token(str(subject), self.jwt_generator)
        held.work = held.work.model_copy(update={"token": token})

    def _heard(self, change: Change) -> None:
        held = self._book.get(change.id)
        if change.state == RUNNING and held is not None and isinstance(held.key, CallbackKey):
            self.event_buffer[held.key] = (CallbackState.RUNNING, None)


def _of_callback(work: Any) -> Held:
    return Held(str(work.callback.id), work.key, None, 1, time.monotonic(), work)
