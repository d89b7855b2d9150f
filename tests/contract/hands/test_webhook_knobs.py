"""A team's own webhook as the knobs of a source."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from swarm.config import HandPlace, Settings, Source
from swarm.connectors.knobs import Knobs
from swarm.connectors.registry import knobs_of
from swarm.demo.processes import free_ports
from swarm.errors import ConnectorError, Unauthorized, Unavailable
from swarm.model.intents import Act, Carried, Intent
from swarm.model.keys import PipelineKey
from tests.integration.alerts.receivers import Receiver, an_http_receiver

HOLD = Intent(PipelineKey("cron", "load"), 7, Act.HOLD, "a is late", 1000.0, due_s=(990.0,))


@pytest.fixture
def webhook() -> Iterator[Receiver]:
    with an_http_receiver() as receiver:
        yield receiver


def knobs(port: int, folder: Path) -> Knobs:
    token = folder / "token"
    token.write_text("of the knobs alone\n")
    source = Source(kind="crontab", name="cron", token_file=token, timeout_s=120)
    place = HandPlace(webhook_url=f"http://127.0.0.1:{port}/knobs")
    return knobs_of(source, Settings(state_dir=folder, hand=place))


async def test_it_is_told_what_to_hold_and_to_release(webhook: Receiver, tmp_path: Path) -> None:
    turned = knobs(webhook.port, tmp_path)
    mark = (await turned.look(HOLD, "", False)).mark
    assert webhook.taken == [], "to look changes nothing"
    for _ in range(2):
        assert (await turned.turn(HOLD, mark))[0] is Carried.DONE
    assert (await turned.undo(HOLD, mark, True))[0] is Carried.DONE
    held, again, released = webhook.taken
    assert {taken.path for taken in webhook.taken} == {"/knobs"}
    assert [taken.told["act"] for taken in webhook.taken] == ["hold", "hold", "release"]
    assert {taken.told["pipeline"] for taken in webhook.taken} == {"load"}
    assert held.told["due_s"] == released.told["due_s"] == [990.0]
    keys = [taken.headers["Idempotency-Key"] for taken in webhook.taken]
    assert keys[0] == keys[1] == held.told["key"] != keys[2]
    assert again.told == held.told
    assert held.headers["Authorization"] == "Bearer of the knobs alone"


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (404, Carried.GONE),
        (410, Carried.GONE),
        (409, Carried.OVERRULED),
        (422, Carried.REFUSED),
    ],
)
async def test_its_status_says_how_it_went(
    webhook: Receiver, tmp_path: Path, status: int, outcome: Carried
) -> None:
    turned = knobs(webhook.port, tmp_path)
    webhook.refusals.append(status)
    assert (await turned.turn(HOLD, (await turned.look(HOLD, "", False)).mark))[0] is outcome


@pytest.mark.parametrize(
    ("status", "error"), [(500, Unavailable), (429, Unavailable), (401, Unauthorized)]
)
async def test_any_other_status_is_tried_again(
    webhook: Receiver, tmp_path: Path, status: int, error: type[ConnectorError]
) -> None:
    turned = knobs(webhook.port, tmp_path)
    webhook.refusals.append(status)
    mark = (await turned.look(HOLD, "", False)).mark
    with pytest.raises(error):
        await turned.turn(HOLD, mark)
    assert (await turned.turn(HOLD, mark))[0] is Carried.DONE


async def test_one_that_nobody_answers_at_is_tried_again(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    turned = knobs(port, tmp_path)
    with pytest.raises(Unavailable, match="no answer"):
        await turned.turn(HOLD, (await turned.look(HOLD, "", False)).mark)
