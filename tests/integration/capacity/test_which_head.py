"""Which processes are the head, among others of Ray that come and go."""

import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

from swarm.capacity.head import find
from swarm.demo.processes import free_ports

Start = Callable[..., psutil.Process]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start something that Ray could have: it has a name and words, and stays."""
    with ExitStack() as stack:

        def started(name: str, *words: str) -> psutil.Process:
            program = tmp_path / name
            program.write_text("#!/bin/sh\necho\nread _\n")
            program.chmod(0o700)
            pipe = subprocess.PIPE
            process = subprocess.Popen([program, *words], stdin=pipe, stdout=pipe)
            stack.enter_context(process)
            stack.callback(process.kill)
            assert process.stdout is not None
            assert process.stdout.read(1)
            return psutil.Process(process.pid)

        yield started


@pytest.fixture
def server(start: Start) -> tuple[psutil.Process, int]:
    (port,) = free_ports(1)
    words = ("--redis_address=127.0.0.1", f"--gcs_server_port={port}", "--session-name=ours")
    return start("gcs_server", *words), port


def test_the_node_of_a_head_is_the_one_that_was_there_first(
    start: Start, server: tuple[psutil.Process, int]
) -> None:
    start("raylet", "--session=theirs")
    node = start("raylet", "--session=ours")
    start("raylet", "--session=ours")
    head = find(server[1])
    assert head is not None
    assert (head.server, head.node) == (server[0], node)


def test_one_that_has_just_ended_hides_no_other(
    start: Start, server: tuple[psutil.Process, int]
) -> None:
    for process in (start("gcs_server"), start("raylet")):
        process.kill()  # nobody has asked for its end yet
    node = start("raylet", "--session=ours")
    head = find(server[1])
    assert head is not None
    assert (head.server, head.node) == (server[0], node)


def test_a_server_whose_node_is_not_there_is_no_head(server: tuple[psutil.Process, int]) -> None:
    assert find(server[1]) is None
