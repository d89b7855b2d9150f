"""Tests that run side by side share environments and empty databases."""

import threading
from collections.abc import Callable
from pathlib import Path

from swarm.demo.templates import restore


def test_of_two_who_want_it_at_once_one_makes_it_and_the_other_gets_a_copy(tmp_path: Path) -> None:
    made: list[str] = []
    begun, go_on = threading.Event(), threading.Event()

    def maker(home: Path) -> Callable[[], None]:
        def make() -> None:
            made.append(home.name)
            begun.set()
            assert go_on.wait(180)
            (home / "one.db").write_text(f"made by {home.name}")

        return make

    def want(name: str) -> threading.Thread:
        home = tmp_path / name
        thread = threading.Thread(
            target=restore, args=(tmp_path / "kept" / "one", home, ["one.db"], maker(home))
        )
        thread.start()
        return thread

    first = want("first")
    assert begun.wait(180)
    second = want("second")
    go_on.set()
    first.join(180)
    second.join(180)
    assert made == ["first"]
    assert (tmp_path / "second" / "one.db").read_text() == "made by first"


def test_what_a_killed_maker_left_half_done_is_made_anew(tmp_path: Path) -> None:
    left = tmp_path / "kept" / "one.unfinished"
    left.mkdir(parents=True)
    (left / "stale.db").write_text("half")
    home = tmp_path / "home"

    def make() -> None:
        (home / "one.db").write_text("whole")

    restore(tmp_path / "kept" / "one", home, ["one.db"], make)
    assert [path.name for path in (tmp_path / "kept" / "one").iterdir()] == ["one.db"]
