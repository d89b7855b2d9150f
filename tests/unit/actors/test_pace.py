"""How many tasks a worker holds that wait for a slot."""

import math

from swarm.actors.pace import AHEAD_MAX, Pace


def paced(*took_s: float) -> Pace:
    pace = Pace()
    for seconds in took_s:
        pace.note(seconds)
    return pace


def test_a_worker_takes_no_more_than_it_begins_within_a_blink() -> None:
    assert paced(*[0.0] * 16).ahead(4) == AHEAD_MAX
    assert paced(*[0.01] * 16).ahead(4) == 20
    assert paced(*[1.0] * 16).ahead(4) == 0


def test_it_has_to_be_known_and_one_of_unknown_length_is_enough_for_none() -> None:
    assert Pace().ahead(4) == 0
    assert paced(*[0.01] * 15).ahead(4) == 0
    assert paced(*[0.01] * 16, math.inf, *[0.01] * 15).ahead(4) == 0
    assert paced(math.inf, *[0.01] * 16).ahead(4) == 20
