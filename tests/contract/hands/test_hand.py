"""What a hand does, whatever it turns the knobs of, and wherever it is killed."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from swarm.errors import StoreError
from swarm.hands.copies import Stage
from swarm.hands.file import IntentFile, acts_in
from swarm.hands.hand import Hand
from swarm.hands.wire import Answer
from swarm.model.intents import Act, Carried, Intent
from swarm.model.keys import PipelineKey
from tests.contract.hands.fake import FakeKnobs, FakeOrchestrator, HandClock, Killed, Pipeline

TTL_S = 60.0
DEADLINE_S = 180.0


class World:
    """A hand beside an orchestrator in memory; it may be killed and started again."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.clock = HandClock()
        self.now_s = self.clock.at_s
        self.orchestrator = FakeOrchestrator(self.clock)
        self.start()

    def start(self) -> None:
        self.file = IntentFile(self.path)
        self.hand = Hand(FakeKnobs(self.orchestrator), self.file, self.clock)
        self.loop = asyncio.create_task(self.hand.run())

    async def stop(self) -> None:
        """As SIGKILL: nothing is turned back, nothing more is written."""
        every = asyncio.all_tasks()
        running = [task for task in every if "Hand." in repr(task.get_coro())]
        for task in running:
            task.cancel()
        await asyncio.gather(*running, return_exceptions=True)
        self.file.close()

    async def restart(self) -> None:
        await self.stop()
        self.start()

    def pipeline(self, name: str, *ticks_in_s: float) -> Pipeline:
        pipeline = Pipeline(*(self.clock.at_s + tick for tick in ticks_in_s))
        self.orchestrator.pipelines[name] = pipeline
        return pipeline

    async def tell(self, *intents: Intent, within_s: float = DEADLINE_S) -> list[Answer]:
        return await self.hand.take(intents, self.clock.now_s(), within_s)

    def die_at(self, call: str) -> None:
        def on_call(now: str) -> None:
            if now == call:
                self.orchestrator.on_call = lambda call: None
                raise Killed

        self.orchestrator.on_call = on_call

    async def until_dead(self) -> None:
        with pytest.raises(Killed):
            await self.loop
        await self.stop()

    def stage(self, intent: Intent) -> Stage:
        return next(c.stage for c in self.hand.copies if c.intent.id == intent.id)

    async def until(self, there: Callable[[], bool]) -> None:
        async with asyncio.timeout(DEADLINE_S):
            while not there():  # noqa: ASYNC110
                await asyncio.sleep(0.01)


@pytest.fixture
async def world(tmp_path: Path):
    world = World(tmp_path / "hand.db")
    yield world
    await world.stop()


def hold(world: World, number: int = 1, name: str = "p", ttl_s: float = TTL_S) -> Intent:
    target = PipelineKey("af", name)
    return Intent(target, number, Act.HOLD, "a is late", world.clock.now_s() + ttl_s)


def release(world: World, number: int, name: str = "p") -> Intent:
    return replace(hold(world, number, name), act=Act.RELEASE)


async def test_what_is_held_does_not_start_until_it_is_released(world: World) -> None:
    pipeline = world.pipeline("p", 30)
    (answer,) = await world.tell(hold(world))
    assert answer.outcome is Carried.DONE
    world.orchestrator.advance(world.now_s + 40)
    assert not pipeline.runs
    (answer,) = await world.tell(release(world, 2))
    assert answer.outcome is Carried.DONE
    assert list(pipeline.runs.values()) == [1]
    assert not pipeline.paused


async def test_what_nobody_renews_runs_out_and_starts_once(world: World) -> None:
    pipeline = world.pipeline("p", 30)
    intent = hold(world)
    await world.tell(intent)
    world.orchestrator.advance(world.now_s + TTL_S)
    await world.until(lambda: world.stage(intent) is Stage.ENDED)
    assert list(pipeline.runs.values()) == [1]
    (answer,) = await world.tell(intent)
    assert answer.outcome is Carried.EXPIRED


