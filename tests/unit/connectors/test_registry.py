"""Which connector reads which kind of source."""

import subprocess
import sys
import tomllib
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from swarm.config import Settings, Source
from swarm.connectors import registry
from swarm.connectors.registry import connect, known_kinds, open_connectors
from swarm.errors import ConfigError

ROOT = Path(__file__).parents[3]


def test_every_built_in_kind_can_be_loaded():
    files = ("manifest", "catalog", "crontab", "dbt", "query_history")
    kinds = ("airflow", "dagster", "prefect", *files)
    for kind in kinds:
        assert callable(known_kinds()[kind].load())


def test_what_the_package_announces_is_what_is_built_in():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    announced = project["entry-points"][registry.GROUP]
    assert announced == {kind: known_kinds()[kind].value for kind in announced}


def test_an_unknown_kind_is_named_with_the_known_ones():
    with pytest.raises(ConfigError) as error:
        connect(Source(kind="airfow", name="eu"), Settings())
    assert "`eu`" in str(error.value)
    assert "Did you mean `airflow`?" in str(error.value)
    assert "crontab" in str(error.value)


def test_other_packages_add_kinds_and_cannot_replace_built_in_ones(monkeypatch, tmp_path):
    added = [
        EntryPoint("cobol", "swarm.connectors.manifest:connect", registry.GROUP),
        EntryPoint("airflow", "evil:connect", registry.GROUP),
        EntryPoint("broken", "no_such_package:connect", registry.GROUP),
    ]
    monkeypatch.setattr(registry, "entry_points", lambda group: added)
    connector = connect(Source(kind="cobol", path=tmp_path / "x"), Settings())
    assert connector.kind == "cobol"
    assert known_kinds()["airflow"].value.startswith("swarm.")
    with pytest.raises(ConfigError, match="no_such_package"):
        connect(Source(kind="broken"), Settings())


def test_two_sources_of_one_name_are_refused(tmp_path):
    twice = (Source(kind="manifest", path=tmp_path), Source(kind="manifest", path=tmp_path))
    with pytest.raises(ConfigError, match="two sources are called `manifest`"):
        open_connectors(Settings(sources=twice))


def test_connectors_come_in_the_order_of_the_sources(tmp_path):
    sources = (
        Source(kind="crontab", name="b", path=tmp_path),
        Source(kind="manifest", name="a", path=tmp_path),
    )
    found = [(c.kind, c.name) for c in open_connectors(Settings(sources=sources))]
    assert found == [("crontab", "b"), ("manifest", "a")]


def test_only_the_kinds_in_use_are_imported():
    script = (
        "import sys\nfrom swarm.config import Settings, Source\n"
        "from swarm.connectors.registry import open_connectors\n"
        "open_connectors(Settings(sources=(Source(kind='catalog', path='x'),)))\n"
        "print([m for m in ('prefect', 'airflow_client', 'dagster_graphql') if m in sys.modules])"
    )
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT)
    assert out.stdout.strip() == "[]", out.stderr
