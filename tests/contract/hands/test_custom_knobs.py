"""A team's own program as the knobs of a source."""

import json
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from swarm.config import HandPlace, Settings, Source
from swarm.connectors.knobs import Knobs
from swarm.connectors.registry import knobs_of
from swarm.errors import ConfigError, MalformedResponse, Unavailable
from swarm.model.intents import Act, Carried, Intent, Stretch
from swarm.model.keys import PipelineKey

PROGRAM = """
import json, pathlib, sys
wanted = json.load(sys.stdin)
seen = pathlib.Path(sys.argv[1])
with seen.open("a") as lines:
    lines.write(json.dumps(wanted) + "\\n")
print("noise")
print(wanted["act"], "was done")
sys.exit(int(sys.argv[2]))
"""
HOLD = Intent(PipelineKey("cron", "load"), 7, Act.HOLD, "a is late", 1000.0, due_s=(990.0,))


def knobs(path: Path, exit_code: int = 0) -> Knobs:
    command = (sys.executable, "-c", PROGRAM, str(path / "seen"), str(exit_code))
    source = Source(kind="crontab", name="cron", timeout_s=120)
    return knobs_of(source, Settings(state_dir=path, hand=HandPlace(command=command)))


def seen(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in (path / "seen").read_text().splitlines()]


async def test_it_is_told_what_to_hold_and_to_release(tmp_path: Path) -> None:
    turned = knobs(tmp_path)
    look = await turned.look(HOLD, "", False)
    assert look.outcome is None
    assert await turned.turn(HOLD, look.mark) == (Carried.DONE, "hold was done")
    assert await turned.undo(HOLD, look.mark, True) == (Carried.DONE, "release was done")
    held, released = seen(tmp_path)
    assert (held["act"], held["pipeline"], held["due_s"]) == ("hold", "load", [990.0])
    assert released["act"] == "release"
    assert held["key"] != released["key"]


async def test_what_lets_its_first_start_go_is_released_for_all_of_them(tmp_path: Path) -> None:
    turned = knobs(tmp_path)
    held = replace(HOLD, due_s=(990.0, 1050.0))
    mark = (await turned.look(held, "", False)).mark
    await turned.turn(held, mark)
    goes_on = replace(held, number=8, due_s=(1050.0,), let_go_s=(990.0,))
    look = await turned.look(goes_on, mark, True)
    assert (look.outcome, look.mark) == (Carried.REFUSED, mark)
    await turned.undo(goes_on, look.mark, True)
    assert [row["due_s"] for row in seen(tmp_path)] == [[990.0, 1050.0]] * 2
    next_s = time.time() + 60.0
    again = replace(goes_on, number=9, due_s=(1050.0, next_s))
    await turned.turn(again, (await turned.look(again, "", False)).mark)
    assert seen(tmp_path)[-1]["due_s"] == [next_s]


async def test_a_hold_that_leaves_its_first_start_out_goes_on_for_the_rest(
    tmp_path: Path,
) -> None:
    turned = knobs(tmp_path)
    held = replace(HOLD, due_s=(990.0, 1050.0))
    mark = (await turned.look(held, "", False)).mark
    await turned.turn(held, mark)
    goes_on = replace(held, number=8, due_s=(1050.0,), left_out_s=(990.0,))
    look = await turned.look(goes_on, mark, True)
    assert look.outcome is None
    await turned.turn(goes_on, look.mark)
    await turned.undo(goes_on, look.mark, True)
    told = [(row["act"], row["due_s"], row["left_out_s"]) for row in seen(tmp_path)]
    assert told == [
        ("hold", [990.0, 1050.0], []),
        ("hold", [1050.0], [990.0]),
        ("release", [1050.0], [990.0]),
    ]


async def test_it_is_told_what_is_left_out(tmp_path: Path) -> None:
    turned = knobs(tmp_path)
    until_s = time.time()
    for skip_at_s in (None, until_s + 3_600.0, until_s):
        await turned.undo(replace(HOLD, skip_at_s=skip_at_s), "", True)
    told = [(row["due_s"], row["left_out_s"]) for row in seen(tmp_path)]
    assert told == [([990.0], []), ([990.0], []), ([], [990.0])]


async def test_it_is_told_what_a_run_is_for(tmp_path: Path) -> None:
    turned = knobs(tmp_path)
    stretch = Stretch(0.0, 86_400.0, "1970-01-01", "UTC")
    for intent in (HOLD, replace(HOLD, act=Act.TRIGGER, stretch=stretch)):
        await turned.turn(intent, (await turned.look(intent, "", False)).mark)
    told = [row["stretch"] for row in seen(tmp_path)]
    day = {"start_s": 0.0, "end_s": 86_400.0, "label": "1970-01-01", "timezone": "UTC"}
    assert told == [None, day]


@pytest.mark.parametrize(
    ("code", "outcome"), [(4, Carried.GONE), (9, Carried.OVERRULED), (22, Carried.REFUSED)]
)
async def test_its_exit_code_says_how_it_went(tmp_path: Path, code: int, outcome: Carried) -> None:
    turned = knobs(tmp_path, code)
    look = await turned.look(HOLD, "", False)
    assert (await turned.turn(HOLD, look.mark))[0] is outcome


async def test_any_other_exit_code_is_tried_again(tmp_path: Path) -> None:
    turned = knobs(tmp_path, 1)
    look = await turned.look(HOLD, "", False)
    with pytest.raises(MalformedResponse, match="exit code 1"):
        await turned.turn(HOLD, look.mark)


async def test_a_program_that_is_not_there_is_tried_again(tmp_path: Path) -> None:
    place = HandPlace(command=(str(tmp_path / "nowhere"),))
    turned = knobs_of(Source(kind="crontab"), Settings(state_dir=tmp_path, hand=place))
    look = await turned.look(HOLD, "", False)
    with pytest.raises(Unavailable):
        await turned.turn(HOLD, look.mark)


def test_a_source_without_knobs_says_what_to_set(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"hand\.command"):
        knobs_of(Source(kind="crontab"), Settings(state_dir=tmp_path))
