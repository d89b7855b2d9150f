"""The places of the tests that are run: all of them start, and are lived in, at the same time."""

import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.integration.hands.beside import HandProcess, Lived, Place, Teller, living


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "story" in metafunc.fixturenames:
        metafunc.parametrize("story", metafunc.module.PLACE.begin)


@dataclass
class _Places:
    """A thread for each place: from the start of its server to where nobody needs it any more."""

    pool: ThreadPoolExecutor
    folder: Callable[[str], Path]
    lived: dict[str, Future[Lived]] = field(default_factory=dict)
    left: dict[str, threading.Event] = field(default_factory=dict)

    def enter(self, place: Place) -> None:
        if place.kind not in self.lived:
            self.lived[place.kind], self.left[place.kind] = Future(), threading.Event()
            self.pool.submit(self._live, place, self.folder(place.kind))

    def _live(self, place: Place, folder: Path) -> None:
        lived = self.lived[place.kind]
        try:
            with living(place, folder) as found:
                lived.set_result(found)
                self.left[place.kind].wait()
        except BaseException as error:
            if lived.done():
                raise
            lived.set_exception(error)


@pytest.fixture(scope="session")
def places(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[_Places]:
    modules = {getattr(item, "module", None) for item in request.session.items}
    with ExitStack() as stack:
        pool = stack.enter_context(ThreadPoolExecutor(8))
        places = _Places(pool, tmp_path_factory.mktemp)
        stack.callback(lambda: [event.set() for event in places.left.values()])
        if not hasattr(request.config, "workerinput"):  # else every process would start them all
            for module in modules:
                if hasattr(module, "PLACE"):
                    places.enter(module.PLACE)
        yield places


@pytest.fixture(scope="module")
def lived(request: pytest.FixtureRequest, places: _Places) -> Iterator[Lived]:
    """What became of the stories of a module's place."""
    place: Place = request.module.PLACE
    places.enter(place)
    yield places.lived[place.kind].result()
    places.left[place.kind].set()


@pytest.fixture(scope="module")
def server(lived: Lived) -> Any:
    """The orchestrator of a module."""
    return lived.server


@pytest.fixture(scope="module")
def hand(lived: Lived) -> HandProcess:
    return lived.hand


@pytest.fixture
async def teller(hand: HandProcess) -> AsyncIterator[Teller]:
    """Who tells the hand of a module what to do."""
    async with hand.told() as teller:
        yield teller
