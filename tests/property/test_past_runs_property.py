"""The ended runs of a pipeline are the same in whatever order and portions they came."""

from hypothesis import given
from hypothesis import strategies as st

from swarm.model.past_runs import NONE, durations_s, merged, since, unpacked
from swarm.model.runs import Ran

MOST = 12
TIMES = st.integers(0, 40).map(float)
RUNS = st.lists(
    st.builds(
        lambda planned_s, started_s, took_s, failed: Ran(
            planned_s, started_s, started_s + took_s, failed
        ),
        st.none() | TIMES,
        TIMES,
        TIMES,
        st.booleans(),
    ),
    max_size=MOST,
)


@given(RUNS, st.randoms(use_true_random=False))
def test_one_by_one_or_all_at_once_is_the_same(runs, random):
    together = merged(NONE, runs, MOST)
    packed = NONE
    for ran in random.sample(runs, len(runs)):
        packed = merged(packed, (ran,), MOST)
    assert packed == together
    assert [ran.started_at_s for ran in unpacked(packed)] == sorted({r.started_at_s for r in runs})


@given(RUNS, st.integers(1, 5))
def test_the_newest_are_kept(runs, most):
    packed = NONE
    for ran in sorted(runs, key=lambda ran: ran.started_at_s):
        packed = merged(packed, (ran,), most)
    assert unpacked(packed) == unpacked(merged(NONE, runs, MOST))[-most:]


@given(RUNS, TIMES)
def test_a_part_of_it_is_read_as_the_whole(runs, start_s):
    packed = merged(NONE, runs, MOST)
    known = unpacked(packed)
    assert durations_s(packed) == [ran.ended_at_s - ran.started_at_s for ran in known]
    before = [ran for ran in known if ran.started_at_s < start_s][-1:]
    later = [ran for ran in known if ran.started_at_s >= start_s]
    assert list(since(packed, start_s)) == before + later
