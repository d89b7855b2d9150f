"""The executor of Airflow 3: tasks run on swarm's workers, and a worker's death costs no try.

Nothing here talks to the network: `Link` does, in a thread of its own. What has not worked, because
the database was busy or anything else, is tried again at the scheduler's next heartbeat.
"""

import math
import os
import sys
import time
import uuid
from collections.abc import Callable, Sequence
from typing import Any

from airflow.executors import workloads
from airflow.executors.base_executor import BaseExecutor, get_execution_api_server_url
from airflow.models.callback import CallbackKey
from airflow.utils.session import create_session
from airflow.utils.state import CallbackState, TaskInstanceState

from swarm.plugins.airflow import rows, settings
from swarm.plugins.airflow.asked import FILE, Asked, BadNeeds, Program, body, environment
from swarm.plugins.airflow.book import ADOPTED, KEPT, OFFERED, RUNNING, SENT, SUCCEEDED, Book, Held
from swarm.plugins.airflow.losses import Verdict, after_loss
from swarm.plugins.link import Link

_MODULE = "airflow.sdk.execution_time.execute_workload"
_PLACE = f"{{SWARM_FILES}}/{FILE}"  # swarm puts the folder in
_FRESH_SHARE = 1 / 3  # of the time that Airflow lets a task wait and a token live
_AT_ONCE_MAX = 20  # rows in one heartbeat: the database keeps the scheduler waiting
_SILENT_S = 45.0  # over two long polls: swarm is not there
_ORPHANS_MAX = 500
_ORPHANS_S = 5.0  # how often it is asked whether the scheduler of a lost task is dead


