"""Carries the client's steps out without a network: a script answers, pauses move the clock."""

import json
from collections.abc import Iterator
from typing import Any

from swarm.client.call import Answer, Request
from swarm.client.steps import Broken, Effect, Given, Listen, Now, Parts, Patience, Pause, Steps

PATIENT = Patience(30.0, draw=lambda: 1.0)
REFUSED = Broken("nothing listens", was_sent=False)
CUT = Broken("it broke off", was_sent=True)


def ok(body: Any = None, **headers: str) -> Answer:
    """A good answer with JSON, or with bytes as they are."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return Answer(200, {name.replace("_", "-"): text for name, text in headers.items()}, content)


def no(status: int, code: str = "code", **more: Any) -> Answer:
    """A problem document; `retry_after` is a header of it."""
    after = more.pop("retry_after", None)
    headers = {} if after is None else {"retry-after": str(after)}
    body = {"code": code, "detail": f"it is {code}", "fix": f"mend {code}"} | more
    return Answer(status, headers, json.dumps(body).encode())


class Script:
    """Answers in the order given; more requests than these fail the test."""

    def __init__(self, *answers: Any) -> None:
        self._answers = list(answers)
        self.now_s = 1_000.0
        self.sent: list[Request] = []
        self.pauses: list[float] = []

    @property
    def is_played(self) -> bool:
        return not self._answers

    def run(self, steps: Steps[Any]) -> Any:
        came: Any = None
        while True:
            try:
                step = steps.send(came)
            except StopIteration as done:
                return done.value
            came = self._came(step)

    def walk(self, parts: Parts[Any]) -> Iterator[Any]:
        came: Any = None
        while True:
            try:
                step = parts.send(came)
            except StopIteration:
                return
            if isinstance(step, Given):
                yield step.item
                came = None
            else:
                came = self._came(step)

    def _came(self, step: Effect) -> Any:
        if isinstance(step, Pause):
            self.pauses.append(step.for_s)
            self.now_s += step.for_s
            return None
        if isinstance(step, Now):
            return self.now_s
        if isinstance(step, Request | Listen):
            self.sent.append(step if isinstance(step, Request) else step.request)
        assert self._answers, f"nobody expected {step}"
        return self._answers.pop(0)