async def test_what_a_hold_lets_go_begins_once_and_the_rest_waits_on(world: World) -> None:
    pipeline = world.pipeline("p", 30, 50)
    early_s, late_s = pipeline.ticks
    await world.tell(replace(hold(world), due_s=(early_s,)))
    world.orchestrator.advance(world.now_s + 55)
    goes_on = replace(hold(world, 2), due_s=(late_s,), let_go_s=(early_s,))
    (answer,) = await world.tell(goes_on)
    assert answer.outcome is Carried.DONE
    assert pipeline.runs == {early_s: 1}
    await world.restart()
    for in_s in (80, 110):  # renewed
        world.orchestrator.advance(world.now_s + in_s)
        again = replace(goes_on, valid_until_s=world.clock.now_s() + TTL_S)
        await world.tell(again)
    assert pipeline.paused
    assert pipeline.runs[late_s] == 0
    await world.tell(release(world, 3))
    assert not pipeline.paused
    assert pipeline.runs == {early_s: 1, late_s: 1}


@pytest.mark.parametrize("call", ["look", "turn", "turned"])
async def test_killed_while_it_lets_the_first_start_go_every_start_begins_once(
    world: World, call: str
) -> None:
    pipeline = world.pipeline("p", 30, 50)
    early_s, late_s = pipeline.ticks
    await world.tell(replace(hold(world), due_s=(early_s,)))
    world.orchestrator.advance(world.now_s + 55)
    world.die_at(call)
    goes_on = replace(hold(world, 2), due_s=(late_s,), let_go_s=(early_s,))
    telling = asyncio.create_task(world.tell(goes_on))
    await world.until_dead()
    telling.cancel()
    world.start()
    await world.until(lambda: world.stage(goes_on) is Stage.STANDING)
    world.orchestrator.advance(world.now_s + 55 + TTL_S)  # nobody renews it
    await world.until(lambda: world.stage(goes_on) is Stage.ENDED)
    assert pipeline.runs == {early_s: 1, late_s: 1}
    assert not pipeline.paused


def skipping(world: World, skip_in_s: float, number: int = 1) -> Intent:
    """A hold as the sequencer hands it out: it leaves out what it held if it stands till then."""
    skip_at_s = world.clock.now_s() + skip_in_s
    intent = hold(world, number, ttl_s=min(TTL_S, skip_in_s))
    return replace(intent, skip_at_s=skip_at_s)


async def test_what_is_held_until_its_latest_start_is_left_out(world: World) -> None:
    pipeline = world.pipeline("p", 30, 300)
    told_s = world.now_s
    for at_s in (0.0, 15.0, 43.0, 50.0):  # the last renewal brings too little to be one
        world.orchestrator.advance(told_s + at_s)
        intent = skipping(world, 105.0 - at_s)
        await world.tell(intent)
    world.orchestrator.advance(told_s + 103.0)
    await world.until(lambda: world.stage(intent) is Stage.ENDED)
    assert not pipeline.paused
    assert not pipeline.runs
    world.orchestrator.advance(told_s + 301.0)
    assert list(pipeline.runs.values()) == [1]


async def test_the_release_at_the_latest_start_leaves_out(world: World) -> None:
    pipeline = world.pipeline("p", 30)
    await world.tell(skipping(world, 50.0))
    world.orchestrator.advance(world.now_s + 40.0)
    await world.tell(replace(release(world, 2), skip_at_s=world.clock.now_s()))
    assert not pipeline.runs


