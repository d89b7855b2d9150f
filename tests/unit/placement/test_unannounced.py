"""Work that nobody announced, beside what lives and is to come."""

from collections.abc import Callable
from dataclasses import replace

from swarm.model.learned import Foretold, Trust
from swarm.model.plans import Budget, Offering, Rented
from swarm.model.work import Needs, Resources, SlaClass, Submission, TaskId
from swarm.placement.days import QUARTER_S, Days, rest_of_day
from swarm.placement.demand import Spread
from swarm.placement.forecast import Booking
from swarm.placement.rooms import room
from swarm.placement.situation import Coming, Live, Scene
from swarm.placement.unannounced import demands, foreseen, known

DAY_S = 86_400.0
NOW_S = 20_000 * DAY_S + 6 * 3_600.0
LARGE = Offering("large", room(4, 0, 0), 0.2, 60)
SMALL = Offering("small", room(2, 0, 0), 0.2, 60)
TAKES = Spread((100.0, 300.0))


def a_task(name: str, cpu: float = 1.0, **more: object) -> Submission:
    needs = Needs(resources=Resources(cpu=cpu))
    return replace(Submission(TaskId(name), "team", "digest", NOW_S - 10, needs), **more)


def a_scene(
    *live: Live, coming: tuple[Coming, ...] = (), took: Callable[[Submission], Spread | None]
) -> Scene:
    return Scene((SMALL,), (Rented("n", LARGE),), live, coming, {}, took)


def test_what_is_known_is_what_waits_what_is_left_of_what_runs_and_what_is_to_come() -> None:
    to_come = Coming("c", None, NOW_S + 2 * QUARTER_S, Needs(), SlaClass.STANDARD, TAKES)
    scene = a_scene(
        *(Live(a_task(f"w{number}", cpu=2.0)) for number in range(50)),
        Live(a_task("runs"), "n", NOW_S - 100.0),
        Live(a_task("behind", sla=SlaClass.BACKFILL)),
        coming=(to_come, replace(to_come, sla=SlaClass.BACKFILL)),
        took=lambda _: TAKES,
    )
    bookings, lives = known(scene, NOW_S)
    assert lives == 101
    assert rest_of_day(bookings, NOW_S)[24:27] == [50 * 2 * 200.0 + 100.0, 0.0, 200.0]


def test_each_task_that_lives_is_looked_at_once() -> None:
    asked: list[Submission] = []

    def took(submission: Submission) -> Spread:
        asked.append(submission)
        return TAKES

    scene = a_scene(*(Live(a_task(f"w{number}")) for number in range(50)), took=took)
    foretold = foreseen(Days(), scene, Budget(10), NOW_S, NOW_S + 3_600.0)
    assert foretold.trust is Trust.TOO_NEW
    assert len(asked) == 50


def test_a_queue_of_any_length_is_a_few_bookings() -> None:
    scene = a_scene(*(Live(a_task(f"w{n}")) for n in range(5_000)), took=lambda _: TAKES)
    bookings, lives = known(scene, NOW_S)
    assert bookings == [Booking(NOW_S, 5_000, 200.0)]
    assert lives == 5_000


def test_what_is_foretold_has_to_begin_at_once_when_it_comes() -> None:
    found = demands(Foretold(Trust.TRUSTED, 0.9, ((NOW_S, 2), (NOW_S + 900.0, 1))))
    assert [(one.at_s, one.patience_s) for one in found] == [
        (NOW_S, 60.0),
        (NOW_S, 60.0),
        (NOW_S + 900.0, 60.0),
    ]
    assert len({one.name for one in found}) == 3
