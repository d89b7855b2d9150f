"""The actor of alerts, as Ray makes it but in this process: a real journal, real receivers."""

import pytest

from swarm.actors import alerts as module
from swarm.actors.alerts import STREAM, AlertsActor
from swarm.config import Settings
from swarm.model.alerts import AlertComposed, AlertEnded, AlertHeard, Delivery
from swarm.model.graph import FindingChanged
from swarm.store.follow import Follower
from swarm.store.journal import open_journal
from swarm.store.projector import open_projector
from tests.integration.alerts.receivers import an_http_receiver
from tests.integration.here import an_actor, until
from tests.unit.alerts.builders import a_finding, closed


@pytest.fixture
def receiver():
    with an_http_receiver() as running:
        yield running


class World:
    """What a sequencer has written, as the projector brings it to readers."""

    def __init__(self, folder, **targets):
        told = []
        for name, url in targets.items():
            file = folder / f"{name}.url"
            file.write_text(url)
            told.append({"name": name, "kind": "webhook", "address_file": file})
        alerts = {"targets": told, "group_s": 0}
        self.settings = Settings.model_validate({"state_dir": folder, "alerts": alerts})
        self.journal = open_journal("", folder)
        self._stream = self.journal.open("sequencing")
        self._follower = Follower(self.journal, open_projector("", folder))
        self._follower.catch_up()

    def find(self, *findings):
        self._stream.append([FindingChanged(one) for one in findings], 100.0, "outside")
        self._follower.catch_up()

    def lose_the_way(self):
        """As after the log was trimmed: only what is so now can be read."""
        self._follower._projector.reset()
        self._follower.catch_up()

    def records(self, kind):
        return [e for e in self.journal.read(STREAM, 0, 1_000) if isinstance(e.record, kind)]


def findings(receiver):
    return [
        (row["finding"], row["closed"])
        for taken in receiver.taken
        for row in taken.told["findings"]
    ]


def here(receiver):
    return f"http://127.0.0.1:{receiver.port}/"


async def test_a_finding_arrives_and_its_end_too(tmp_path, receiver):
    world = World(tmp_path, chat=here(receiver))
    async with an_actor(AlertsActor, world.settings):
        world.find(a_finding())
        await until(lambda: findings(receiver) == [("f1", False)])
        world.find(closed(a_finding(), 200.0))
        await until(lambda: len(world.records(AlertEnded)) == 2)
    assert findings(receiver) == [("f1", False), ("f1", True)]
    assert (
        receiver.taken[0].told["findings"][0]["key"] == receiver.taken[1].told["findings"][0]["key"]
    )
    assert {entry.record.outcome for entry in world.records(AlertEnded)} == {Delivery.SENT}


async def test_what_was_open_before_there_were_alerts_is_one_message(tmp_path, receiver):
    world = World(tmp_path, chat=here(receiver))
    world.find(*(a_finding(f"f{n}") for n in range(30)), closed(a_finding("old"), 150.0))
    world.lose_the_way()
    async with an_actor(AlertsActor, world.settings):
        await until(lambda: len(world.records(AlertEnded)) == 1)
    (taken,) = receiver.taken
    assert taken.told["title"] == "swarm: 30 new"
    assert (len(taken.told["findings"]), taken.told["left_out"]) == (20, 10)


async def test_a_target_that_refuses_is_asked_again_under_the_same_id(tmp_path, receiver):
    receiver.refusals = [503, 429]
    world = World(tmp_path, chat=here(receiver))
    world.find(a_finding())
    async with an_actor(AlertsActor, world.settings):
        await until(lambda: len(world.records(AlertEnded)) == 1)
    assert receiver.refused == 2
    (composed,) = world.records(AlertComposed)
    assert [taken.told["id"] for taken in receiver.taken] == [composed.record.alert.id]


async def test_what_was_not_sent_before_a_crash_is_sent_after_it(tmp_path, receiver):
    receiver.refusals = [503] * 50
    world = World(tmp_path, chat=here(receiver))
    world.find(a_finding())
    async with an_actor(AlertsActor, world.settings):
        await until(lambda: receiver.refused > 0)
    receiver.refusals.clear()
    (composed,) = world.records(AlertComposed)
    assert world.records(AlertEnded) == []
    async with an_actor(AlertsActor, world.settings):
        await until(lambda: len(world.records(AlertEnded)) == 1)
        ids = {taken.told["id"] for taken in receiver.taken}
        assert ids == {composed.record.alert.id}, "at least once, and known again"
    async with an_actor(AlertsActor, world.settings):
        world.find(a_finding("f2"))
        await until(lambda: len(world.records(AlertEnded)) == 2)
    assert list(dict.fromkeys(findings(receiver))) == [("f1", False), ("f2", False)]


async def test_one_that_is_out_of_reach_does_not_stop_the_other(tmp_path, receiver):
    with an_http_receiver() as away:
        away.refusals = [500] * 1_000
        world = World(tmp_path, chat=here(away), mail=here(receiver))
        async with an_actor(AlertsActor, world.settings):
            for name in ("f1", "f2"):
                world.find(a_finding(name))
                await until(lambda name=name: (name, False) in findings(receiver))
        assert away.taken == []
        assert (
            len([e for e in world.records(AlertComposed) if e.record.alert.target == "chat"]) == 1
        )


async def test_an_address_that_was_replaced_is_where_it_goes_from_then_on(tmp_path, receiver):
    with an_http_receiver() as before:
        world = World(tmp_path, chat=here(before))
        async with an_actor(AlertsActor, world.settings):
            world.find(a_finding("f1"))
            await until(lambda: findings(before) == [("f1", False)])
            (tmp_path / "chat.url").write_text(here(receiver))
            world.find(a_finding("f2"))
            await until(lambda: findings(receiver) == [("f2", False)])
        assert findings(before) == [("f1", False)]


async def test_what_nobody_takes_is_given_up_and_says_why(tmp_path, receiver, monkeypatch):
    monkeypatch.setattr(module, "_GIVE_UP_S", -1.0)
    receiver.refusals = [410]
    world = World(tmp_path, chat=here(receiver))
    world.find(a_finding())
    async with an_actor(AlertsActor, world.settings):
        await until(lambda: len(world.records(AlertEnded)) == 1)
    (ended,) = world.records(AlertEnded)
    assert ended.record.outcome is Delivery.GIVEN_UP
    assert "410" in ended.record.detail


async def test_what_closed_while_nobody_could_read_it_is_told_as_closed(tmp_path, receiver):
    world = World(tmp_path, chat=here(receiver))
    world.find(a_finding("f1"), a_finding("f2"))
    async with an_actor(AlertsActor, world.settings):
        await until(lambda: len(world.records(AlertEnded)) == 1)
    world.find(closed(a_finding("f1"), 300.0))
    world.lose_the_way()
    async with an_actor(AlertsActor, world.settings):
        await until(lambda: len(world.records(AlertEnded)) == 2)
    assert findings(receiver)[2:] == [("f1", True)]


async def test_what_was_heard_carries_the_cause_of_its_finding(tmp_path, receiver):
    world = World(tmp_path, chat=here(receiver))
    world.find(a_finding("f1"))
    async with an_actor(AlertsActor, world.settings):
        await until(lambda: len(world.records(AlertEnded)) == 1)
        world.find(a_finding("f2"))
        await until(lambda: len(world.records(AlertEnded)) == 2)
    causes = {entry.record.finding.id: entry.cause_id for entry in world.records(AlertHeard)}
    assert causes == {"f1": STREAM, "f2": "outside"}, "f1 was there before anybody listened"
