"""The executor of Airflow 2.11. A task there is a command that opens Airflow's database itself: it
holds no token that could get too old."""

import os
import sys
import time
import uuid
from typing import Any

from airflow.configuration import conf
from airflow.executors.base_executor import BaseExecutor
from airflow.utils.state import TaskInstanceState

from swarm.plugins.airflow import rows
from swarm.plugins.airflow.asked import Asked, Program, environment, of_instance
from swarm.plugins.airflow.book import Held
from swarm.plugins.airflow.following import Following

# By this name `airflow tasks run` puts the id into the row when it starts.
_ID = "external_executor_id"


class SwarmExecutor2(Following, BaseExecutor):  # type: ignore[misc]  # Airflow is not there for mypy
    """As `SwarmExecutor`, but Airflow 2 knows a task's id in swarm only after it was handed over:
    a scheduler that is killed in between leaves one behind that the next does not adopt."""

    supports_pickling = False
    is_local = False
    serve_logs = False

    def start(self) -> None:
        """Raises `BadSettings`."""
        self._begin(conf)
        self._environment = environment(os.environ, self._settings.pass_env, secrets=True)

    def execute_async(
        self, key: Any, command: Any, queue: str | None = None, executor_config: Any = None
    ) -> None:
        """Hand a task over."""
        self.validate_airflow_tasks_run_command(command)
        id_ = str(uuid.uuid4())
        work = (command, queue, executor_config)
        self._take(Held(id_, key, rows.name(key), key.try_number, time.monotonic(), work))
        self.event_buffer.setdefault(key, (TaskInstanceState.QUEUED, id_))

    def _process_tasks(self, task_tuples: list[Any]) -> None:
        for key, command, queue, executor_config in task_tuples:
            del self.queued_tasks[key]
            self.execute_async(key, command, queue, executor_config)

    def _asked(self, held: Held) -> Asked:
        _, queue, executor_config = held.work
        return of_instance(held.id, held.key, held.attempt, queue, executor_config)

    def _program(self, held: Held) -> Program:
        python = self._settings.python or sys.executable
        argv = [python, "-m", *held.work[0]]
        return Program(argv, self._environment | {_ID: held.id}, {})

    def _make_work(self, session: Any, held: Held) -> None:
        if held.work is None:
            instance = rows.instance(session, held)
            command = instance.command_as_list(local=True, pool=instance.pool)
            held.work = (command, instance.queue, instance.executor_config)
