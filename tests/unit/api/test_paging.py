"""Pages are gapless and without repeats, also while items come and go."""

import pytest

from swarm.api.paging import keyed, page, page_in_time, place_in_log, place_in_time
from swarm.errors import InputError


def read_all(items, limit):
    cursor, seen = None, []
    while True:
        found = page(keyed(items, str), lambda item: item, cursor, limit)
        seen.append(found.items)
        if found.next_cursor is None:
            return seen
        cursor = found.next_cursor


def test_pages_cover_everything_once_in_order():
    assert read_all(["d", "a", "c", "b", "e"], 2) == [["a", "b"], ["c", "d"], ["e"]]


def test_a_full_last_page_has_no_next():
    assert read_all(["a", "b"], 2) == [["a", "b"]]
    assert read_all([], 2) == [[]]


def test_an_item_that_goes_between_two_pages_hides_no_other():
    items = ["a", "b", "c", "d"]
    first = page(keyed(items, str), lambda item: item, None, 2)
    items.remove("b")
    rest = page(keyed(items, str), lambda item: item, first.next_cursor, 2)
    assert rest.items == ["c", "d"]


def test_names_of_any_length_have_pages_too():
    names = sorted("a" * length for length in (1, 999, 1_000, 1_001, 1_002, 1_000_000))
    cursor, seen = None, []
    while True:
        found = page(keyed(names, str), lambda name: name, cursor, 1)
        seen += found.items
        cursor = found.next_cursor
        if cursor is None:
            break
        assert len(cursor) < 1_100
    assert sorted(seen) == names


def test_pages_in_time_cover_everything_once_also_what_happened_at_once():
    events = sorted(((at % 3 / 7, f"name {at}") for at in range(20)), reverse=True)
    seen, before = [], None
    while True:
        rest = [one for one in events if before is None or one < before]
        found = page_in_time(rest[:4], lambda one: one, lambda one: one, 3)
        seen += found.items
        if found.next_cursor is None:
            break
        before = place_in_time(found.next_cursor)
    assert seen == events


@pytest.mark.parametrize("cursor", ["", "x", "nan a", "inf a", "-inf a", "1e999 a", "1 a\x00b"])
def test_a_cursor_that_no_page_gave_is_refused(cursor):
    with pytest.raises(InputError, match="no `next_cursor`"):
        place_in_time(cursor)


@pytest.mark.parametrize("cursor", ["-1", "x", "1.5", "9" * 19, "\u0663 "])
def test_a_place_that_no_log_has_is_refused(cursor):
    with pytest.raises(InputError):
        place_in_log(cursor)
