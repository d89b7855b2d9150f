"""Whatever spot does: what could be done in time on dedicated capacity is done in time."""

from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from swarm.placement.spot import Because, Choice, Pool, Terms, Work, choose
from swarm.placement.survival import Survival

POOLS = 3
SLOW_IS_FINE = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
LOOK_S = 60.0


@settings(SLOW_IS_FINE, max_examples=300)
@given(
    pieces=st.integers(1, 8),
    piece=st.integers(1, 12),
    restart=st.integers(1, 6),
    slack=st.integers(0, 60),
    prices=st.tuples(*[st.floats(0.05, 1.5)] * POOLS),
    seed=st.integers(0, 10**6),
)
def test_a_job_that_can_end_on_dedicated_ends(
    pieces: int,
    piece: int,
    restart: int,
    slack: int,
    prices: tuple[float, ...],
    seed: int,
) -> None:
    """In minutes; pools come and go at random, and each choice is looked at again every minute.
    Dedicated is dear: nothing but the deadline speaks for it."""
    random, survival = Random(seed), Survival()
    calm, critical = random.random(), random.random() < 0.5
    terms = Terms(99.0, restart * LOOK_S, LOOK_S)
    window = pieces * piece + restart + slack
    ages = [0] * POOLS
    left, done, starting = pieces, 0, 0
    here: Choice | None = None
    for minute in range(window):
        ages = [
            age + 1 if (random.random() < calm if age else random.random() < 0.3) else 0
            for age in ages
        ]
        pools = [
            Pool(str(number), str(number), prices[number], age * LOOK_S)
            for number, age in enumerate(ages)
            if age
        ]
        if here is not None and here.pool is not None and not ages[int(here.pool)]:
            here, done = None, 0
        to_due_s = (window - minute) * LOOK_S
        work = Work(left * piece * LOOK_S, piece * LOOK_S, done * LOOK_S, to_due_s, critical)
        choice = choose(work, here, pools, survival, terms)
        assert choice.because is not Because.OVERRUN
        if here is None or (choice.where, choice.pool) != (here.where, here.pool):
            done, starting = 0, restart
        here = choice if choice.where is not None else None
        if here is not None and starting:
            starting -= 1
        elif here is not None:
            done += 1
        if done == piece:
            left, done = left - 1, 0
        if not left:
            return
    raise AssertionError(f"{left} pieces are not done at the deadline")


@SLOW_IS_FINE
@given(
    lives=st.lists(st.tuples(st.integers(0, 4), st.floats(0, 1e5), st.floats(0, 1e5)), max_size=20),
    age=st.floats(0, 1e5),
    span=st.floats(0, 1e5),
)
def test_chances_are_chances_and_grow_with_time(
    lives: list[tuple[int, float, float]], age: float, span: float
) -> None:
    survival = Survival()
    for pool, one, other in lives:
        survival.observe(str(pool), min(one, other), max(one, other), lost=pool % 2 == 0)
    for pool in range(5):
        chance = survival.chance(str(pool), age, span)
        assert 0.0 <= chance <= 1.0
        assert survival.chance(str(pool), age, 2 * span) >= chance
