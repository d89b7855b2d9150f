"""The most workers of a day, and when one is ordered."""

from swarm.placement.capacity import (
    Load,
    Played,
    Terms,
    Worth,
    least_workers,
    most_workers,
    ordered,
)

TERMS = Terms(slots=2, boot_s=120.0, least_work_s=1_200.0)
SIZES = range(1, 21)


def play(need: int, size: int) -> Played:
    """A day that needs so many: what is missing is missed, and a worker costs a dollar."""
    return Played(float(size), float(max(0, need - size)))


def test_rare_peaks_are_met_where_a_miss_is_dear() -> None:
    days = [8] * 9 + [14]
    assert most_workers(days, play, Worth(miss_usd=5.0), SIZES) == 8
    assert most_workers(days, play, Worth(miss_usd=25.0), SIZES) == 14


def test_of_equals_the_smallest_is_taken() -> None:
    assert (
        most_workers(
            [6], lambda day, size: play(day, size)._replace(rent_usd=1.0), Worth(9.0), SIZES
        )
        == 6
    )


def test_a_size_that_holds_is_left_only_for_enough() -> None:
    worth = Worth(miss_usd=25.0, change_usd=3.0)
    assert most_workers([8], play, worth, SIZES, held=10) == 10
    assert most_workers([8], play, worth, SIZES, held=12) == 8
    assert most_workers([14], play, worth, SIZES, held=8) == 14


def test_without_trust_each_slot_that_waits_gets_one() -> None:
    load = Load(workers=5, waiting_slots=7, waiting_s=60.0)
    assert ordered(load, TERMS, most=None) == 4


def test_little_work_waits_until_it_pays_for_a_boot() -> None:
    little = Load(workers=5, waiting_slots=7, waiting_s=2_399.0)
    assert ordered(little, TERMS, most=20) == 0
    assert ordered(Load(5, 7, 2_400.0), TERMS, most=20) == 1
    assert ordered(Load(5, 7, 99_999.0), TERMS, most=20) == 4


def test_but_not_where_nobody_works() -> None:
    assert ordered(Load(0, 1, 10.0), TERMS, most=20) == 1


def test_nor_for_longer_than_it_should() -> None:
    assert ordered(Load(5, 7, 60.0, overdue_slots=3), TERMS, most=20) == 2


def test_no_more_than_the_most() -> None:
    assert ordered(Load(5, 40, 99_999.0, overdue_slots=40), TERMS, most=7) == 2
    assert ordered(Load(9, 40, 99_999.0), TERMS, most=7) == 0


def test_but_for_what_would_be_late() -> None:
    assert ordered(Load(7, 40, 99_999.0, urgent_slots=5), TERMS, most=7) == 3


def test_a_rush_is_met_a_boot_ahead() -> None:
    demand = [0.0, 900.0 * 2 * 6.9]
    assert least_workers(demand, 900.0, at_s=700.0, terms=TERMS) == 0
    assert least_workers(demand, 900.0, at_s=781.0, terms=TERMS) == 6
    assert ordered(Load(2, 0, 0.0), TERMS, most=20, least=6) == 4
    assert ordered(Load(2, 0, 0.0), TERMS, most=5, least=6) == 3
    assert ordered(Load(9, 0, 0.0), TERMS, most=20, least=6) == 0
