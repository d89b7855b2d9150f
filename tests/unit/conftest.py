"""Unit tests touch no network, start no Ray and never wait: each attempt fails the test."""

import socket
import sys
import time
from collections.abc import Iterator
from typing import Any, NoReturn

import pytest


def _forbid(what: str) -> Any:
    def refuse(*args: object, **kwargs: object) -> NoReturn:
        raise AssertionError(f"a unit test may not use {what}; it belongs to another folder")

    return refuse


class _NoSocket(socket.socket):
    """Local pairs are allowed (asyncio wakes its own loop with one), connections are not."""

    connect = _forbid("socket.connect")
    connect_ex = _forbid("socket.connect_ex")
    bind = _forbid("socket.bind")


@pytest.fixture(autouse=True)
def _nothing_outside(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(socket, "socket", _NoSocket)
    monkeypatch.setattr(time, "sleep", _forbid("time.sleep"))
    yield
    ray = sys.modules.get("ray")
    if ray is not None and ray.is_initialized():
        ray.shutdown()
        raise AssertionError("a unit test may not use ray.init; it belongs to tests/actors")
