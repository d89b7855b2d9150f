"""What `swarm completion` prints makes a shell complete."""

import os
import subprocess
import sys

import pytest
from typer.testing import CliRunner

from swarm.cli.main import app


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_a_script_of_its_own(shell):
    told = CliRunner().invoke(app, ["completion", shell])
    assert told.exit_code == 0, told.output
    assert f"_SWARM_COMPLETE=complete_{shell}" in told.stdout


def test_another_shell_is_refused_with_those_there_are():
    refused = CliRunner().invoke(app, ["completion", "csh"])
    assert refused.exit_code == 2
    assert "fish" in refused.stderr


def test_what_the_script_asks_is_answered():
    """As bash asks: the words so far, and which of them is to be completed."""
    program = "from swarm.cli.main import app; app(prog_name='swarm')"
    asked = {"_SWARM_COMPLETE": "complete_bash", "COMP_WORDS": "swarm con", "COMP_CWORD": "1"}
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, **asked},
        capture_output=True,
        text=True,
        check=False,
    )
    assert {"connections", "config"} <= set(done.stdout.split())
