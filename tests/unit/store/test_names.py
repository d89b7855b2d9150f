"""Names of anything become file names and keys that hold."""

from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from swarm.errors import StoreError
from swarm.store.places import file_stem
from swarm.store.read_tables import row_key

NAMES = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=20)


@given(NAMES)
def test_a_file_name_turns_back_into_its_stream(name):
    assert unquote(file_stem(name)) == name


@given(NAMES, st.sampled_from([str.upper, str.lower, str.swapcase]))
def test_two_streams_never_meet_even_where_case_is_ignored(name, respelled):
    other = respelled(name)[:20]
    assert (file_stem(name).lower() == file_stem(other).lower()) == (name == other)


@given(NAMES)
def test_a_file_name_stays_in_its_folder(name):
    stem = file_stem(name)
    assert not set(stem) & set("/\\.\x00:")


@pytest.mark.parametrize("name", ["", "x" * 241, "ü" * 41])
def test_a_name_no_file_system_takes_is_refused(name):
    with pytest.raises(StoreError, match="stream name"):
        file_stem(name)


def test_keys_of_different_parts_differ_however_they_are_cut():
    parts = [("a", "b/c"), ("a/b", "c"), ("a/b/c",), ("a", "b", "c"), ("n" * 999,), ("n" * 998,)]
    assert len({row_key(*part) for part in parts}) == len(parts)


def test_keys_sort_like_what_they_stand_for_and_fit_an_index():
    assert row_key("airflow", "a") < row_key("airflow", "b") < row_key("dagster", "a")
    assert len(row_key("☃" * 10_000).encode()) < 1_000
