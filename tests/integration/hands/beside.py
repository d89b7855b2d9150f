"""A hand's own process beside a real orchestrator, and what every orchestrator has to stand: told
once for all of them. Stories are lived through at the same time, those of one orchestrator and,
where several are tested, those of all."""

import asyncio
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

import yaml

from swarm.demo.processes import free_ports
from swarm.errors import Unavailable
from swarm.hands.file import acts_in
from swarm.hands.line import HandLine
from swarm.hands.wire import Answer
from swarm.model.intents import Act, Carried, Intent
from swarm.model.keys import PipelineKey

TOKEN = "only for tests on loopback"
TTL_S = 60.0
BEYOND_S = 4.0  # after a planned start: by then it would have begun
AWAY_S = 20.0  # for so long a hand that is killed may be away
DEADLINE_S = 480.0


class HandProcess:
    """`swarm hand run`; it may be killed and started again."""

    def __init__(self, folder: Path, source: Mapping[str, object]) -> None:
        folder.mkdir()
        (self._port,) = free_ports(1)
        self._folder = folder
        (folder / "token").write_text(TOKEN)
        place = {"port": self._port, "token_file": str(folder / "token")}
        settings = {"state_dir": str(folder), "sources": [source], "hand": place}
        (folder / "hand.yaml").write_text(yaml.safe_dump(settings))
        self.name = str(source["name"])
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def told_by(self) -> Mapping[str, object]:
        """What the settings of a swarm say of it."""
        url, token = f"http://127.0.0.1:{self._port}", self._folder / "token"
        return {"hand_url": url, "hand_token_file": str(token)}

    def start(self) -> None:
        with (self._folder / "hand.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "swarm", "hand", "run", "-c", self._folder / "hand.yaml"],
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )

    def kill(self) -> None:
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def forget(self) -> None:
        """Start again without a memory."""
        self.kill()
        for file in self._folder.glob("hand-*.db*"):
            file.unlink()
        self.start()

    @asynccontextmanager
    async def told(self, figures: dict[str, float] | None = None) -> AsyncIterator["Teller"]:
        """Somebody who tells it what to do; what it measures goes to `figures`."""
        line = HandLine(f"http://127.0.0.1:{self._port}", lambda: TOKEN)
        try:
            yield Teller(line, {} if figures is None else figures)
        finally:
            await line.close()

    def acts(self) -> list[str]:
        """What it did, the oldest first."""
        lines = acts_in(self._folder / f"hand-{self.name}.db", 1000)
        told = [f"{a.at_s:.2f} {a.intent} {a.stage} {a.outcome} {a.detail}" for a in lines]
        return told[::-1]

    def log(self) -> str:
        return (self._folder / "hand.log").read_text()


class Held(Protocol):
    """A pipeline of the orchestrator that is planned to start soon."""

    target: PipelineKey
    due_s: float

    def is_there(self) -> bool:
        """Whether its next start is known and far enough away; notes which it is."""
        ...

    def begun(self) -> list[float]:
        """When each run for the start at `due_s` began, of those that have."""
        ...

    def runs(self) -> Sequence[Any]:
        """The runs for that start."""
        ...

    def free(self) -> None:
        """A person makes it go on, in the orchestrator itself."""
        ...

    def is_left_out(self) -> bool:
        """Whether that start is over and nothing was done for it."""
        ...

    def goes_on(self) -> bool:
        """Whether the start after it comes, or is planned, as if nothing had been."""
        ...


@dataclass
class Teller:
    """Who tells the hand, as a connector does."""

    line: HandLine
    figures: dict[str, float]

    async def tell(self, intent: Intent) -> Answer:
        """Until the hand answers how it went; it may have been killed."""
        deadline_s = time.monotonic() + DEADLINE_S
        while True:
            try:
                (answer,) = await self.line.tell([intent], time.time())
            except Unavailable:
                answer = Answer(intent.id, None)
            if answer.outcome is not None:
                return answer
            assert time.monotonic() < deadline_s, answer
            await asyncio.sleep(0.2)

    async def holding(self, held: Held, until_s: float) -> list[Answer]:
        """Hold it and renew that until then."""
        answers = []
        while time.time() < until_s:
            answers.append(await self.tell(a_hold(held, TTL_S)))
            await asyncio.sleep(2.0)
        return answers


