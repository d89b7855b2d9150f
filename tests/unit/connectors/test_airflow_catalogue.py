"""Pipelines are put together from parts that come in any order."""

from dataclasses import replace

from swarm.connectors.airflow.catalogue import Catalogue
from swarm.connectors.airflow.mapping import Assets, Dag, TaskList
from swarm.connectors.airflow.position import OVERLAP_S, Feed, Position, read_position
from swarm.model.keys import DatasetKey, TaskKey
from swarm.model.lineage import Access, Channel, Coverage, Evidence
from swarm.model.pipelines import DeclaredEdge, Inventory, Task

A = Dag("a", "/dags/a.py", "a", "@daily", "team", (), False)
B = replace(A, dag_id="b")
TRIGGER = TaskKey("af", "a", "kick")
INTO_B = DeclaredEdge(TRIGGER, TaskKey("af", "b", ""), "trigger")


def a_catalogue(*dags: Dag) -> Catalogue:
    catalogue = Catalogue("af")
    catalogue.replace_dags(dags)
    for dag in dags:
        task = Task(TaskKey("af", dag.dag_id, "kick"))
        catalogue.replace_tasks(dag.dag_id, TaskList((task,)))
    return catalogue


def changed(catalogue: Catalogue) -> list[str]:
    return [pipeline.key.name for pipeline in catalogue.take_changed()]


def test_a_pipeline_is_given_once_until_it_changes() -> None:
    catalogue = a_catalogue(A, B)
    assert changed(catalogue) == ["a", "b"]
    assert changed(catalogue) == []
    catalogue.replace_dags([A, replace(B, paused=True)])
    assert changed(catalogue) == ["b"]


def test_only_new_and_moved_dags_have_to_be_read() -> None:
    catalogue = Catalogue("af")
    assert catalogue.replace_dags([A, B]) == ["a", "b"]
    assert catalogue.replace_dags([replace(A, paused=True), B]) == []
    assert catalogue.replace_dags([replace(A, file="/dags/new.py"), B]) == ["a"]
    assert catalogue.inventory() == Inventory("af", ("a", "b"))


def test_a_trigger_changes_the_pipeline_it_starts() -> None:
    catalogue = a_catalogue(A, B)
    catalogue.take_changed()
    catalogue.replace_links(TRIGGER, [INTO_B])
    (b,) = catalogue.take_changed()
    assert (b.key.name, b.declared) == ("b", (INTO_B,))
    catalogue.replace_links(TRIGGER, [INTO_B])
    assert changed(catalogue) == []
    catalogue.replace_links(TRIGGER, [])
    (b,) = catalogue.take_changed()
    assert b.declared == ()


def test_the_links_of_a_deleted_dag_go_with_it() -> None:
    catalogue = a_catalogue(A, B)
    catalogue.replace_links(TRIGGER, [INTO_B])
    catalogue.take_changed()
    catalogue.replace_dags([B])
    (b,) = catalogue.take_changed()
    assert b.declared == ()
    assert catalogue.inventory() == Inventory("af", ("b",))


def test_a_link_that_comes_before_its_dag_is_kept() -> None:
    catalogue = a_catalogue(A)
    catalogue.replace_links(TRIGGER, [INTO_B])
    assert changed(catalogue) == ["a"]
    catalogue.replace_dags([A, B])
    catalogue.replace_tasks("b", TaskList())
    (b,) = catalogue.take_changed()
    assert b.declared == (INTO_B,)


def test_assets_change_the_pipelines_they_start() -> None:
    catalogue = a_catalogue(A, B)
    catalogue.take_changed()
    edge = DeclaredEdge(TRIGGER, TaskKey("af", "b", ""), "asset x")
    catalogue.replace_assets(Assets({"b": (edge,)}))
    (b,) = catalogue.take_changed()
    assert b.declared == (edge,)
    catalogue.replace_assets(Assets())
    (b,) = catalogue.take_changed()
    assert b.declared == ()


def test_what_tasks_declare_is_complete_once_the_source_was_read() -> None:
    catalogue = a_catalogue(A, B)
    written = Evidence(TRIGGER, Access.WRITE, DatasetKey("x", "t"), Channel.DECLARED, 5.0, "asset")
    inlet = replace(written, access=Access.READ)
    assert catalogue.replace_assets(Assets(evidence=(written,))) == {"a"}
    assert list(catalogue.declared("a", 7.0, set())) == [written]
    cover = Coverage(TRIGGER, Channel.DECLARED, 7.0)
    catalogue.replace_inlets("a", (inlet,))
    assert list(catalogue.declared("a", 7.0, set())) == [written, inlet, cover]
    assert list(catalogue.declared("a", 7.0, {TRIGGER})) == [written, inlet]
    assert catalogue.replace_assets(Assets(complete=False)) == {"a"}
    assert list(catalogue.declared("a", 7.0, set())) == [inlet]


def test_a_repeated_pipeline_is_given_again() -> None:
    catalogue = a_catalogue(A, B)
    catalogue.take_changed()
    catalogue.repeat("a")
    assert changed(catalogue) == ["a"]


def test_a_position_survives_being_written() -> None:
    position = Position(runs=Feed(5.0, "page2", 9.0), tasks=Feed(7.0))
    assert read_position(position.write()) == position
    assert read_position(None) == Position()
    assert read_position('{"of": "another version"}') == Position()


def test_a_reading_that_broke_off_goes_on_where_it_was() -> None:
    begun = Feed(100.0).started(now_s=200.0)
    broken_off = begun.at("page2")
    assert broken_off.started(now_s=300.0) == broken_off
    # What changed since its first page was asked for is read again.
    assert broken_off.finished() == Feed(200.0 - OVERLAP_S)


def test_pages_that_cannot_be_gone_back_to_are_read_anew() -> None:
    begun = Feed(100.0).started(now_s=200.0)
    assert begun.at("").started(now_s=300.0).since_s == 100.0
