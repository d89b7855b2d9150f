"""What the plug-in believes of tasks, from what its link has heard."""

from swarm.plugins.dagster.tracker import Tracker
from swarm.plugins.link import Change, Refusal


class Line:
    """What a link has heard, by hand."""

    def __init__(self):
        self.heard, self.refused, self.caught_up = [], [], False

    def submit(self, body):
        pass

    def changes(self):
        found, self.heard = self.heard, []
        return found

    def refusals(self):
        found, self.refused = self.refused, []
        return found


def change(state, grant=1):
    return Change("t", "", state, grant, "", "why")


def test_the_newest_change_counts():
    line = Line()
    tracker = Tracker(line)
    assert tracker.newest("t") is None
    line.heard = [change("running"), change("lost"), change("queued")]
    assert [c.state for c in tracker.hear()] == ["running", "lost", "queued"]
    assert tracker.newest("t") == change("queued")
    assert tracker.ended_for_s("t") == 0.0


def test_a_task_is_unknown_once_swarm_has_told_all_and_not_of_it():
    line = Line()
    tracker = Tracker(line)
    assert not tracker.is_unknown("t")
    line.caught_up = True
    assert tracker.is_unknown("t")
    tracker.submit({"id": "t"})
    assert tracker.was_submitted("t")
    assert not tracker.is_unknown("t"), "it is on its way"


def test_a_refused_task_has_failed_and_says_why():
    line = Line()
    tracker = Tracker(line)
    line.refused = [Refusal("t", "422: too large")]
    tracker.hear()
    found = tracker.newest("t")
    assert (found.state, found.detail) == ("failed", "refused: 422: too large")


def test_a_task_that_swarm_has_in_other_words_is_followed_all_the_same():
    line = Line()
    tracker = Tracker(line)
    line.refused, line.heard = [Refusal("t", "409: another body")], [change("running")]
    tracker.hear()
    assert tracker.newest("t") == change("running")
