"""One swarm for the orchestrators that share it."""

from collections.abc import Iterator

import pytest

from benchmarks.live_swarm import LiveSwarm, running_swarm


@pytest.fixture(scope="session")
def swarm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveSwarm]:
    with running_swarm(tmp_path_factory.mktemp("swarm"), slots=4) as swarm:
        yield swarm
