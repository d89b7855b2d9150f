"""What `swarm doctor` says of a machine on which it may not do all."""

import itertools
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from swarm.cli.set_up import of_machine
from swarm.config import Settings
from swarm.store import versions  # noqa: F401  # nobody may not import it

_NOBODY = 65_534


@pytest.fixture
def above(tmp_path: Path) -> Iterator[Path]:
    """A folder that we may not enter, whoever runs the tests."""
    folder = tmp_path / "above"
    (folder / "state").mkdir(parents=True)
    folder.chmod(0)
    is_root = os.geteuid() == 0
    if is_root:
        os.setresuid(_NOBODY, _NOBODY, 0)
    try:
        yield folder
    finally:
        if is_root:
            os.setresuid(0, 0, 0)
        folder.chmod(0o700)


@pytest.mark.parametrize("below", ["state", "none"])
def test_nobody_is_told_to_take_a_folder_that_is_for_others_too(above: Path, below: str) -> None:
    folder = above / below
    looks = itertools.islice(of_machine(Settings(state_dir=folder)), 3)
    found = {one.what: one for one in looks}
    assert list(found) == ["state", "room", "store"]
    assert found["state"].found.endswith("cannot be written")
    assert found["state"].fix.startswith(f"sudo install -d -m 700 -o $(id -un) {folder} ")
