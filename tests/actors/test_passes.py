"""A program that runs on a real worker calls the real API by the pass of its grant."""

import asyncio
import os
import sys
from pathlib import Path

import pytest

from swarm.client import AsyncClient, Unauthorized
from tests.actors.places import a_dispatcher, a_worker
from tests.actors.test_link import TOKEN, an_api
from tests.unit.documents import ROOT

PROGRAM = """
import os, swarm
print(open(os.environ["SWARM_TOKEN_FILE"]).read())
with swarm.Client() as client:
    print(client.task(os.environ["SWARM_TASK"])["grant"])
    for name in ("other", None):
        try:
            print(client.task(name) if name else list(client.pipelines()))
        except swarm.client.Forbidden as error:
            print(error.code)
"""


@pytest.mark.parametrize("as_call", [False, True])
async def test_it_opens_while_it_runs_for_itself_alone(tmp_path: Path, as_call: bool) -> None:
    (tmp_path / "mine.py").write_text(f"def ask():\n    exec({PROGRAM!r})\n")
    argv = [sys.executable, "-c", PROGRAM]
    work = {"call": {"path": "mine:ask"}} if as_call else {"argv": argv}
    env = {"PYTHONPATH": os.pathsep.join([str(ROOT), str(tmp_path)])}
    async with (
        a_dispatcher(tmp_path) as dispatcher,
        a_worker(dispatcher, tmp_path),
        an_api(tmp_path, dispatcher) as url,
        AsyncClient(url, TOKEN) as client,
    ):
        ids = await client.submit(
            [
                {"id": "t", **work, "env": env, "cwd": str(tmp_path), "api": True},
                {"id": "other", "argv": ["true"]},
            ]
        )
        ended = [await client.wait(id_, 180.0) for id_ in ids]
        said = (tmp_path / "w" / "output" / "t.1").read_text()
        assert [one["state"] for one in ended] == ["succeeded"] * 2, said
        token, *told = said.split()
        assert told == ["1", "forbidden", "forbidden"]
        async with AsyncClient(url, token, retry_for_s=0.0) as late:
            assert (await refusal(late)).code == "attempt-over"


async def refusal(late: AsyncClient) -> Unauthorized:
    """The API hears of the end of a grant a moment after those who read its story."""
    async with asyncio.timeout(180):
        while True:
            try:
                await late.task("t")
            except Unauthorized as refused:
                return refused