async def test_what_a_hold_leaves_out_never_begins_and_the_rest_waits_on(world: World) -> None:
    pipeline = world.pipeline("p", 30, 50)
    early_s, late_s = pipeline.ticks
    await world.tell(replace(hold(world), due_s=(early_s,)))
    world.orchestrator.advance(world.now_s + 55)
    goes_on = replace(hold(world, 2), due_s=(late_s,), left_out_s=(early_s,))
    (answer,) = await world.tell(goes_on)
    assert answer.outcome is Carried.DONE
    await world.restart()
    again = replace(goes_on, valid_until_s=world.clock.now_s() + 2 * TTL_S)
    await world.tell(again)
    assert (pipeline.paused, +pipeline.runs) == (True, {})
    over = replace(release(world, 3), due_s=(late_s,), left_out_s=(early_s,))
    await world.tell(over)
    assert not pipeline.paused
    assert +pipeline.runs == {late_s: 1}


async def test_without_swarm_each_start_is_left_out_at_its_own_latest_start(world: World) -> None:
    pipeline = world.pipeline("p", 10, 40)
    intent = replace(skipping(world, 50.0), due_s=tuple(pipeline.ticks))
    await world.tell(intent)
    world.orchestrator.advance(world.now_s + 50.0)  # the first is 40 s late, the other 10 s
    await world.until(lambda: world.stage(intent) is Stage.ENDED)
    assert not pipeline.paused
    assert +pipeline.runs == {pipeline.ticks[1]: 1}


async def test_what_is_released_or_no_longer_renewed_before_is_not_left_out(world: World) -> None:
    pipeline = world.pipeline("p", 30)
    await world.tell(skipping(world, 50.0))
    world.orchestrator.advance(world.now_s + 40.0)
    await world.tell(release(world, 2))
    assert list(pipeline.runs.values()) == [1]
    pipeline = world.pipeline("p", 30)
    intent = skipping(world, 600.0, number=3)
    await world.tell(intent)
    world.orchestrator.advance(world.clock.now_s() + TTL_S)
    await world.until(lambda: world.stage(intent) is Stage.ENDED)
    assert list(pipeline.runs.values()) == [1]


async def test_a_renewal_holds_what_came_into_it(world: World) -> None:
    pipeline = world.pipeline("p", 30, 90)
    await world.tell(hold(world))
    world.orchestrator.advance(world.now_s + 40)
    await world.tell(hold(world))
    world.orchestrator.advance(world.now_s + 94)
    assert not pipeline.runs
    await world.tell(release(world, 2))
    assert list(pipeline.runs.values()) == [1, 1]


async def test_the_same_word_again_is_no_renewal(world: World) -> None:
    pipeline = world.pipeline("p", 30)
    intent = hold(world)
    await world.tell(intent)
    for at_s in (20, 40, 50):
        world.orchestrator.advance(world.now_s + at_s)
        await world.tell(intent)
    assert pipeline.turns == 1


async def test_a_hold_with_nothing_due_turns_no_knob(world: World) -> None:
    pipeline = world.pipeline("p", 300)
    (answer,) = await world.tell(hold(world))
    assert answer.outcome is Carried.NOT_NEEDED
    assert not pipeline.paused
    pipeline.paused = True  # by a person, who does not know of the hold
    await world.tell(release(world, 2))
    assert pipeline.paused


async def test_a_person_goes_before_the_hand(world: World) -> None:
    pipeline = world.pipeline("p", 30)
    intent = hold(world)
    await world.tell(intent)
    pipeline.paused = False
    world.orchestrator.advance(world.now_s + 40)
    (answer,) = await world.tell(replace(intent, valid_until_s=world.clock.now_s() + TTL_S))
    assert answer.outcome is Carried.OVERRULED
    assert not pipeline.paused
    assert list(pipeline.runs.values()) == [1]
    (answer,) = await world.tell(replace(intent, valid_until_s=world.clock.now_s() + 2 * TTL_S))
    assert answer.outcome is Carried.OVERRULED
    assert not pipeline.paused


