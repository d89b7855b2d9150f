"""Whatever the channels say: the explained sum is the confidence that was concluded."""

from math import exp

from hypothesis import given, settings
from hypothesis import strategies as st

from swarm.lineage.channels import RELIABILITY, Learned, Reliability
from swarm.lineage.fusion import Belief, Looked, Sighting, believe, edge_confidence
from swarm.lineage.sums import EndSum, sum_of
from swarm.model.keys import DatasetKey, TaskKey
from swarm.model.lineage import (
    Access,
    Coverage,
    Dependency,
    DependencyKey,
    Evidence,
)

UP, DOWN = TaskKey("o", "a", "t"), TaskKey("o", "b", "t")
ORDERS = DatasetKey("w", "raw.orders")
CHANNELS = st.sampled_from(list(RELIABILITY))

one = st.tuples(CHANNELS, st.floats(0.05, 1), st.booleans(), st.booleans())
ends = st.tuples(
    st.lists(one, min_size=1, max_size=5),
    st.sets(CHANNELS),
    st.sets(CHANNELS),
    st.floats(0.0003, 1),
    st.builds(
        lambda moved, offsets: Learned({**RELIABILITY, **moved}, offsets),
        st.dictionaries(
            CHANNELS,
            st.builds(
                Reliability, st.floats(0.1, 0.99), st.floats(0.001, 0.5), st.floats(0.1, 0.9)
            ),
        ),
        st.dictionaries(CHANNELS, st.floats(-2, 2)),
    ),
)


def belief(task: TaskKey, access: Access, end) -> Belief:
    seen, covering, knowing, still, learned = end
    sightings = [
        Sighting(
            Evidence(task, access, ORDERS, channel, 1.0, "f:1", "x", confidence),
            (DatasetKey("w", "v"),) if through else (),
            "orders" if short else "",
        )
        for channel, confidence, short, through in seen
    ]
    looked = Looked(still, {channel: Coverage(task, channel, 1.0) for channel in knowing})
    coverage = {channel: Coverage(task, channel, 1.0) for channel in covering}
    return believe(task, access, sightings, coverage, looked, learned)


def check_end(end: EndSum | None, believed: Belief) -> None:
    assert end is not None
    total = end.prior + sum(line.proof.weight for line in end.lines)
    assert abs(1 / (1 + exp(-total)) - believed.probability) < 1e-9
    assert end.short == (not believed.exact)
    for line in end.lines:
        assert line.shared == (line.proof.weight != line.alone)
        assert line.shared <= (line.proof.weight == 0)
        if not line.proof.silent:
            assert abs(line.usual + line.learned - line.proof.sure) < 1e-9


@given(write=ends, read=ends)
@settings(max_examples=200, deadline=None, derandomize=True)
def test_the_explained_sum_is_the_confidence(write, read):
    writes, reads = belief(UP, Access.WRITE, write), belief(DOWN, Access.READ, read)
    confidence = edge_confidence(writes, reads)
    key = DependencyKey(UP, DOWN, ORDERS)
    explained = sum_of(Dependency(key, False, confidence, (*writes.proofs, *reads.proofs)))
    check_end(explained.write, writes)
    check_end(explained.read, reads)
    assert abs(explained.product - confidence) < 1.1e-6
