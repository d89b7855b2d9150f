"""What the spot market asked, from the server of AWS that moto plays."""

from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from moto import mock_aws

from swarm.capacity.prices import Prices, market
from swarm.errors import CapacityError
from swarm.model.work import CapacityClass
from swarm.placement.prices import PoolPrice

NOW_S = 1_790_000_000.0
HOUR = int(NOW_S // 3_600) - 5
POOL = PoolPrice("m5.large", "eu-central-1", "eu-central-1a")


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "x")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "x")
    with mock_aws():
        yield


@pytest.mark.usefixtures("aws")
def test_the_market_is_asked_by_zone() -> None:
    assert list(market(POOL, 0.0, NOW_S)) == ["eu-central-1a"]
    everywhere = market(PoolPrice("m5.large", "eu-central-1"), 0.0, NOW_S)
    assert set(everywhere) == {"eu-central-1a", "eu-central-1b", "eu-central-1c"}
    assert all(price > 0 for steps in everywhere.values() for _, price in steps)


@pytest.mark.usefixtures("aws")
def test_spot_nodes_have_the_market_price_and_others_that_of_the_table() -> None:
    """All of moto's prices are older than what is asked for: they hold from the start."""
    book, missing = Prices({"cheap": POOL}).book(NOW_S, frozenset({"cheap"}))
    assert missing == ()
    spot = book.of("cheap", CapacityClass.SPOT, HOUR)
    assert spot is not None
    (steps,) = market(POOL, 0.0, NOW_S).values()
    assert (spot.usd_per_h, spot.ondemand_usd_per_h) == (pytest.approx(steps[-1][1]), 0.115)
    dedicated = book.of("cheap", CapacityClass.DEDICATED, HOUR)
    assert dedicated == ("m5.large", 0.115, 0.115)
    assert book.of("other", CapacityClass.SPOT, HOUR) is None


@pytest.mark.usefixtures("aws")
def test_a_price_of_the_settings_comes_first_and_nobody_is_asked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(boto3, "client", lambda *_, **__: pytest.fail("asked"))
    known = PoolPrice("m5.large", "eu-central-1", spot_usd_per_h=0.04)
    book, _ = Prices({"cheap": known}).book(NOW_S, frozenset({"cheap"}))
    assert book.of("cheap", CapacityClass.SPOT, HOUR) == ("m5.large", 0.04, 0.115)


def test_without_an_answer_spot_counts_as_on_demand_and_that_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Nobody told who asks, so AWS's own library does not even try."""
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    with pytest.raises(CapacityError, match=r"of m5\.large in eu-central-1: .*credentials"):
        market(POOL, 0.0, NOW_S)
    book, (missing,) = Prices({"cheap": POOL}).book(NOW_S, frozenset({"cheap"}))
    assert "spot prices of m5.large in eu-central-1" in missing
    assert book.of("cheap", CapacityClass.SPOT, HOUR) == ("m5.large", 0.115, 0.115)
