"""A person's word on a finding goes with it, and ends as it says."""

from dataclasses import replace

import pytest

from swarm.errors import UnknownKey
from swarm.model.findings import Finding, FindingKind, Mute, finding_id, muted, told
from swarm.model.keys import PipelineKey
from swarm.model.lineage import Level
from swarm.store.codec import Codec

READER = PipelineKey("dagster", "report")
OPEN = Finding(
    finding_id(FindingKind.RACE, "x"), FindingKind.RACE, (READER,), (), Level.WARN, 1.0, 1.0
)


def test_it_stays_while_the_finding_changes_and_ends_with_it() -> None:
    quiet = muted([None, OPEN], Mute("ann", note="known"), 2.0)
    assert (quiet.changed_at_s, quiet.first_seen_s) == (2.0, 1.0)
    worse = told(quiet, replace(OPEN, level=Level.GATE, changed_at_s=3.0), 3.0)
    assert worse is not None
    assert worse.mute == Mute("ann", note="known")
    closed = told(worse, None, 4.0)
    assert closed is not None
    assert not closed.is_muted(4.0)
    again = told(None, replace(OPEN, first_seen_s=5.0), 5.0)
    assert again is not None
    assert again.mute is None


def test_it_is_no_news_by_itself() -> None:
    assert told(muted([OPEN], Mute("ann"), 2.0), OPEN, 3.0) is None


@pytest.mark.parametrize(("until_s", "at_2", "at_3"), [(None, True, True), (3.0, True, False)])
def test_it_lasts_until_then_or_as_long_as_it_is_open(
    until_s: float | None, at_2: bool, at_3: bool
) -> None:
    quiet = muted([OPEN], Mute("ann", until_s), 1.0)
    assert (quiet.is_muted(2.0), quiet.is_muted(3.0)) == (at_2, at_3)
    assert not muted([quiet], None, 2.0).is_muted(2.0)


def test_what_is_not_open_takes_none() -> None:
    with pytest.raises(UnknownKey, match="swarm findings"):
        muted([None, None], Mute("ann"), 1.0)


def test_findings_of_before_have_none_and_read_as_ever() -> None:
    codec = Codec(Finding)
    before = codec.encode(OPEN).replace(',"mute":null', "")
    assert "mute" not in before
    assert codec.decode(before) == OPEN
    quiet = muted([OPEN], Mute("ann", 9.0), 2.0)
    assert codec.decode(codec.encode(quiet)) == quiet
