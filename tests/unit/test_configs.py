"""The example settings are settings."""

from pathlib import Path

import pytest

from swarm import config

FILES = sorted((Path(__file__).parents[2] / "configs").glob("*.yaml"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_it_loads(path):
    settings = config.load(path, environ={})
    names = [source.instance for source in settings.sources]
    assert names
    assert len(set(names)) == len(names)


def test_there_are_examples():
    assert FILES
