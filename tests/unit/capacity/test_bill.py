"""Cost and Usage Reports in both forms that AWS writes them."""

import gzip
from pathlib import Path

import pytest

from swarm.capacity.bill import Billed, read_bill
from swarm.errors import InputError
from swarm.model.work import CapacityClass

SAMPLES = Path(__file__).parent
HOUR_S = 3_600.0
FROM_S = 1_793_584_800.0  # 2026-11-02 02:00 UTC
SPOT = Billed("m5.2xlarge", CapacityClass.SPOT, FROM_S, FROM_S + HOUR_S, 1.0, 0.152)
DEDICATED = Billed("m5.2xlarge", CapacityClass.DEDICATED, FROM_S, FROM_S + HOUR_S, 0.5, 0.192)
COVERED = Billed(
    "m5.large", CapacityClass.DEDICATED, FROM_S + HOUR_S, FROM_S + 2 * HOUR_S, 1.0, 0.06
)


@pytest.mark.parametrize("name", ["cur.csv", "cur2.csv"])
def test_instance_hours_of_the_cluster_are_read(name: str) -> None:
    """Disks, traffic, taxes and others' machines are left out."""
    found = read_bill(SAMPLES / name, {"ray-cluster-name": "swarm"})
    assert found == [SPOT, DEDICATED, COVERED]


@pytest.mark.parametrize("name", ["cur.csv", "cur2.csv"])
def test_without_a_tag_all_machines_count(name: str) -> None:
    assert len(read_bill(SAMPLES / name, {})) == 4


def test_gzipped_is_the_same(tmp_path: Path) -> None:
    packed = tmp_path / "cur.csv.gz"
    packed.write_bytes(gzip.compress((SAMPLES / "cur.csv").read_bytes()))
    assert read_bill(packed, {}) == read_bill(SAMPLES / "cur.csv", {})


def test_what_is_no_report_says_what_is_missing(tmp_path: Path) -> None:
    other = tmp_path / "other.csv"
    other.write_text("a,b\n1,2\n")
    with pytest.raises(InputError, match=r"other\.csv: no Cost and Usage Report"):
        read_bill(other, {})
    other.write_bytes(b"\x1f\x8bno")
    with pytest.raises(InputError, match="gzipped"):
        read_bill(other, {})


def test_a_damaged_line_is_named(tmp_path: Path) -> None:
    text = (SAMPLES / "cur.csv").read_text().replace("0.1520000000", "a lot", 1)
    damaged = tmp_path / "damaged.csv"
    damaged.write_text(text)
    with pytest.raises(InputError, match=r"damaged\.csv, line 2: .*a lot"):
        read_bill(damaged, {})
