"""What placement's journal rebuilds of what was learned."""

from dataclasses import replace

from swarm.model.dispatch import DispatchRecord, Ended, Granted, Started, Submitted
from swarm.model.keys import PipelineKey
from swarm.model.scaling import Expected
from swarm.model.work import Outcome, SlaClass, Submission, TaskId, Token, WorkerId
from swarm.placement.memory import Memory

T = 1_000_000.0
DAILY = PipelineKey("air", "daily")


def a_task(run: str, sla: SlaClass = SlaClass.STANDARD) -> Submission:
    one = Submission(TaskId(f"load {run}"), "team", "digest", T, sla=sla)
    return replace(one, pipeline=DAILY, run=run, subject=f"daily.load {run}")


def story(run: str, took_s: float) -> list[tuple[DispatchRecord, float]]:
    token = Token(TaskId(f"load {run}"), 1)
    return [
        (Submitted(a_task(run)), T),
        (Granted(token, WorkerId("w"), 1), T),
        (Started(token), T),
        (Ended(token, Outcome.SUCCEEDED), T + took_s),
    ]


def learned(memory: Memory, *stories: list[tuple[DispatchRecord, float]]) -> Memory:
    """The stream of the dispatcher, from its beginning."""
    for seq, (record, at_s) in enumerate((one for story in stories for one in story), 1):
        memory.learn(record, seq, at_s)
    return memory


def again(memory: Memory) -> Memory:
    """As after a restart."""
    other = Memory()
    for record in memory.records():
        other.apply(record)
    return other


def took_s(memory: Memory) -> tuple[float, ...]:
    (habit,), _ = memory.usual.kept()
    return habit.took_s


def test_durations_outlive_the_stream_that_they_were_learned_from() -> None:
    before = learned(Memory(), story("r1", 60.0), story("r2", 80.0))
    after = again(before)
    assert after.seq == 8
    spread = after.usual.takes(a_task("r3"))
    assert spread is not None
    assert (spread.points[0], spread.points[-1]) == (60.0, 80.0)
    coming = after.usual.coming({DAILY: Expected(DAILY, starts_s=(T + 900.0,))}, T, T + 3_600.0)
    assert [one.at_s for one in coming] == [T + 900.0]


def test_what_was_learned_is_not_learned_again_and_what_is_new_is() -> None:
    stories = story("r1", 60.0), story("r2", 80.0)
    kept = again(learned(Memory(), stories[0]))
    learned(kept, *stories)
    assert took_s(kept) == (60.0, 80.0)


def test_news_are_what_changed_and_told_now_and_then() -> None:
    memory = learned(Memory(), story("r1", 60.0))
    assert memory.news(T) == []
    assert memory.news(T + 599.0) == []
    first = memory.news(T + 600.0)
    assert [habit.took_s for one in first for habit in one.habits] == [(60.0,)]
    for one in first:
        memory.apply(one)
    assert took_s(memory) == (60.0,)
    assert [habit for one in memory.news(T + 1_300.0) for habit in one.habits] == []


def test_news_that_could_not_be_kept_are_told_again() -> None:
    memory = learned(Memory(), story("r1", 60.0))
    assert memory.news(T) == []
    assert memory.news(T + 600.0)  # there was no room for them
    again = memory.news(T + 1_200.0)
    assert [habit.took_s for one in again for habit in one.habits] == [(60.0,)]
    assert [part.name for one in again for part in one.parts] == ["daily.load"]


def test_news_rebuild_what_a_snapshot_does() -> None:
    memory, replayed = learned(Memory(), story("r1", 60.0)), Memory()
    memory.news(T)
    for one in memory.news(T + 600.0):
        replayed.apply(one)
    assert list(replayed.records()) == list(memory.records())
