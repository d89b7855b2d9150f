"""The lab starts real orchestrators, runs real pipelines, knows the truth, leaves nothing."""

import fcntl
import json
from pathlib import Path

import pytest

from swarm.demo import environments
from swarm.demo.lab import Lab
from swarm.demo.processes import LabError
from swarm.demo.run_folder import decoys
from swarm.demo.truth import Pair, Truth
from swarm.model.keys import TaskKey
from tests.integration.places import LAB

pytestmark = [pytest.mark.lab]

ORDERS = TaskKey("airflow", "sales_orders", "clean")


@pytest.fixture(scope="module")
def folder() -> Path:
    return LAB


@pytest.fixture(scope="module")
def course(folder: Path) -> tuple[Lab, int, Truth]:
    """A lab that has run and stopped: itself, how many pipelines ran, the truth."""
    with Lab(folder) as lab:
        count = lab.run_pipelines()
        truth = lab.truth()
        assert lab.survivors(), "while it runs, its processes can be seen"
    return lab, count, truth


def test_all_pipelines_run(course: tuple[Lab, int, Truth]) -> None:
    _, count, _ = course
    assert count >= 32


def test_the_truth_holds_what_was_really_touched(course: tuple[Lab, int, Truth]) -> None:
    _, _, truth = course
    assert len(truth.undeclared_across) >= 14
    # Through SQL in an f-string, through a view over two schemas, through a file.
    assert {
        Pair(ORDERS, TaskKey("dagster", "shipments_job", "ops/shipments"), "sales.orders"),
        Pair(ORDERS, TaskKey("dagster", "customer_360_job", "crm/customer_360"), "sales.orders"),
        Pair(
            TaskKey("prefect", "suppliers/weekly", "suppliers"),
            TaskKey("dagster", "suppliers_job", "ops/supplier_scores"),
            "lake/ops/suppliers.json",
        ),
    } <= truth.undeclared_across


def test_what_orchestrators_declare_is_no_finding(course: tuple[Lab, int, Truth]) -> None:
    _, _, truth = course
    # By task order, by an asset, by the order of ops, by an asset's deps.
    assert truth.declared == {
        Pair(TaskKey("airflow", "sales_orders", "load"), ORDERS, "staging.orders_raw"),
        Pair(ORDERS, TaskKey("airflow", "sales_daily_revenue", "sum_up"), "sales.orders"),
        Pair(
            TaskKey("airflow", "ops_machine_orders", "plan"),
            TaskKey("airflow", "ops_machine_orders", "list_orders"),
            "ops.orders",
        ),
        Pair(
            TaskKey("dagster", "revenue_report", "build_revenue_report"),
            TaskKey("dagster", "revenue_report", "publish_revenue_report"),
            "finance.revenue_report",
        ),
        Pair(
            TaskKey("dagster", "shipments_job", "ops/shipments"),
            TaskKey("dagster", "shipments_job", "ops/late_orders"),
            "ops.shipments",
        ),
    }


def test_no_decoy_is_true_and_each_would_mislead(course: tuple[Lab, int, Truth]) -> None:
    lab, _, truth = course
    lines = (lab.run_folder / "audit.jsonl").read_text().splitlines()
    touched = [json.loads(line) for line in lines]
    pairs = truth.undeclared | truth.declared
    for decoy in decoys():
        orchestrator, pipeline, task = decoy["task"]
        key, dataset = TaskKey(orchestrator, pipeline, task), decoy["dataset"]
        end = "downstream" if decoy["access"] == "read" else "upstream"
        assert not any(getattr(p, end) == key and p.dataset == dataset for p in pairs), decoy
        if dataset is not None and not dataset.endswith("work_rows"):
            other = "write" if decoy["access"] == "read" else "read"
            assert any(t["name"] == dataset and t["access"] == other for t in touched), decoy


def test_nothing_is_left_alive(course: tuple[Lab, int, Truth]) -> None:
    lab, _, _ = course
    assert lab.survivors() == []
    assert lab.processes.sessions
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            words = (entry / "cmdline").read_bytes() + (entry / "environ").read_bytes()
        except OSError:
            continue  # it has just ended, or belongs to somebody else
        assert str(lab.run_folder).encode() not in words, f"process {entry.name} is of the lab"


def test_a_start_that_fails_half_way_leaves_nothing(
    course: tuple[Lab, int, Truth], tmp_path: Path
) -> None:
    ran, _, _ = course
    for name in ("airflow", "prefect"):
        (tmp_path / name).symlink_to(ran.folder / "envs" / name)
    broken = tmp_path / "dagster" / "bin"
    broken.mkdir(parents=True)
    (broken.parent / ".requirements").write_text(environments.digest(environments.DAGSTER))
    for program in ("python", "dagster", "dagster-webserver", "dagster-daemon"):
        (broken / program).write_text("#!/bin/sh\necho no space left\nexit 3\n")
        (broken / program).chmod(0o755)
    lab = Lab(tmp_path / "lab", environments_in=tmp_path)
    with pytest.raises(LabError, match=r"(?s)dagster-\w+ (ended|failed) \(3\).*no space left"):
        lab.__enter__()
    assert lab.processes.sessions, "something had been started"
    assert lab.survivors() == []


def test_two_labs_do_not_share_a_folder(tmp_path: Path) -> None:
    (tmp_path / "lock").touch()
    with (tmp_path / "lock").open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(LabError, match="Another lab runs"):
            Lab(tmp_path).__enter__()
