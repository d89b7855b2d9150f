"""A catalogue is told what swarm found: the actor in this process, HTTP, a real journal."""

import contextlib
from dataclasses import replace

import pytest

from swarm.actors.publisher import STREAM, PublisherActor
from swarm.config import Publishing, Settings
from swarm.connectors.publishing import Catalogue, authorization
from swarm.errors import ConfigError, Unauthorized, Unavailable
from swarm.model.graph import DependencyChanged
from swarm.model.journal import LineageTold
from swarm.model.keys import DatasetKey, TaskKey
from swarm.model.lineage import Dependency, DependencyKey
from swarm.store.follow import Follower
from swarm.store.journal import open_journal
from swarm.store.projector import open_projector
from tests.integration.alerts.receivers import an_http_receiver
from tests.integration.here import an_actor, until

KEY = DependencyKey(
    TaskKey("af", "crm", "export"),
    TaskKey("dag", "close", "load"),
    DatasetKey("pg://dwh", "orders"),
)
FOUND = Dependency(KEY, False, 0.93, ())


@pytest.fixture
def catalogue():
    with an_http_receiver() as running:
        yield running


class World:
    """What the graph actor has written, as the projector brings it to readers."""

    def __init__(self, folder, port, token="secret"):
        file = folder / "token"
        file.write_text(token)
        publish = {"url": f"http://127.0.0.1:{port}/api/v1/lineage", "token_file": file}
        self.settings = Settings.model_validate({"state_dir": folder, "publish": publish})
        self.journal = open_journal("", folder)
        self._stream = self.journal.open("graph")
        self._follower = Follower(self.journal, open_projector("", folder))

    def find(self, *dependencies):
        self._stream.append([DependencyChanged(1, one) for one in dependencies], 1.0, "cause")
        self._follower.catch_up()

    def told(self):
        return [entry.record for entry in self.journal.read(STREAM, 0, 100)]


def names(catalogue):
    return sorted(taken.told["job"]["name"] for taken in catalogue.taken)


async def test_both_ends_of_what_was_found_are_told_once(tmp_path, catalogue):
    world = World(tmp_path, catalogue.port)
    world.find(FOUND)
    async with an_actor(PublisherActor, world.settings):
        await until(lambda: len(world.told()) == 2)
    assert names(catalogue) == ["close.load", "crm.export"]
    assert {taken.path for taken in catalogue.taken} == {"/api/v1/lineage"}
    assert {taken.headers["Authorization"] for taken in catalogue.taken} == {"Bearer secret"}
    other = replace(FOUND, key=replace(KEY, downstream=TaskKey("dag", "deck", "draw")))
    async with an_actor(PublisherActor, world.settings):
        world.find(other)
        await until(lambda: len(world.told()) == 4)
    assert names(catalogue) == ["close.load", "crm.export", "crm.export", "deck.draw"]


async def test_a_catalogue_that_is_away_is_told_when_it_is_back(tmp_path, catalogue):
    catalogue.refusals = [503, 401]
    world = World(tmp_path, catalogue.port)
    world.find(FOUND)
    async with an_actor(PublisherActor, world.settings):
        await until(lambda: len(world.told()) == 2)
    assert catalogue.refused == 2
    assert names(catalogue) == ["close.load", "crm.export"]


async def test_an_event_that_is_not_wanted_does_not_stop_the_others(tmp_path, catalogue):
    catalogue.refusals = [422]
    world = World(tmp_path, catalogue.port)
    world.find(FOUND)
    async with an_actor(PublisherActor, world.settings):
        await until(lambda: len(world.told()) == 2)
    refused = [told for told in world.told() if told.refused]
    assert len(refused) == 1
    assert "422" in refused[0].refused
    assert isinstance(refused[0], LineageTold)
    assert len(catalogue.taken) == 1


def test_what_goes_wrong_is_told_by_who_has_to_act(tmp_path, catalogue):
    settings = Publishing(url=f"http://127.0.0.1:{catalogue.port}/")
    with contextlib.closing(Catalogue(settings)) as line:
        catalogue.refusals = [401, 500]
        with pytest.raises(Unauthorized):
            line.tell({})
        with pytest.raises(Unavailable):
            line.tell({})
    with pytest.raises(ConfigError, match=r"publish\.token_file: .*No such file"):
        authorization(replace_file(settings, tmp_path / "none"))


def test_a_token_that_was_replaced_is_told_from_then_on(tmp_path, catalogue):
    file = tmp_path / "token"
    settings = Publishing(url=f"http://127.0.0.1:{catalogue.port}/", token_file=str(file))
    with contextlib.closing(Catalogue(settings)) as line:
        for token in ("old", "new"):
            file.write_text(token)
            assert line.tell({}) == ""
        file.unlink()
        with pytest.raises(Unavailable, match=r"publish\.token_file: .*No such file"):
            line.tell({})
    told = [taken.headers["Authorization"] for taken in catalogue.taken]
    assert told == ["Bearer old", "Bearer new"]


def replace_file(settings, file):
    return settings.model_copy(update={"token_file": str(file)})
