"""The prices that ship."""

from datetime import date

import pytest

from swarm.placement.prices import AS_OF, ondemand_usd_per_h


def test_sizes_are_multiples_of_one_price() -> None:
    assert ondemand_usd_per_h("m5.2xlarge", "us-east-1") == pytest.approx(0.384)
    assert ondemand_usd_per_h("m5.24xlarge", "eu-west-1") == pytest.approx(5.136)


def test_what_is_not_in_the_table_has_no_price() -> None:
    assert ondemand_usd_per_h("m5.2xlarge", "mars-1") is None
    assert ondemand_usd_per_h("x9.huge", "us-east-1") is None


def test_the_table_says_of_when_it_is() -> None:
    assert date.fromisoformat(AS_OF) <= date(2027, 12, 31)
