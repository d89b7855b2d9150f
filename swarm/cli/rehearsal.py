"""`--dry-run`: a client that reads as ever, and tells of the first change and never sends it."""

import json

from swarm.client import Client
from swarm.client.call import Answer, Request
from swarm.client.steps import Broken, Effect


class Rehearsed(Exception):
    """The change that would have been sent."""

    def __init__(self, request: Request) -> None:
        super().__init__(request.method, request.path)
        self.request = request

    def __str__(self) -> str:
        body = json.loads(self.request.content) if self.request.content else {}
        told = json.dumps(body, ensure_ascii=False)
        return f"{self.request.method} /api/v1/{self.request.path} {told}"


class Rehearsal(Client):
    """Whatever is no question is raised as `Rehearsed`, and never sent."""

    def _do(self, step: Effect) -> Answer | Broken | float | None:
        if isinstance(step, Request) and step.method != "GET":
            raise Rehearsed(step)
        return super()._do(step)
