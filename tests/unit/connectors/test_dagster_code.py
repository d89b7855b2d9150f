"""Which function runs in an asset or op, and what it touches."""

from pathlib import Path

from swarm.connectors.code_folders import CodeFolders
from swarm.connectors.dagster.answers import CodeReference
from swarm.connectors.dagster.code import DagsterCode
from swarm.connectors.dagster.mapping import CodeTarget
from swarm.lineage.text import CodeContext
from swarm.model.connectors import Item
from swarm.model.keys import TaskKey
from swarm.model.lineage import Coverage, Evidence, Unresolved, UnresolvedReason

ASSETS = """
import sqlite3
import dagster as dg

@dg.asset(key_prefix="crm")
def churn():
    sqlite3.connect("/lake.db").execute("INSERT INTO churn SELECT * FROM customers")
"""
DEFINITIONS = """
import dagster as dg
from assets import churn

defs = dg.Definitions(assets=[churn])
"""
TASK = TaskKey("dg", "crm_job", "crm/churn")


def told(folder: Path, *references: CodeReference, writes: bool = False) -> list[Item]:
    code = DagsterCode(CodeFolders([folder]), CodeContext())
    code.refresh()
    names = ("crm/churn", "churn", "crm__churn")
    return list(code.items(CodeTarget(TASK, names, references, writes), 5.0))


def accesses(items: list[Item]) -> set[tuple[str, str]]:
    return {(one.access.value, one.dataset.name) for one in items if isinstance(one, Evidence)}


def test_a_function_is_found_once_however_many_files_import_it(tmp_path: Path) -> None:
    (tmp_path / "assets.py").write_text(ASSETS)
    (tmp_path / "definitions.py").write_text(DEFINITIONS)
    items = told(tmp_path)
    assert accesses(items) == {("write", "churn"), ("read", "customers")}
    assert any(isinstance(one, Coverage) for one in items)
    assert {one.task for one in items if isinstance(one, Evidence | Coverage)} == {TASK}


def test_two_functions_of_that_name_are_not_guessed_between(tmp_path: Path) -> None:
    (tmp_path / "assets.py").write_text(ASSETS)
    (tmp_path / "copy.py").write_text(ASSETS)
    [unresolved] = told(tmp_path)
    assert isinstance(unresolved, Unresolved)
    assert unresolved.reason is UnresolvedReason.AMBIGUOUS
    assert "assets.py" in unresolved.detail
    assert "copy.py" in unresolved.detail


def test_where_the_team_says_it_is_decides(tmp_path: Path) -> None:
    (tmp_path / "assets.py").write_text(ASSETS)
    (tmp_path / "copy.py").write_text(ASSETS.replace("customers", "people"))
    items = told(tmp_path, CodeReference("/opt/etl/copy.py", 6))
    assert accesses(items) == {("write", "churn"), ("read", "people")}


def test_a_function_that_is_nowhere_is_reported(tmp_path: Path) -> None:
    (tmp_path / "other.py").write_text("import dagster")
    [unresolved] = told(tmp_path)
    assert isinstance(unresolved, Unresolved)
    assert unresolved.reason is UnresolvedReason.MISSING_SOURCE
    assert unresolved.subject == "dg/crm_job/crm/churn"


def test_a_file_that_changed_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "assets.py"
    path.write_text(ASSETS)
    code = DagsterCode(CodeFolders([tmp_path]), CodeContext())
    target = CodeTarget(TASK, ("crm/churn", "churn"))
    code.refresh()
    before = accesses(list(code.items(target, 5.0)))
    path.write_text(ASSETS.replace("customers", "more_customers"))
    code.refresh()
    assert accesses(list(code.items(target, 6.0))) != before
