"""The table of cases: what programs, commands and files of tasks read, write and leave open.

A case is `files` by path and one way to start: `run` (`file.py:function`, or a file as a script
with `arguments`), `command`, `airflow` (`file dag/task`), `dagster` (an asset or op), `prefect`
(`file.py:flow task`) or `task` (fields of a line of a manifest). `reads` and `writes` are all
there is; `unresolved` are reason and place of all that could not be known.
"""

import json
from pathlib import Path

import pytest
import yaml

from swarm.config import Settings
from swarm.connectors.manifest import read_manifest
from swarm.lineage.code.airflow import extract_airflow_file
from swarm.lineage.code.dagster import extract_dagster
from swarm.lineage.code.entry import extract_code, extract_shell
from swarm.lineage.code.prefect import prefect_entry
from swarm.lineage.text import CodeContext, SqlContext
from swarm.model.lineage import Evidence, Touch, Unresolved

FOLDER = Path(__file__).with_name("code_cases")
CASES = [
    pytest.param(case, id=f"{path.stem}: {case['case']}")
    for path in sorted(FOLDER.glob("*.yml"))
    for case in yaml.safe_load(path.read_text())
]
WAYS = ("run", "command", "airflow", "dagster", "prefect", "task")


def found_by(case, folder):
    """What is found of a case: accesses and what is unresolved."""
    files = case.get("files", {})
    arguments = tuple(case["arguments"].split()) if "arguments" in case else None
    parameters = case.get("parameters", {})
    base = SqlContext(case.get("dialect", ""), parameters=parameters)
    context = CodeContext({}, base, parameters, arguments)
    (way,) = [way for way in WAYS if way in case]
    told = case[way]
    if way == "task":
        return of_manifest(told, files, folder)
    if way == "run":
        found = extract_code(files, told, context)
    elif way == "command":
        found = extract_shell(told, files, context, "command:1")
    elif way == "airflow":
        file, _, task = told.partition(" ")
        found = extract_airflow_file(files, file, context)[tuple(task.split("/"))]
    elif way == "prefect":
        entry, _, task = told.partition(" ")
        found = prefect_entry(files, entry, context)[task]
    else:
        found = extract_dagster(files, told, context)
    return found.touches, found.unresolved


def of_manifest(fields, files, folder):
    path = folder / "tasks.jsonl"
    line = {"pipeline": "p", "task": "t", "files": files, **fields}
    path.write_text(json.dumps(line) + "\n")
    chunks = read_manifest(path, "manifest", Settings(), 0.0)
    items = [item for chunk in chunks for item in chunk]
    found = [item for item in items if isinstance(item, Evidence)]
    return found, [item for item in items if isinstance(item, Unresolved)]


def named(one: Touch | Evidence) -> str:
    dataset = one.dataset
    return f"{dataset.namespace}/{dataset.name}" if dataset.namespace else dataset.name


@pytest.mark.parametrize("case", CASES)
def test_case(case, tmp_path):
    touches, unresolved = found_by(case, tmp_path)
    assert {
        "reads": sorted({named(t) for t in touches if t.access == "read"}),
        "writes": sorted({named(t) for t in touches if t.access == "write"}),
        "unresolved": sorted({f"{u.reason} {u.place}" for u in unresolved}),
    } == {
        "reads": sorted(case.get("reads", [])),
        "writes": sorted(case.get("writes", [])),
        "unresolved": sorted(case.get("unresolved", [])),
    }, [u.detail for u in unresolved]
    for place in case.get("places", []):
        assert place in {t.place for t in touches}


def test_every_case_has_its_own_name():
    names = [param.id for param in CASES]
    assert len(names) == len(set(names))
