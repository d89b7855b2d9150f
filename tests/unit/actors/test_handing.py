"""What a connector passes on to the hand of its orchestrator, and what it records."""

from collections.abc import Sequence
from dataclasses import replace

from swarm.actors.handing import Handing
from swarm.errors import Unavailable
from swarm.hands.wire import Answer
from swarm.model.connectors import IntentEnded
from swarm.model.intents import Act, Carried, Intent
from swarm.model.keys import PipelineKey

HOLD = Intent(PipelineKey("af", "p"), 3, Act.HOLD, "a is late", 60.0)
RELEASE = replace(HOLD, number=4, act=Act.RELEASE)


class FakeHand:
    """Answers what it was given, one answer to each intent."""

    def __init__(self) -> None:
        self.outcome: Carried | None = Carried.DONE
        self.detail = ""
        self.down = False
        self.told: list[Sequence[Intent]] = []

    async def tell(self, intents: Sequence[Intent], now_s: float) -> list[Answer]:
        if self.down:
            raise Unavailable("no answer")
        self.told.append(intents)
        return [Answer(intent.id, self.outcome, self.detail) for intent in intents]


class StoppedClock:
    at_s = 0.0

    def now_s(self) -> float:
        return self.at_s

    def monotonic_s(self) -> float:
        return self.at_s


class Bench:
    def __init__(self, hand: FakeHand | None) -> None:
        self.clock = StoppedClock()
        self.journal: dict[str, IntentEnded] = {}
        self.records: list[IntentEnded] = []
        self.handing = Handing("af", hand, self.clock, self.journal, self.record)

    async def record(self, ended: IntentEnded) -> None:
        self.records.append(ended)
        self.journal[ended.intent.id] = ended


async def test_what_came_of_it_is_recorded_once():
    hand = FakeHand()
    bench = Bench(hand)
    await bench.handing.pass_on([HOLD])
    bench.clock.at_s = 6.0
    await bench.handing.pass_on([replace(HOLD, valid_until_s=66.0)])
    assert [ended.outcome for ended in bench.records] == [Carried.DONE]
    assert len(hand.told) == 2


async def test_what_changes_is_recorded_again():
    hand = FakeHand()
    bench = Bench(hand)
    await bench.handing.pass_on([HOLD])
    hand.outcome = Carried.OVERRULED
    bench.clock.at_s = 6.0
    await bench.handing.pass_on([HOLD])
    assert [ended.outcome for ended in bench.records] == [Carried.DONE, Carried.OVERRULED]


async def test_the_hand_is_told_of_what_is_new_at_once_and_of_the_rest_in_time():
    hand = FakeHand()
    bench = Bench(hand)
    await bench.handing.pass_on([HOLD])
    await bench.handing.pass_on([HOLD])
    assert len(hand.told) == 1
    await bench.handing.pass_on([replace(HOLD, number=4, act=Act.RELEASE)])
    assert len(hand.told) == 2


async def test_what_is_under_way_is_asked_for_again_at_once():
    hand = FakeHand()
    bench = Bench(hand)
    hand.outcome = None
    await bench.handing.pass_on([HOLD])
    assert bench.records == []
    hand.outcome = Carried.DONE
    await bench.handing.pass_on([HOLD])
    assert [ended.outcome for ended in bench.records] == [Carried.DONE]


async def test_what_tries_failed_for_is_recorded_as_delayed_once_until_it_is_done():
    """As a release while the orchestrator is down: somebody has to see that it is held yet."""
    hand = FakeHand()
    bench = Bench(hand)
    hand.outcome = None
    for tries in (1, 2):
        hand.detail = f"{tries} tries failed: af does not answer"
        await bench.handing.pass_on([RELEASE])
    assert [(ended.outcome, ended.detail) for ended in bench.records] == [
        (Carried.DELAYED, "1 tries failed: af does not answer")
    ]
    hand.outcome, hand.detail = Carried.DONE, ""
    await bench.handing.pass_on([RELEASE])
    assert [ended.outcome for ended in bench.records] == [Carried.DELAYED, Carried.DONE]


async def test_a_hand_that_does_not_answer_is_told_again_at_once():
    hand = FakeHand()
    bench = Bench(hand)
    hand.down = True
    await bench.handing.pass_on([HOLD])
    hand.down = False
    await bench.handing.pass_on([HOLD])
    assert [ended.outcome for ended in bench.records] == [Carried.DONE]


async def test_without_a_hand_nothing_is_turned_and_it_says_what_to_do():
    bench = Bench(None)
    await bench.handing.pass_on([HOLD])
    await bench.handing.pass_on([HOLD])
    (ended,) = bench.records
    assert ended.outcome is Carried.REFUSED
    assert "swarm hand run" in ended.detail
