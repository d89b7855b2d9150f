"""The tasks that lost a grant: each with its whole story, the newest losses first to be found."""

from swarm.model.dispatch import Ended, Granted, Lost, Rearmed, Submitted
from swarm.model.journal import Entry
from swarm.model.work import LossCause, Outcome, Submission, TaskId, Token, WorkerId


def entries(*records):
    return [Entry("dispatch", seq, float(seq), "cause", one) for seq, one in enumerate(records, 1)]


def submitted(task):
    return Submitted(Submission(TaskId(task), "data", "x", 0.0))


def granted(task, grant=1):
    return Granted(Token(TaskId(task), grant), WorkerId("w"), 1)


def lost(task, grant=1):
    return Lost(Token(TaskId(task), grant), LossCause.SILENT, 0.5)


def test_only_tasks_that_lost_something_are_told_and_all_of_each(store):
    well = [submitted("a"), granted("a"), Ended(Token(TaskId("a"), 1), Outcome.SUCCEEDED)]
    twice = [submitted("b"), granted("b"), lost("b"), Rearmed(Token(TaskId("b"), 1))]
    twice += [granted("b", 2), lost("b", 2)]
    store.projector().apply(entries(*well, *twice))
    (story,) = store.projections().losses.newest(10)
    assert [one.record for one in story] == twice
    assert [one.at_s for one in story] == [4.0, 5.0, 6.0, 7.0, 8.0, 9.0]
    assert [one.record.unheard_s for one in story if isinstance(one.record, Lost)] == [0.5, 0.5]


def test_what_has_ended_is_read_once_and_what_goes_on_again(store):
    projector, losses = store.projector(), store.projections().losses
    over = [submitted("a"), granted("a"), lost("a"), Ended(Token(TaskId("a"), 1), Outcome.PARKED)]
    going = [submitted("b"), granted("b"), lost("b")]
    told = entries(*over, *going, Rearmed(Token(TaskId("b"), 1)), granted("b", 2))
    projector.apply(told[:7])
    before = by_task(losses)
    projector.apply(told[7:])
    after = by_task(losses)
    assert after["a"] is before["a"]
    assert [one.record for one in after["b"]] == [one.record for one in told[4:]]
    assert by_task(store.projections().losses) == after
    assert list(by_task(losses, 1)) == ["b"], "no more are told than are asked for"
    assert by_task(losses) == after


def by_task(losses, limit=10):
    return {story[0].record.submission.task: story for story in losses.newest(limit)}


def test_of_many_the_newest_losses_count(store):
    many = [one for n in range(5) for one in (submitted(f"t{n}"), granted(f"t{n}"))]
    store.projector().apply(entries(*many, *(lost(f"t{n}") for n in (3, 0, 4, 1))))
    found = store.projections().losses.newest(2)
    assert sorted(story[0].record.submission.task for story in found) == ["t1", "t4"]
    assert store.projections().losses.newest(1_000) != found
