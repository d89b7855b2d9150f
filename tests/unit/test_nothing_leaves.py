"""No usage data leaves: swarm has none, and what it imports and starts is told not to."""

import os
from unittest import mock

from swarm.bootstrap.cluster import ray_environment
from swarm.config import Settings, Source
from swarm.connectors.dagster.client import DagsterClient
from swarm.connectors.prefect import client as prefect
from swarm.demo.processes import Site


def test_ray_sends_none(tmp_path):
    for address in ("", "auto"):
        settings = Settings(state_dir=tmp_path, ray_address=address)
        assert ray_environment(settings)["RAY_USAGE_STATS_ENABLED"] == "0"


def test_prefects_client_sends_none(tmp_path):
    with mock.patch.dict(os.environ):
        prefect._prepare(tmp_path)
        assert os.environ["DO_NOT_TRACK"] == "1"
        assert os.environ["PREFECT_SERVER_ANALYTICS_ENABLED"] == "false"


def test_dagsters_client_sends_none(monkeypatch):
    monkeypatch.delenv("DAGSTER_DISABLE_TELEMETRY", raising=False)
    DagsterClient(Source(kind="dagster", url="http://127.0.0.1:1"))
    assert os.environ.pop("DAGSTER_DISABLE_TELEMETRY") == "1"


def test_the_programs_of_the_lab_are_asked_to_send_none(tmp_path):
    site = Site(tmp_path, tmp_path, tmp_path, tmp_path, {})
    assert site.environ()["DO_NOT_TRACK"] == "1"


def test_without_settings_nobody_is_told_anything():
    settings = Settings()
    assert settings.alerts.targets == ()
    assert settings.publish.url == ""
    assert settings.telemetry.traces_url == ""
