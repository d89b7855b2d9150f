"""What stands before a task that waits."""

import pytest

from swarm.dispatch.events import Drain, WorkerLost
from swarm.dispatch.explanation import explain
from swarm.errors import UnknownKey
from swarm.model.work import LossCause, Rearm, TaskId, WorkerId
from tests.unit.dispatch.builders import WALL_S, Desk, a_task


def told(desk, name, **weights):
    return explain(desk.dispatcher.floor, TaskId(name), weights)


def lacks(desk, name):
    return {at.worker: at.lacks for at in told(desk, name).workers}


def test_each_worker_says_what_it_lacks() -> None:
    desk = Desk()
    desk.worker("small", slots=1, cpu=1.0)
    desk.worker("full", slots=1)
    desk.worker("shared")
    desk.worker("drained")
    desk.worker("free")
    desk.submit(a_task("a", cpu=4.0), a_task("b", cpu=3.0))
    assert desk.acquire("full") == ["a"]
    assert desk.acquire("shared") == ["b"]
    desk.tell(Drain(WorkerId("drained"), "ann"))
    desk.submit(a_task("waits", cpu=2.0))
    assert lacks(desk, "waits") == {
        "small": "too_large: it will never run here",
        "full": "its 1 slots are taken",
        "shared": "1 CPU and 0.0 GiB are free",
        "drained": "it is being drained",
        "free": "",
    }


def test_its_place_in_its_team_over_all_shapes() -> None:
    desk = Desk()
    desk.submit(
        a_task("third", deadline_s=WALL_S + 90.0),
        a_task("first", deadline_s=WALL_S + 30.0, cpu=2.0),
        a_task("second", deadline_s=WALL_S + 60.0),
        a_task("theirs", deadline_s=WALL_S + 1.0, team="other"),
    )
    assert [told(desk, name).before for name in ("first", "second", "third")] == [0, 1, 2]
    assert told(desk, "second").latest_start_s == WALL_S + 60.0


def test_teams_come_in_the_order_of_their_weighted_share() -> None:
    desk = Desk()
    desk.worker("w", cpu=4.0)
    desk.submit(a_task("g", cpu=2.0, team="gold"), a_task("p", cpu=2.0, team="plain"))
    desk.acquire("w")
    desk.submit(*(a_task(f"{team}{n}", team=team) for team in ("gold", "plain") for n in range(2)))
    turns = told(desk, "gold0", gold=2.0).teams
    assert [(turn.team, turn.share, turn.waiting) for turn in turns] == [
        ("gold", 0.25, 2),
        ("plain", 0.5, 2),
    ]


def test_one_that_is_lost_or_runs_has_no_place() -> None:
    desk = Desk()
    desk.worker("w")
    desk.submit(a_task("a", rearm=Rearm.OWNER, subject="dag.t"))
    desk.acquire("w")
    assert (told(desk, "a").waiting, told(desk, "a").before) == (None, None)
    desk.tell(WorkerLost(WorkerId("w"), LossCause.PROCESS_EXIT))
    waiting = told(desk, "a").waiting
    assert waiting is not None
    assert waiting.text == "lost with its worker; dag.t has to re-arm it"
    with pytest.raises(UnknownKey, match="no task b waits or runs"):
        told(desk, "b")
