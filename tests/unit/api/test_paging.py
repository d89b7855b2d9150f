"""Pages are gapless and without repeats, also while items come and go."""

from swarm.api.paging import page


def read_all(items, limit):
    cursor, seen = None, []
    while True:
        found = page(items, str, lambda item: item, cursor, limit)
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
    first = page(items, str, lambda item: item, None, 2)
    items.remove("b")
    assert page(items, str, lambda item: item, first.next_cursor, 2).items == ["c", "d"]