class SwarmExecutor(BaseExecutor):  # type: ignore[misc]  # Airflow is not there for mypy
    """Hands tasks to swarm and follows them; moves a lost one back to the queue, the same try."""

    supports_callbacks = True
    supports_multi_team = True
    is_local = False
    serve_logs = False
    # The id is in the row before anything is handed over: a scheduler that is killed leaves no
    # task behind of which the next one does not know what it is called in swarm.
    pre_assigns_external_executor_id = True

    def start(self) -> None:
        """Raises `BadSettings`: a scheduler that cannot run anything must not start."""
        self._settings = settings.read(self.conf, self.team_name)
        self._link = Link(self._settings.url, self._settings.token, self._settings.owner)
        self._book = Book()
        self._queue_max_s = float(self.conf.get("scheduler", "task_queued_timeout"))
        self._dead_after_s = self.conf.getint("scheduler", "scheduler_health_check_threshold")
        self._orphans_at_s = 0.0
        self._environment = environment(os.environ, self._settings.pass_env, secrets=False) | {
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": get_execution_api_server_url(self.conf)
        }
        self._link.start()

    # To swarm

    def _process_workloads(self, workload_items: Sequence[Any]) -> None:
        for work in workload_items:
            is_task = isinstance(work, workloads.ExecuteTask)
            (self.queued_tasks if is_task else self.queued_callbacks).pop(work.key, None)
            self.running.add(work.key)
            held = self._of_task(work) if is_task else _of_callback(work)
            if self._link.contact_age_s() > _SILENT_S:
                held.state = KEPT
                self._book.hold(held)
            else:
                self._hand_over(held)

    def _of_task(self, work: Any) -> Held:
        id_ = work.ti.external_executor_id
        if not id_:
            id_ = str(uuid.uuid4())
            self.event_buffer[work.key] = (TaskInstanceState.QUEUED, id_)
        return Held(id_, work.key, work.ti.id, work.ti.try_number, time.monotonic(), work)

    def _hand_over(self, held: Held) -> None:
        asked = _asked_of_task(held) if held.row is not None else _asked_of_callback(held)
        program = Program(
            [self._settings.python or sys.executable, "-m", _MODULE, "--json-path", _PLACE],
            self._environment,
            _files(held),
        )
        try:
            asked_for = body(asked, program, self._settings)
        except BadNeeds as error:
            self._book.drop(held)
            self.fail(held.key, str(error))
            return
        self._book.hold(held)
        self._link.submit(asked_for)

    # From swarm

    def sync(self) -> None:
        """Called in every round of the scheduler. What fails stops nothing else."""
        self._try(self._hear)
        for held in self._book.lost()[:_AT_ONCE_MAX]:
            self._try(self._settle_loss, held)
        for held in self._book.ended():
            self._try(self._report_end, held)
        before_s = time.monotonic() - self._queue_max_s * _FRESH_SHARE
        for held in self._book.waiting(before_s, _AT_ONCE_MAX):
            self._try(self._freshen_waiting, held)
        if self._link.caught_up and self._link.contact_age_s() <= _SILENT_S:
            for held in self._book.unknown()[:_AT_ONCE_MAX]:
                self._try(self._hand_over_late, held)
        self._try(self._take_orphans)

    def _try(self, step: Callable[..., None], *of: Held) -> None:
        try:
            step(*of)
        except Exception:
            told = f"{step.__name__}{[str(held.key) for held in of]}"
            self.log.exception("swarm: %s did not work; again at the next heartbeat", told)

    def _hear(self) -> None:
        for change in self._link.changes():
            self._book.heard(change)
            held = self._book.get(change.id)
            if change.state == RUNNING and held is not None and isinstance(held.key, CallbackKey):
                self.event_buffer[held.key] = (CallbackState.RUNNING, None)
        for refusal in self._link.refusals():
            self._book.refused(refusal.id, refusal.why)

    def _settle_loss(self, held: Held) -> None:
        """A lost task runs again as the same try, unless Airflow has its end already."""
        with create_session() as session:
            verdict = after_loss(rows.look(session, held.row), held, self.job_id)
            if verdict is Verdict.AGAIN:
                told = f"the worker of grant {held.grant} is lost: the same try runs again"
                if not rows.queue_again(session, held, self.job_id, told):
                    return  # it moves just now
                self._freshen(session, held)
                self.log.warning("swarm: %s: %s", held.key, told)
        self._settle(held, verdict)  # the database has it: now swarm may start it

    def _settle(self, held: Held, verdict: Verdict) -> None:
        held.rearmed = held.grant
        if verdict is Verdict.AGAIN:
            self._link.rearm(held.id, held.grant, files=_files(held))
            return
        if verdict is not Verdict.FORGET:
            self._link.rearm(held.id, held.grant, outcome=verdict.value, detail="says Airflow")
            # As after a supervisor that ended well: the row says what became of the task.
            self._report(held, succeeded=True, info=None)
        else:
            self.running.discard(held.key)
        self._book.drop(held)

    def _report_end(self, held: Held) -> None:
        text = f"swarm task {held.id}: {held.state}" + (f", {held.detail}" if held.detail else "")
        self._report(held, succeeded=held.state == SUCCEEDED, info=text)
        self._book.drop(held)

    def _report(self, held: Held, *, succeeded: bool, info: str | None) -> None:
        """Tell Airflow an end. A task that was queued again meanwhile has another one to wait for:
        told of the old end, Airflow would fail the new one."""
        if not self._book.speaks(held):
            return
        if held.key in self.queued_tasks:
            self.running.discard(held.key)
        elif succeeded:
            self.success(held.key, info)
        else:
            self.fail(held.key, info)

    def _hand_over_late(self, held: Held) -> None:
        """What was kept while swarm did not answer; and what was adopted from a scheduler that may
        have died before it did this, of which swarm has told nothing."""
        with create_session() as session:
            waits = held.row is None or rows.still_queued(session, held, self.job_id)
            if waits:
                self._freshen(session, held)
        held.state = SENT if held.state == KEPT else OFFERED
        if waits:
            self._hand_over(held)

    def _freshen_waiting(self, held: Held) -> None:
        """Nothing that waits for long may look stuck to Airflow, or start with a token that is not
        valid any more."""
        held.fresh_s = time.monotonic()
        with create_session() as session:
            if held.row is not None and not rows.still_queued(session, held, self.job_id):
                return
            self._freshen(session, held)
        if held.state != KEPT:
            self._link.rearm(held.id, held.grant, files=_files(held))

    def _freshen(self, session: Any, held: Held) -> None:
        """Give the workload of a task a new token."""
        held.fresh_s = time.monotonic()
        if held.work is None:
            held.work = rows.workload(session, held.row, self.jwt_generator)
            return
        subject = held.row if held.row is not None else held.work.callback.id
        token = held.work.generate_token(str(subject), self.jwt_generator)
        held.work = held.work.model_copy(update={"token": token})

    # After another scheduler

    def try_adopt_task_instances(self, tis: Sequence[Any]) -> Sequence[Any]:
        """Follow what a scheduler that is gone has handed to swarm; it runs there all the time."""
        left = []
        for instance in tis:
            if instance.external_executor_id:
                self._adopt(instance)
            else:
                left.append(instance)
        return left

    def _adopt(self, instance: Any) -> None:
        """Its token may be of any age."""
        id_, row, attempt = instance.external_executor_id, instance.id, instance.try_number
        self.running.add(instance.key)
        self._book.hold(Held(id_, instance.key, row, attempt, -math.inf, state=ADOPTED))

    def _take_orphans(self) -> None:
        """A task that lost its worker while its scheduler is dead does not wait until Airflow has
        it adopted."""
        now_s = time.monotonic()
        orphans = self._book.orphans()[:_ORPHANS_MAX]
        if not orphans or now_s < self._orphans_at_s:
            return
        self._orphans_at_s = now_s + _ORPHANS_S
        with create_session() as session:
            for instance in rows.take_orphans(session, orphans, self.job_id, self._dead_after_s):
                self.log.warning("swarm: takes over %s of a scheduler that is dead", instance)
                self._adopt(instance)

    # Away from swarm

    def revoke_task(self, *, ti: Any) -> None:
        """Airflow does not want it to run any more."""
        held = self._book.of(ti.key)
        id_ = ti.external_executor_id or (held and held.id)
        self.queued_tasks.pop(ti.key, None)
        self.running.discard(ti.key)
        if id_:
            self._link.cancel(id_)
        if held is not None:
            self._book.drop(held)

    def end(self) -> None:
        """The scheduler stops; what runs in swarm goes on, and the next scheduler adopts it."""
        self._link.close()

    def terminate(self) -> None:
        """The same, at once."""
        self._link.close()


def _files(held: Held) -> dict[str, str]:
    return {FILE: held.work.model_dump_json()}


def _asked_of_task(held: Held) -> Asked:
    ti = held.work.ti
    mapped = f"[{ti.map_index}]" if ti.map_index >= 0 else ""
    subject = f"{ti.dag_id}.{ti.task_id}{mapped} {ti.run_id}"
    return Asked(held.id, subject, ti.try_number, "owner", ti.queue, ti.executor_config)


def _of_callback(work: Any) -> Held:
    return Held(str(work.callback.id), work.key, None, 1, time.monotonic(), work)


def _asked_of_callback(held: Held) -> Asked:
    """Airflow keeps no state of a callback that would have to change: swarm itself repeats it."""
    return Asked(held.id, f"callback {held.work.display_name}", 1, "self")