def a_hold(held: Held, ttl_s: float, number: int = 1) -> Intent:
    until_s = time.time() + ttl_s
    due_s = (held.due_s,) if held.due_s <= until_s else ()
    return Intent(held.target, number, Act.HOLD, "its upstream is late", until_s, due_s=due_s)


def a_release(held: Held, number: int = 2) -> Intent:
    return Intent(held.target, number, Act.RELEASE, "its upstream is done", time.time() + TTL_S)


def can_be_held(due_s: float, soon_s: float) -> bool:
    """Whether that start is neither sooner than a hold is in place nor later than one lasts, also
    if its hand is away first."""
    return soon_s < due_s - time.time() < TTL_S - AWAY_S


def epoch_s(text: str) -> float:
    """Of a time as an orchestrator tells it."""
    return datetime.fromisoformat(text).timestamp()


async def until(there: Callable[[], bool], what: str) -> None:
    deadline_s = time.monotonic() + DEADLINE_S
    while not await asyncio.to_thread(there):
        assert time.monotonic() < deadline_s, f"not in time: {what}"
        await asyncio.sleep(0.25)


# --- the stories ---------------------------------------------------------------------------------


async def held_until_released(teller: Teller, held: Held) -> None:
    answers = await teller.holding(held, held.due_s + BEYOND_S)
    assert {answer.outcome for answer in answers} == {Carried.DONE}, answers
    assert await asyncio.to_thread(held.begun) == []
    released_s = time.time()
    answer = await teller.tell(a_release(held))
    assert answer.outcome is Carried.DONE, answer
    teller.figures["release_answered_s"] = time.time() - released_s
    await until(lambda: bool(held.begun()), "what was released begins")
    teller.figures["release_to_begin_s"] = held.begun()[0] - released_s


async def held_until_it_runs_out(teller: Teller, held: Held) -> None:
    """Nobody says anything after the first word: as with all of swarm killed."""
    until_s = held.due_s + 2 * BEYOND_S
    answer = await teller.tell(a_hold(held, until_s - time.time()))
    assert answer.outcome is Carried.DONE, answer
    await until(lambda: bool(held.begun()), "what ran out begins")
    assert held.begun()[0] > held.due_s + BEYOND_S - 1, held.begun()
    teller.figures["run_out_to_begin_s"] = held.begun()[0] - until_s


async def freed_by_a_person(teller: Teller, held: Held) -> None:
    await teller.holding(held, held.due_s + BEYOND_S)
    assert await asyncio.to_thread(held.begun) == []
    await asyncio.to_thread(held.free)
    answer = await teller.tell(a_hold(held, 1.5 * TTL_S))
    while answer.outcome is Carried.DONE:  # as it was; it is being looked at
        answer = await teller.tell(a_hold(held, 1.5 * TTL_S))
    assert answer.outcome is Carried.OVERRULED, answer
    await until(lambda: bool(held.begun()), "what a person freed begins")


async def killed_while_holding(teller: Teller, held: Held, hand: HandProcess) -> None:
    """With swarm the hand is killed too, and comes back before the start is due."""
    until_s = held.due_s + 2 * BEYOND_S
    answer = await teller.tell(a_hold(held, until_s - time.time()))
    assert answer.outcome is Carried.DONE, answer
    hand.kill()
    hand.start()
    await until(lambda: bool(held.begun()), "what ran out begins")
    assert held.begun()[0] > held.due_s + BEYOND_S - 1, held.begun()


