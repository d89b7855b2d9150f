"""Work from handing in to its end: submit, wait, follow what it prints."""

import hashlib
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import inf
from typing import Any

from swarm.client.call import Call, post
from swarm.client.calls.tasks import LIVE, NewTask, TaskOutput, TaskStory, output_part
from swarm.client.calls.tasks import task as asked
from swarm.client.errors import CallFailed, NotFound
from swarm.client.steps import Given, Now, Parts, Patience, Pause, Steps, sent

AT_ONCE = 10_000
"""How many tasks the API takes in one request."""
_KEY_MAX = 200  # characters that it takes of a key
_SHOWN_WITHIN_S = 30.0  # what was taken comes to the readers a moment later
_FIRST_LOOK_S = 0.05
_MOST_LOOK_S = 1.0
_ONE_MOMENT_S = 0.001
_LAST_LOOK_S = 1.0  # that an answer may take once the time is over: it tells how it ended
_PRINTED_LOOK_S = 0.3


def submit(
    patience: Patience,
    tasks: Sequence[NewTask] | Sequence[Mapping[str, Any]],
    *,
    idempotency_key: str | None = None,
) -> Steps[list[str]]:
    """Hand in tasks and return their ids: each will reach exactly one outcome. A task is
    `{"argv": [...]}` or `{"call": {"path": "package.module:function", "args": {...}}}` or
    `{"capability": ..., "item": ...}` for an agent, and what `NewTask` has besides.

    Up to 10,000 are taken all or none; more go in batches of so many, in order. Sending the same
    tasks again under the same `idempotency_key`, or with ids of your own, makes no second task.
    Without a key one is made, and kept while the client sends again; where it gives up, the error
    has it as `idempotency_key`.
    """
    key = idempotency_key or secrets.token_hex(16)
    ids: list[str] = []
    for begin in range(0, len(tasks), AT_ONCE):
        batch = list(tasks[begin : begin + AT_ONCE])
        call = post("tasks", {"tasks": batch}, key=_key(key, begin // AT_ONCE))
        try:
            ids += (yield from sent(call, patience))["tasks"]
        except CallFailed as error:
            error.idempotency_key = key  # that of all of them, not of this batch
            raise
    return ids


def wait(patience: Patience, task: str, timeout_s: float | None = None) -> Steps[TaskStory]:
    """Wait until a task has ended, however it ended; its story. Raises `TimeoutError` where it has
    not within `timeout_s`, `Unreachable` where nothing answers until then, and `NotFound` where
    nobody handed it in."""
    (story,) = yield from wait_all(patience, [task], timeout_s)
    return story


def wait_all(
    patience: Patience, tasks: Sequence[str], timeout_s: float | None = None
) -> Steps[list[TaskStory]]:
    """Wait until all these tasks have ended, however they ended; their stories, in order. Raises
    `TimeoutError` where one has not within `timeout_s` of now, and as `wait` does."""
    stories: list[TaskStory] = []
    began_s: float = yield Now()
    for task in tasks:
        look_s = _FIRST_LOOK_S
        while True:
            now_s: float = yield Now()
            left_s = inf if timeout_s is None else began_s + timeout_s - now_s
            until_end = replace(patience, for_s=max(0.0, min(patience.for_s, left_s)))
            look = _within(asked(task), max(left_s, _LAST_LOOK_S))
            story = yield from _shown(until_end, look, now_s - began_s)
            if story is not None and story["state"] not in LIVE:
                stories.append(story)
                break
            if left_s < _ONE_MOMENT_S:
                done = f"{len(stories)} of {len(tasks)} tasks have ended"
                raise TimeoutError(f"{done}; {_still(task, story, now_s - began_s)}")
            yield Pause(min(look_s, left_s))
            look_s = min(_MOST_LOOK_S, 1.5 * look_s)
    return stories


def follow(patience: Patience, task: str) -> Parts[bytes]:
    """What a task prints, as it prints it, until it has ended; from the beginning of the grant that
    it has, and of all that come after. Where a second copy goes on with a grant whose worker was
    lost, from the beginning of what that copy prints."""
    at, offset = -1, 0
    began_s: float = yield Now()
    while True:
        now_s: float = yield Now()
        story = yield from _shown(patience, asked(task), now_s - began_s)
        printed = b""
        if story is None:
            at = 0
        else:
            # A copy that does not lead runs beside one that does, and prints the same.
            told = [one for one in story["outputs"] if one["leads"] or not one["is_copy"]]
            at = len(told) if at < 0 else at  # counted from one; 0: none has begun
            while at < len(told):
                if at:
                    yield from _rest(patience, task, told[at - 1], offset)
                at, offset = at + 1, 0
            if at:
                part = _of(task, told[at - 1], offset)
                printed, offset = yield from sent(part, patience)
        if printed:
            yield Given(printed)
        elif story is not None and story["state"] not in LIVE:
            return
        else:
            yield Pause(_PRINTED_LOOK_S)


def output(
    patience: Patience, task: str, grant: int | None = None, *, copy: bool | None = None
) -> Steps[bytes]:
    """What a task has printed under a grant, its newest unless named; `copy`: by the grant's second
    copy, or by the first (None: by the one that leads). Of more than 5 MiB only the beginning and
    the end, and a line between that says how much is missing."""
    whole, offset = bytearray(), 0
    while True:
        part = output_part(task, grant, offset, copy=copy)
        printed, offset = yield from sent(part, patience)
        if not printed:
            return bytes(whole)
        whole += printed


def _rest(patience: Patience, task: str, one: TaskOutput, offset: int) -> Parts[bytes]:
    """What an output that is over has from there on."""
    while True:
        printed, offset = yield from sent(_of(task, one, offset), patience)
        if not printed:
            return
        yield Given(printed)


def _of(task: str, one: TaskOutput, offset: int) -> Call[tuple[bytes, int]]:
    return output_part(task, one["grant"], offset, copy=one["is_copy"])


def _key(key: str, batch: int) -> str:
    """Under which a batch goes: the first under the key itself, each other under one of its own."""
    if not batch:
        return key
    own = f"{key}#{batch}"
    if len(own) <= _KEY_MAX:
        return own
    return f"{hashlib.sha256(key.encode()).hexdigest()}#{batch}"


def _shown(patience: Patience, look: Call[TaskStory], waited_s: float) -> Steps[TaskStory | None]:
    """The task, or None: one that was just taken is shown a moment later."""
    try:
        return (yield from sent(look, patience))
    except NotFound:
        if waited_s > _SHOWN_WITHIN_S:
            raise
        return None


def _within(look: Call[TaskStory], most_s: float) -> Call[TaskStory]:
    return replace(look, request=replace(look.request, within_s=most_s))


def _still(task: str, story: TaskStory | None, waited_s: float) -> str:
    state = "not shown yet" if story is None else story["state"]
    why = story["waiting_text"] if story is not None else None
    return f"task {task} is {state} after {waited_s:.0f} s" + (f": {why}" if why else "")
