"""What the command line of a program that is not at hand says of its data, and how sure that is."""

import pytest

from swarm.lineage.code.entry import extract_shell
from swarm.lineage.text import CodeContext, SqlContext
from swarm.model.lineage import UnresolvedReason

CONTEXT = CodeContext(default=SqlContext(default_schema="s", namespace="w"))

# command line, "+dataset" where it is written and "-dataset" where it is read
HINTS = [
    ("tool --source-table a.b --target-table=c.d", "-a.b +c.d"),
    ("tool --input s3://x/k --output-path gs://y/k", "-k +k"),
    ("spark-submit --class o.J j.jar --history-table a.b --num-table-partitions 8", "-a.b"),
    ("spark-submit --table a.b j.jar", ""),  # an option of the launcher, not of the program
    ("python gone.py --output-table a.b", "+a.b"),
    ("./gone.sh in_table=a.b out_table=c", "-a.b +s.c"),
    ("tool --fromTable a --toTable b.c.d", "-s.a +b.c.d"),
    ("tool --table=t --dataset_id=d --project_id=p", "-p.d.t"),
    ("tool --destination_table='t${{ds_nodash}}' --dataset_id=d", "+d.t"),
    ("tool --tables a.b,c.d", "-a.b -c.d"),
    ("tool --dest p.d.t --source-host db.lake.local.net --to ops@x.org", "+p.d.t"),
    ("tool --input-table {{ params.t }} --output-table ${T} --input x.csv --table q.sql", ""),
    ("tool --verbose --from 2024-01-01 --to 2024-02-01 a.b s3://x/k", ""),
    ("tool --input-output-table a.b", "-a.b"),  # both ways: only that it is a table is known
]


@pytest.mark.parametrize(("command", "expected"), HINTS)
def test_options_hint_at_data(command: str, expected: str) -> None:
    found = extract_shell(command, {}, CONTEXT, "tab:1")
    marks = {"read": "-", "write": "+"}
    assert [marks[t.access] + t.dataset.name for t in found.touches] == expected.split()
    assert [u.reason for u in found.unresolved] == [UnresolvedReason.MISSING_SOURCE]
    assert all(touch.confidence < 1 for touch in found.touches)


def test_an_option_that_says_what_is_done_is_surer_than_one_that_names_a_table() -> None:
    said, named = extract_shell("x --in-table a.b --table c.d", {}, CONTEXT, "p").touches
    assert said.confidence > named.confidence


def test_arguments_of_a_program_that_is_at_hand_are_no_hints() -> None:
    files = {"run.sh": "psql -c 'SELECT 1'"}
    assert not extract_shell("sh run.sh --input-table a.b", files, CONTEXT, "p").touches