async def left_out(teller: Teller, held: Held) -> None:
    """At its latest start, by the word of the hold alone: as with all of swarm killed."""
    until_s = held.due_s + 2 * BEYOND_S
    hold = replace(a_hold(held, until_s - time.time()), skip_at_s=until_s)
    answer = await teller.tell(hold)
    assert answer.outcome is Carried.DONE, answer
    assert await asyncio.to_thread(held.begun) == []
    await until(held.is_left_out, "what is late is left out")
    await until(held.goes_on, "the next start comes")
    assert await asyncio.to_thread(held.is_left_out)


async def first_left_out(teller: Teller, early: Held, late: Held) -> None:
    """Two starts fall into a hold; the first is left out while the hold goes on for the other."""
    await teller.holding(early, late.due_s + BEYOND_S)
    assert await asyncio.to_thread(early.begun) == []
    hold = replace(a_hold(early, TTL_S, 2), due_s=(late.due_s,), left_out_s=(early.due_s,))
    for number in (2, 2, 3):  # renewed, and goes on
        again = replace(hold, number=number, valid_until_s=time.time() + TTL_S)
        answer = await teller.tell(again)
        assert answer.outcome is Carried.DONE, answer
    assert await asyncio.to_thread(late.begun) == []
    told = replace(a_release(early, 4), due_s=hold.due_s, left_out_s=hold.left_out_s)
    answer = await teller.tell(told)
    assert answer.outcome is Carried.DONE, answer
    await until(lambda: bool(late.begun()), "what was held on begins")
    await until(early.is_left_out, "what was late is left out")
    early.due_s = late.due_s  # which is the one that began


Story = Callable[[Teller, Any], Awaitable[None]]
HELD: Mapping[str, Story] = {
    "released": held_until_released,
    "runs_out": held_until_it_runs_out,
    "freed": freed_by_a_person,
}


# --- where they are lived through ----------------------------------------------------------------


@dataclass(frozen=True)
class Place:
    """An orchestrator to put a hand beside: how it is run, what a hand's settings say of it, what
    there is to be held (one thing for each name), and the stories beside those of all."""

    kind: str
    running: Callable[[Path], AbstractContextManager[Any]]
    source: Callable[[Any], Mapping[str, object]]
    held: Callable[[Any, Sequence[str]], Mapping[str, Any]]
    stories: Mapping[str, Story] = field(default_factory=dict)

    @property
    def begin(self) -> tuple[str, ...]:
        """The stories at whose end the run has begun, once."""
        return *HELD, "killed", *self.stories


@dataclass(frozen=True)
class Lived:
    """An orchestrator, the hand beside it, and what has become of the stories."""

    server: Any
    hand: HandProcess
    held: Mapping[str, Any]
    ended: Mapping[str, BaseException | None]

    def check(self, story: str) -> None:
        """Raises what went wrong, with what the hand did."""
        wrong = self.ended[story]
        if wrong is not None:
            raise AssertionError("\n".join([*self.hand.acts(), self.hand.log()[-2000:]])) from wrong


@contextmanager
def living(place: Place, folder: Path) -> Iterator[Lived]:
    """All stories of a place, lived through at the same time; its server and hand go on."""
    with ExitStack() as stack:
        server = stack.enter_context(place.running(folder))
        hand = HandProcess(folder / "hand", place.source(server))
        hand.start()
        stack.callback(hand.kill)

        async def killed(teller: Teller, held: Held) -> None:
            await killed_while_holding(teller, held, hand)

        stories = {**HELD, "killed": killed, "left_out": left_out, **place.stories}
        held = place.held(server, tuple(stories))
        figures: dict[str, float] = {}

        async def live(name: str) -> None:
            await until(held[name].is_there, "its next start is known")
            async with hand.told(figures) as teller:
                await stories[name](teller, held[name])

        async def together() -> list[BaseException | None]:
            return await asyncio.gather(*map(live, stories), return_exceptions=True)

        ended = dict(zip(stories, asyncio.run(together()), strict=True))
        print(place.kind, figures)  # noqa: T201
        yield Lived(server, hand, held, ended)
