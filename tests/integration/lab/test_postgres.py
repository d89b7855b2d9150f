"""The lab on PostgreSQL: the same pipelines and dependencies, and swarm finds all of them."""

import asyncio
import contextlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from swarm.cli.showcase import settings_for
from swarm.cli.survey import Findings, survey
from swarm.config import Settings
from swarm.demo import postgres_server
from swarm.demo.lab import Lab
from swarm.demo.processes import LabError
from swarm.demo.run_folder import decoys
from swarm.demo.truth import Pair, Truth
from swarm.model.keys import TaskKey
from tests.integration.places import ENVIRONMENTS, LAB

pytestmark = [pytest.mark.lab, pytest.mark.postgres]


@dataclass(frozen=True, slots=True)
class Course:
    """A lab that has run and stopped, and what was seen of it."""

    lab: Lab
    connections: list[Mapping[str, str]]
    truth: Truth
    touched: list[Mapping[str, str]]
    findings: Findings
    places: frozenset[Path]


@pytest.fixture(scope="module")
def course() -> Course:
    try:
        postgres_server.find_programs()
    except LabError as error:
        if os.environ.get("CI"):
            raise
        pytest.skip(str(error))
    with Lab(LAB, environments_in=ENVIRONMENTS, warehouse="postgres") as lab:
        lab.run_pipelines()
        findings = asyncio.run(survey(settings_for(lab, Settings()), print))
        touched = [json.loads(line) for line in lab.run.touched()]
        named = (lab.run_folder / "connections.jsonl").read_text().splitlines()
        connections = [json.loads(line) for line in named]
        places = server_places(lab.survivors())
        return Course(lab, connections, lab.truth(), touched, findings, places)


def server_places(pids: Iterable[int]) -> frozenset[Path]:
    """Where those of the processes work that are PostgreSQL's; they overwrite their environment
    and command line, but stay in their folder."""
    found = set()
    for pid in pids:
        with contextlib.suppress(OSError):  # it has just ended, or belongs to somebody else
            found.add(Path(f"/proc/{pid}/cwd").readlink())
    return frozenset(place for place in found if "swarm-postgres-" in str(place))


def test_swarm_finds_what_the_server_has_logged_and_nothing_else(course: Course) -> None:
    found = {
        Pair(
            dependency.key.upstream,
            dependency.key.downstream,
            short(dependency.key.dataset.name, course.lab),
        )
        for dependency in course.findings.dependencies
        if not dependency.declared and dependency.confidence >= Settings().min_confidence
    }
    assert course.findings.failures == ()
    assert found == course.truth.undeclared
    assert len(course.truth.undeclared_across) >= 14


def short(name: str, lab: Lab) -> str:
    """A dataset as the audit writes it: `schema.table`, or a path relative to the lab's run."""
    return name.removeprefix("warehouse.").removeprefix(f"{lab.run_folder}/")


def test_the_truth_is_that_of_the_pipelines(course: Course) -> None:
    orders = TaskKey("airflow", "sales_orders", "clean")
    # Through a view over two schemas; through psql; through a driver with parameters.
    assert {
        Pair(orders, TaskKey("dagster", "customer_360_job", "crm/customer_360"), "sales.orders"),
        Pair(
            TaskKey("cron", "fx_rates", "fx_rates"),
            TaskKey("airflow", "finance_ledger", "post"),
            "finance.fx_rates",
        ),
        Pair(
            TaskKey("prefect", "tickets/nightly", "store_tickets"),
            TaskKey("dagster", "churn_job", "crm/churn"),
            "crm.tickets",
        ),
    } <= course.truth.undeclared_across
    assert len(course.truth.declared) == 5


def test_every_orchestrator_has_connections_of_its_own(course: Course) -> None:
    assert {entry["orchestrator"] for entry in course.connections} == {
        "airflow",
        "dagster",
        "prefect",
        "cron",
    }
    tables = {entry["name"] for entry in course.touched if entry["kind"] == "table"}
    assert len(tables) >= 30


def test_no_decoy_is_true(course: Course) -> None:
    for decoy in decoys():
        key, dataset = TaskKey(*decoy["task"]), decoy["dataset"]
        end = "downstream" if decoy["access"] == "read" else "upstream"
        pairs = course.truth.undeclared | course.truth.declared
        assert not any(getattr(p, end) == key and p.dataset == dataset for p in pairs), decoy


def test_the_server_has_ended_and_left_no_files(course: Course) -> None:
    (place,) = course.places
    assert not place.exists()
    assert not place.parent.exists()
    assert course.lab.survivors() == []
    left = server_places(int(entry.name) for entry in Path("/proc").glob("[0-9]*"))
    assert not [found for found in left if str(found).startswith(str(place))]
