"""A text that cannot be read in time costs itself and nothing else."""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psutil
import pytest

from swarm.connectors.programs import Program, Script, items_of
from swarm.connectors.trees import TREES, Trees
from swarm.lineage.sql.extract import extract_sql
from swarm.lineage.sql.tree import tree_extraction
from swarm.lineage.text import SqlContext
from swarm.model.keys import TaskKey
from swarm.model.lineage import Coverage, Evidence, Unresolved, UnresolvedReason

CPU_S = 0.3
WHERE = ("bigquery", "", "", "")
# Every level is read twice, as a type and as a call: 2 ** 40 ways.
SLOW = "SELECT " + "date(" * 40 + "1" + ")" * 40 + " FROM a TABLESAMPLE SYSTEM (1 PERCENT)"
GREEDY = "SELECT " + "f(a.b + 1)," * 15_000 + "1"
PLAIN = "SELECT * FROM a TABLESAMPLE SYSTEM (1 PERCENT)"


@pytest.fixture(autouse=True)
def _alone() -> None:
    TREES.close()  # what other tests have left open


@pytest.fixture
def trees() -> Iterator[Trees]:
    trees = Trees(processes=2, cpu_s=CPU_S)
    yield trees
    trees.close()
    assert children() == []


def children() -> list[psutil.Process]:
    """The processes of this one that read texts, zombies included."""
    return [
        child
        for child in psutil.Process().children()
        if child.status() == psutil.STATUS_ZOMBIE
        or "swarm.connectors.tree_worker" in child.cmdline()
    ]


def reasons(found: tuple[Unresolved, ...]) -> list[UnresolvedReason]:
    return [problem.reason for problem in found]


def test_a_process_reads_what_this_one_would(trees: Trees) -> None:
    parameters = (("x", "b"),)
    text = "SELECT * FROM {{ x }} JOIN {{ y }}; SELECT * FROM c PIVOT (broken"
    found = trees.read(text, WHERE, parameters)
    assert found == tree_extraction(text, WHERE, parameters)
    assert found.confidence == tree_extraction(text, WHERE, parameters).confidence < 1


def test_a_slow_text_is_killed_and_the_next_one_read(trees: Trees) -> None:
    found = trees.read(SLOW, WHERE, ())
    assert reasons(found.unresolved) == [UnresolvedReason.TOO_SLOW]
    assert f"{CPU_S} s" in found.unresolved[0].detail
    assert children() == []
    assert trees.read(PLAIN, WHERE, ()).touches


def test_processes_are_used_again(trees: Trees) -> None:
    for _ in range(3):
        trees.read(PLAIN, WHERE, ())
    assert len(children()) == 1


def test_a_text_that_needs_too_much_memory_is_given_up() -> None:
    trees = Trees(processes=1, cpu_s=60, memory_bytes=100 << 20)
    assert trees.read(PLAIN, WHERE, ()).touches
    assert reasons(trees.read(GREEDY, WHERE, ()).unresolved) == [UnresolvedReason.TOO_SLOW]
    assert trees.read(PLAIN, WHERE, ()).touches
    trees.close()


def test_a_process_that_died_meanwhile_costs_no_text(trees: Trees) -> None:
    trees.read(PLAIN, WHERE, ())
    (child,) = children()
    child.kill()
    assert trees.read(PLAIN, WHERE, ()) == tree_extraction(PLAIN, WHERE, ())


def test_threads_share_the_processes(trees: Trees) -> None:
    texts = [SLOW if number == 5 else f"{PLAIN}, b{number} PIVOT (x)" for number in range(30)]
    seen: list[int] = []

    def read(text: str) -> object:
        found = trees.read(text, WHERE, ())
        seen.append(len(children()))
        return found

    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(read, texts))
    assert max(seen) <= 2
    for number, (text, one) in enumerate(zip(texts, found, strict=True)):
        assert number == 5 or one == tree_extraction(text, WHERE, ())


def test_the_rest_of_a_task_goes_on(trees: Trees) -> None:
    context = SqlContext("bigquery", "wh", tree=trees.read)
    task = TaskKey("cron", "p", "t")
    scripts = (Script("slow.sql", SLOW, context), Script("fine.sql", PLAIN, context))
    items = list(items_of(Program(task, scripts), 0.0))
    assert [i.place for i in items if isinstance(i, Evidence)] == ["fine.sql:1"]
    problems = [i for i in items if isinstance(i, Unresolved)]
    assert [(i.reason, i.place) for i in problems] == [(UnresolvedReason.TOO_SLOW, "slow.sql:1")]
    assert not any(isinstance(i, Coverage) for i in items)


def test_a_slow_text_is_slow_once(trees: Trees) -> None:
    context = SqlContext("bigquery", "once", tree=trees.read)
    spent_s = [_children_cpu_s()]
    for _ in range(3):
        found = extract_sql(SLOW, context, "q")
        assert reasons(found.unresolved) == [UnresolvedReason.TOO_SLOW]
        spent_s.append(_children_cpu_s())
    assert spent_s[1] > spent_s[0]
    assert spent_s[1:] == [spent_s[1]] * 3


def _children_cpu_s() -> float:
    times = os.times()
    return times.children_user + times.children_system
