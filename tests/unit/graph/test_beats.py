"""When the silence of a beat counts, and when it only shows that nobody listened."""

from dataclasses import replace

from swarm.graph.beats import LOOK_S, Beat, Beats, EndedProcess, HostBeat
from swarm.model.foreign import ForeignWorker, Presence, Role

WALL_S = 1_000_000.0
BEAT = Beat("pf", "lab/one", Role.WORKER, Presence.ALIVE, started_s=5.0)


def host(*workers: Beat) -> HostBeat:
    return HostBeat("node", 1.0, workers)


class Ear:
    """A shell around the engine that looks as often as it should."""

    def __init__(self) -> None:
        self.beats = Beats()
        self.now_s = 0.0

    def hear(self, *workers: Beat) -> tuple[ForeignWorker, ...]:
        news = self.beats.hear(host(*workers), self.now_s, WALL_S + self.now_s)
        self.beats.took(news, self.now_s)
        return news

    def wait(self, for_s: float) -> tuple[ForeignWorker, ...]:
        found: tuple[ForeignWorker, ...] = ()
        until_s = self.now_s + for_s
        while self.now_s < until_s:
            self.now_s += LOOK_S
            silent = self.beats.due(self.now_s, WALL_S + self.now_s)
            self.beats.took(silent, self.now_s)
            found += silent
        return found


def test_only_the_first_beat_is_news() -> None:
    ear = Ear()
    (alive,) = ear.hear(BEAT)
    assert (alive.presence, alive.group, alive.host) == (Presence.ALIVE, "pool lab", "node")
    assert ear.hear(BEAT) == ()
    (again,) = ear.hear(replace(BEAT, started_s=6.0))
    assert again.started_s == 6.0


def test_silence_counts_after_four_intervals_and_is_told_once() -> None:
    ear = Ear()
    ear.hear(BEAT)
    ear.wait(3.0)
    ear.hear(BEAT)
    assert ear.wait(4.0) == ()
    (silent,) = ear.wait(1.0)
    assert (silent.presence, silent.heard_s) == (Presence.SILENT, WALL_S + 3.0)
    assert ear.wait(10.0) == ()
    (back,) = ear.hear(BEAT)
    assert back.presence is Presence.ALIVE


def test_a_death_is_told_until_it_is_taken_and_then_there_is_no_silence() -> None:
    ear = Ear()
    ear.hear(BEAT)
    dead = replace(BEAT, presence=Presence.DEAD, ended=(EndedProcess(7), EndedProcess(8, "r1")))
    for _ in range(2):
        (told,) = ear.beats.hear(host(dead), ear.now_s, WALL_S)
        assert told.processes == ("node:7", "r1@8")
    ear.beats.took((told,), ear.now_s)
    assert ear.wait(10.0) == ()


def test_the_death_of_a_former_process_is_stale() -> None:
    ear = Ear()
    ear.hear(replace(BEAT, started_s=6.0))
    assert ear.hear(replace(BEAT, presence=Presence.DEAD)) == ()


def test_a_listener_that_stood_still_declares_nothing() -> None:
    ear = Ear()
    ear.hear(BEAT)
    ear.wait(1.0)
    ear.now_s += 60.0
    assert ear.wait(2.0) == ()
    assert len(ear.wait(3.0)) == 1


def test_after_a_restart_everyone_has_a_full_term() -> None:
    ear = Ear()
    (alive,) = ear.hear(BEAT)
    again = Ear()
    again.beats.recall([alive, replace(alive, name="x", presence=Presence.DEAD)], 0.0)
    assert again.wait(4.0) == ()
    assert [one.name for one in again.wait(6.0)] == ["lab/one"]
