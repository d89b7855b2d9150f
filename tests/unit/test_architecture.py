"""The rules of the house, checked on the tree itself."""

import re
import resource
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = sorted((ROOT / "swarm").rglob("*.py"))

MAX_LINES = 600
MAX_HELP_CPU_S = 0.4
BAGS = re.compile(r"^(utils?|common|helpers?|managers?|core|misc)$")
HEAVY = (
    "ray",
    "prefect",
    "dagster",
    "dagster_graphql",
    "airflow_client",
    "networkx",
    "boto3",
    "sqlglot",
    "sqlalchemy",
    "fastapi",
    "opentelemetry",
)


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def lines_with(pattern: str, *folders: str) -> list[str]:
    wanted = re.compile(pattern)
    return [
        f"{named(path)}:{number}"
        for path in MODULES
        if not folders or named(path).startswith(tuple(f"swarm/{folder}/" for folder in folders))
        for number, line in enumerate(path.read_text().splitlines(), start=1)
        if wanted.search(line.split("#")[0])
    ]


def test_there_is_something_to_check():
    assert len(MODULES) > 50


def test_data_flows_one_way():
    lint = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([lint, "--no-cache"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-3_000:]


def test_no_module_is_too_long():
    lengths = {named(path): len(path.read_text().splitlines()) for path in MODULES}
    assert {name: length for name, length in lengths.items() if length > MAX_LINES} == {}


def test_no_module_is_a_bag():
    parts = {part for path in MODULES for part in path.relative_to(ROOT).with_suffix("").parts}
    assert [part for part in parts if BAGS.match(part)] == []


def test_ray_is_applied_in_one_place():
    found = lines_with(r"\bray\.remote\(")
    assert len({place.split(":")[0] for place in found}) <= 1, found
    assert all(place.startswith("swarm/bootstrap") for place in found), found


def test_no_actor_and_no_route_blocks_on_ray():
    assert lines_with(r"\bray\.get\(", "actors", "api") == []


def test_only_one_module_reads_the_clock():
    readers = lines_with(r"\btime\.time\(|\btime\.monotonic\(|\bdatetime\.now\(")
    engines = ("swarm/model/", "swarm/lineage/", "swarm/graph/")
    assert [place for place in readers if place.startswith(engines)] == []


@pytest.mark.parametrize(
    "script",
    [
        "import swarm",
        "from swarm.cli.main import app\nfrom typer.testing import CliRunner\n"
        "assert CliRunner().invoke(app, ['--help']).exit_code == 0",
    ],
    ids=["import swarm", "swarm --help"],
)
def test_nothing_heavy_is_imported(script):
    script += f"\nimport sys\nprint([name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True)
    assert done.stdout.strip() == "[]", done.stderr


def test_help_answers_at_once():
    spent_s = []
    for _ in range(3):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        done = subprocess.run(
            [sys.executable, "-m", "swarm", "--help"], cwd=ROOT, capture_output=True, text=True
        )
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert "scan" in done.stdout, done.stderr
        spent_s.append(after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)
    assert min(spent_s) < MAX_HELP_CPU_S, spent_s
