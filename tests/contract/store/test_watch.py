"""A reader is told that there is something to read, and not told so while there is nothing."""

import pytest

from swarm.store.follow import Follower


def at_rest(place) -> bool:
    """Whether it says that nothing came; one that was not asked for a second looks anyway."""
    return any(not place.moved(0) for _ in range(50))


@pytest.mark.parametrize("streams", [("graph",), ("graph", "dispatch")])
def test_what_is_appended_in_any_stream_is_told_of_once(store, build, streams) -> None:
    writers = [store.journal().open(name) for name in streams]
    reader = store.journal()
    for writer in writers:
        assert at_rest(reader)
        writer.append([build.pipeline(1)], 1.0, "cause")
        assert reader.moved(0)
        assert at_rest(reader)


def test_a_stream_that_is_new_is_told_of(store, build) -> None:
    store.journal().open("graph")
    reader = store.journal()
    assert at_rest(reader)
    store.journal().open("connector").append([build.pipeline(1)], 1.0, "cause")
    assert reader.moved(0)


def test_what_is_projected_is_told_of_to_followers_of_the_log(store, build) -> None:
    journal, projections = store.journal(), store.projections()
    stream = journal.open("graph")
    follower = Follower(journal, store.projector())
    follower.catch_up()
    for number in range(3):
        assert at_rest(projections.log)
        stream.append([build.pipeline(number)], 1.0, "cause")
        assert at_rest(projections.log)
        follower.catch_up()
        assert projections.log.moved(0)