async def test_the_next_hold_takes_over_from_the_one_before(world: World) -> None:
    pipeline = world.pipeline("p", 30)
    await world.tell(hold(world, 1))
    world.orchestrator.advance(world.now_s + 40)
    answers = await world.tell(hold(world, 2), hold(world, 1))
    assert [answer.outcome for answer in answers] == [Carried.DONE, Carried.DONE]
    assert pipeline.paused
    assert not pipeline.runs
    await world.tell(release(world, 3))
    assert list(pipeline.runs.values()) == [1]


async def test_a_pipeline_that_is_gone(world: World) -> None:
    (answer,) = await world.tell(hold(world, name="nowhere"))
    assert answer.outcome is Carried.GONE
    pipeline = world.pipeline("p", 30)
    await world.tell(hold(world))
    pipeline.exists = False
    (answer,) = await world.tell(release(world, 2))
    assert answer.outcome is Carried.GONE


async def test_a_release_is_tried_until_the_orchestrator_answers(world: World) -> None:
    pipeline = world.pipeline("p", 30)
    intent = hold(world)
    await world.tell(intent)
    world.orchestrator.down = True
    world.orchestrator.advance(world.now_s + TTL_S)
    await world.until(lambda: any(copy.trouble for copy in world.hand.copies))
    assert "does not answer" in world.hand.copies[0].trouble
    assert pipeline.paused
    world.orchestrator.down = False
    world.clock.at_s += 20
    await world.until(lambda: world.stage(intent) is Stage.ENDED)
    assert list(pipeline.runs.values()) == [1]


async def test_a_release_that_has_to_wait_says_why(world: World) -> None:
    pipeline = world.pipeline("p", 30)
    await world.tell(hold(world))
    world.orchestrator.down = True
    world.orchestrator.advance(world.now_s + 40)
    await world.tell(release(world, 2), within_s=0.0)
    await world.until(lambda: any(copy.trouble for copy in world.hand.copies))
    (answer,) = await world.tell(release(world, 2), within_s=1.0)
    assert answer.outcome is None
    assert "tries failed: the orchestrator does not answer" in answer.detail
    world.orchestrator.down = False
    world.clock.at_s += 20
    (answer,) = await world.tell(release(world, 2))
    assert (answer.outcome, answer.detail) == (Carried.DONE, "unpaused")
    assert list(pipeline.runs.values()) == [1]


async def test_a_hold_that_came_too_late_turns_no_knob(world: World) -> None:
    pipeline = world.pipeline("p", 30)
    world.orchestrator.down = True
    intent = hold(world)
    (answer,) = await world.tell(intent, within_s=1.0)
    assert answer.outcome is None
    world.orchestrator.down = False
    world.orchestrator.advance(world.now_s + TTL_S)
    await world.until(lambda: world.stage(intent) is Stage.ENDED)
    assert list(pipeline.runs.values()) == [1]
    assert pipeline.turns == 0


@pytest.mark.parametrize("call", ["look", "turn", "turned"])
async def test_killed_while_it_holds_it_goes_on_from_its_file(world: World, call: str) -> None:
    pipeline = world.pipeline("p", 30)
    intent = hold(world)
    world.die_at(call)
    telling = asyncio.create_task(world.tell(intent))
    await world.until_dead()
    telling.cancel()
    world.start()
    await world.until(lambda: pipeline.paused and world.stage(intent) is Stage.STANDING)
    world.orchestrator.advance(world.now_s + TTL_S)
    await world.until(lambda: world.stage(intent) is Stage.ENDED)
    assert list(pipeline.runs.values()) == [1]
    assert not pipeline.paused


@pytest.mark.parametrize("call", ["undo", "unpaused", "undone"])
async def test_killed_while_it_releases_it_goes_on_from_its_file(world: World, call: str) -> None:
    pipeline = world.pipeline("p", 30)
    await world.tell(hold(world))
    world.orchestrator.advance(world.now_s + 40)
    world.die_at(call)
    telling = asyncio.create_task(world.tell(release(world, 2)))
    await world.until_dead()
    telling.cancel()
    world.start()
    await world.until(lambda: all(copy.stage is Stage.ENDED for copy in world.hand.copies))
    assert list(pipeline.runs.values()) == [1]
    assert not pipeline.paused


