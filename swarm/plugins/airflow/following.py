"""What the executors of both Airflows have in common: to follow what swarm does with their tasks.

Nothing here talks to the network: `Link` does, in a thread of its own. What has not worked, because
the database was busy or anything else, is tried again at the scheduler's next heartbeat.
"""

import math
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from airflow.utils.session import create_session

from swarm.plugins.airflow import rows, settings
from swarm.plugins.airflow.asked import Asked, BadNeeds, Program, body
from swarm.plugins.airflow.book import (
    ADOPTED,
    FAILED,
    KEPT,
    OFFERED,
    SENT,
    SKIPPED,
    SUCCEEDED,
    Book,
    Held,
)
from swarm.plugins.airflow.losses import Verdict, after_loss
from swarm.plugins.link import Change, Link

_FRESH_SHARE = 1 / 3  # of the time that Airflow lets a task wait and a token live
_AT_ONCE_MAX = 20  # rows in one heartbeat: the database keeps the scheduler waiting
_SILENT_S = 45.0  # over two long polls: swarm is not there
_ORPHANS_MAX = 500
_ORPHANS_S = 5.0  # how often it is asked whether the scheduler of a lost task is dead


class Following:
    """Goes before Airflow's `BaseExecutor`, whose attributes these are."""

    job_id: Any
    log: Any
    running: set[Any]
    queued_tasks: dict[Any, Any]
    event_buffer: dict[Any, Any]
    success: Callable[..., None]
    fail: Callable[..., None]

    # What the two Airflows do differently.

    def _asked(self, held: Held) -> Asked:
        raise NotImplementedError

    def _program(self, held: Held) -> Program:
        raise NotImplementedError

    def _make_work(self, session: Any, held: Held) -> None:
        """Give a task what a worker is told to run, good for as long as a task may wait."""
        raise NotImplementedError

    def _heard(self, change: Change) -> None:
        """Something was told; the book has it."""

    # The course of a task.

    def _begin(self, conf: Any, team_name: str | None = None) -> None:
        """Raises `BadSettings`: a scheduler that cannot run anything must not start."""
        self._settings = settings.read(conf, team_name)
        self._link = Link(self._settings.url, self._settings.token, self._settings.owner)
        self._book = Book()
        self._queue_max_s = float(conf.get("scheduler", "task_queued_timeout"))
        self._dead_after_s = float(conf.get("scheduler", "scheduler_health_check_threshold"))
        self._orphans_at_s = 0.0
        self._link.start()

    def _take(self, held: Held) -> None:
        """Hand a new task over, or keep it while swarm does not answer."""
        self.running.add(held.key)
        if self._link.contact_age_s() > _SILENT_S:
            held.state = KEPT
            self._book.hold(held)
        else:
            self._hand_over(held)

    def _hand_over(self, held: Held) -> None:
        try:
            asked_for = body(
                self._asked(held), self._program(held), self._settings, self._queue_max_s
            )
        except BadNeeds as error:
            self._book.drop(held)
            self.fail(held.key, str(error))
            return
        self._book.hold(held)
        self._link.submit(asked_for)

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
            self._heard(change)
        for refusal in self._link.refusals():
            self._book.refused(refusal.id, refusal.why)

    def _settle_loss(self, held: Held) -> None:
        """A lost task runs again as the same try, unless Airflow has its end already."""
        with create_session() as session:
            verdict = after_loss(rows.look(session, held), held, self.job_id)
            if verdict is Verdict.AGAIN:
                told = f"the worker of grant {held.grant} is lost: the same try runs again"
                if not rows.queue_again(session, held, self.job_id, told):
                    return  # it moves just now
                self._make_fresh(session, held)
                self.log.warning("swarm: %s: %s", held.key, told)
        self._settle(held, verdict)  # the database has it: now swarm may start it

    def _settle(self, held: Held, verdict: Verdict) -> None:
        held.rearmed = held.grant
        if verdict is Verdict.AGAIN:
            self._link.rearm(held.id, held.grant, **self._fresh_fields(held))
            return
        if verdict is not Verdict.FORGET:
            self._link.rearm(held.id, held.grant, outcome=verdict.value, detail="says Airflow")
            # As after a supervisor that ended well: the row says what became of the task.
            self._report(held, succeeded=True, info=None)
        else:
            self.running.discard(held.key)
        self._book.drop(held)

    def _report_end(self, held: Held) -> None:
        if held.state == FAILED and self._begins_again(held):
            return
        if held.state == SKIPPED and held.row is not None:
            self._leave_out(held)
            return
        text = f"swarm task {held.id}: {held.state}" + (f", {held.detail}" if held.detail else "")
        self._report(held, succeeded=held.state == SUCCEEDED, info=text)
        self._book.drop(held)

    def _leave_out(self, held: Held) -> None:
        """A task whose run was held until its latest start is skipped, as Airflow itself skips."""
        with create_session() as session:
            is_left_out = rows.leave_out(session, held, self.job_id, held.detail)
        if is_left_out:
            self.log.warning("swarm: %s: %s", held.key, held.detail)
            self._report(held, succeeded=True, info=None)  # the row says what became of it
        else:
            self.running.discard(held.key)
        self._book.drop(held)

    def _begins_again(self, held: Held) -> bool:
        """A program that failed while Airflow still has its task queued never came to the user's
        code: its token was too old, or nobody answered it. It is handed over once more, as another
        task of swarm and the same try."""
        if held.row is None or held.is_second or not self._book.speaks(held):
            return False
        again = replace(held, id=str(uuid.uuid4()), state=SENT, grant=0, rearmed=-1, is_second=True)
        told = f"{held.detail}: it had not begun, and is handed over once more"
        with create_session() as session:
            if not rows.hand_over_again(session, held, self.job_id, again.id, told):
                return False
            self._make_fresh(session, again)
        self.log.warning("swarm: %s: %s", held.key, told)
        self._book.drop(held)
        self._hand_over(again)
        return True

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
                self._make_fresh(session, held)
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
            self._make_fresh(session, held)
        if held.state != KEPT:
            self._link.rearm(held.id, held.grant, **self._fresh_fields(held))

    def _make_fresh(self, session: Any, held: Held) -> None:
        held.fresh_s = time.monotonic()
        self._make_work(session, held)

    def _fresh_fields(self, held: Held) -> Mapping[str, Any]:
        """Of the body, what a new token changes."""
        files = dict(self._program(held).files)
        return {"files": files} if files else {}

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
        id_, row, attempt = instance.external_executor_id, rows.name(instance), instance.try_number
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
