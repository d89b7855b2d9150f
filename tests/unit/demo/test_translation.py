"""The pipelines for PostgreSQL are the ones for SQLite, with another driver."""

from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from swarm.demo.postgres_server import Postgres, find_programs
from swarm.demo.postgres_warehouse import PostgresWarehouse
from swarm.demo.processes import LabError

PIPELINES = Path(str(resources.files("swarm.demo"))) / "pipelines"
SOURCES = [
    file
    for name in ("airflow", "dagster", "prefect", "cron")
    for file in sorted((PIPELINES / name).iterdir())
    if file.is_file()
]


@pytest.fixture
def warehouse(tmp_path: Path) -> Iterator[PostgresWarehouse]:
    home = TemporaryDirectory(dir=tmp_path)
    server = Postgres(tmp_path, Path(home.name), 5433, "of the owner")
    made = PostgresWarehouse(server, home, "secret", tmp_path / "connections.jsonl")
    yield made
    made.close()


@pytest.mark.parametrize("file", SOURCES, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_nothing_of_sqlite_is_left(warehouse: PostgresWarehouse, file: Path) -> None:
    text = warehouse.translate(file.read_text())
    assert "sqlite" not in text
    assert "?" not in text
    assert warehouse.password not in text
    assert len(text.splitlines()) == len(file.read_text().splitlines())
    if file.suffix == ".py":
        compile(text, file, "exec")


def test_each_way_to_name_the_warehouse_is_known(warehouse: PostgresWarehouse) -> None:
    python = warehouse.translate('w = sqlite3.connect("warehouse/warehouse.db")')
    assert python == f'w = psycopg.connect("{warehouse.address}")'
    line = warehouse.translate("cd {folder} && sqlite3 warehouse/warehouse.db < a.sql")
    assert line == f"cd {{folder}} && psql -q -v ON_ERROR_STOP=1 {warehouse.address} < a.sql"
    assert set(warehouse.connections) == {"default", "warehouse", "WAREHOUSE", warehouse.address}


def test_placeholders_are_those_of_psycopg(warehouse: PostgresWarehouse) -> None:
    sql = warehouse.translate("INSERT INTO t VALUES ('chair?', ?, ?, 1) -- why?")
    assert sql == "INSERT INTO t VALUES ('chair?', %s, %s, 1) -- why?"


def test_the_newest_release_is_used(tmp_path: Path) -> None:
    for release in ("9.6", "15", "17"):
        (tmp_path / release / "bin").mkdir(parents=True)
        (tmp_path / release / "bin" / "initdb").touch()
    assert find_programs(tmp_path) == tmp_path / "17" / "bin"


def test_without_postgresql_the_package_is_named(tmp_path: Path) -> None:
    with pytest.raises(LabError, match="Debian package `postgresql`"):
        find_programs(tmp_path)