@pytest.mark.parametrize("call", ["look", "turn", "turned"])
async def test_killed_until_the_hold_is_over(world: World, call: str) -> None:
    pipeline = world.pipeline("p", 30)
    intent = hold(world)
    world.die_at(call)
    telling = asyncio.create_task(world.tell(intent))
    await world.until_dead()
    telling.cancel()
    world.orchestrator.advance(world.now_s + 2 * TTL_S)
    world.start()
    await world.until(lambda: world.stage(intent) is Stage.ENDED)
    assert list(pipeline.runs.values()) == [1]
    assert not pipeline.paused
    assert pipeline.turns <= 1


async def test_a_trigger_is_carried_out_once_however_often_it_comes(world: World) -> None:
    pipeline = world.pipeline("p")
    intent = replace(hold(world), act=Act.TRIGGER)
    world.die_at("turned")
    telling = asyncio.create_task(world.tell(intent))
    await world.until_dead()
    telling.cancel()
    world.start()
    (answer,) = await world.tell(intent)
    assert answer.outcome is Carried.DONE
    assert pipeline.triggered == {intent.id: 1}


async def test_a_trigger_leaves_a_hold_alone(world: World) -> None:
    pipeline = world.pipeline("p", 30)
    await world.tell(hold(world), replace(hold(world, 2), act=Act.TRIGGER))
    assert pipeline.paused
    assert len(pipeline.triggered) == 1


async def test_what_it_has_no_knob_for_it_refuses(world: World) -> None:
    world.pipeline("p")
    (answer,) = await world.tell(replace(hold(world), act=Act.PROMOTE))
    assert answer.outcome is Carried.REFUSED
    assert "no knob" in answer.detail


async def test_the_senders_clock_does_not_matter(world: World) -> None:
    pipeline = world.pipeline("p", 30)
    ahead_s = 5_000.0
    intent = hold(world)
    there = replace(intent, valid_until_s=intent.valid_until_s + ahead_s)
    await world.hand.take([there], world.clock.now_s() + ahead_s, 2.0)
    world.orchestrator.advance(world.now_s + TTL_S)
    await world.until(lambda: world.stage(intent) is Stage.ENDED)
    assert list(pipeline.runs.values()) == [1]


async def test_no_hold_is_for_longer_than_ten_minutes(world: World) -> None:
    pipeline = world.pipeline("p", 30)
    intent = hold(world, ttl_s=1e6)
    await world.tell(intent)
    world.orchestrator.advance(world.now_s + 600)
    await world.until(lambda: world.stage(intent) is Stage.ENDED)
    assert list(pipeline.runs.values()) == [1]


async def test_holds_that_run_out_together_do_not_end_at_the_same_moment(world: World) -> None:
    intents = [hold(world, name=f"p{number}") for number in range(50)]
    for intent in intents:
        world.pipeline(intent.target.name, 30)
    await world.tell(*intents)
    ends = [copy.intent.valid_until_s for copy in world.hand.copies]
    assert len({round(end, 3) for end in ends}) > 40
    assert max(ends) - min(ends) > 3
    assert max(ends) <= world.now_s + TTL_S


async def test_every_act_is_in_the_file(world: World) -> None:
    world.pipeline("p", 30)
    intent = hold(world)
    await world.tell(intent)
    await world.tell(release(world, 2))
    lines = [(act.intent, act.stage, act.outcome) for act in acts_in(world.path, 100)]
    assert (intent.id, Stage.STANDING, "done") in lines
    assert (intent.id, Stage.ENDED, "done") in lines
    assert lines[0] == ("af/p#2", Stage.ENDED, "done")


async def test_two_hands_never_share_a_file(world: World) -> None:
    with pytest.raises(StoreError, match="another hand"):
        IntentFile(world.path)
