"""`swarm completion`: what a shell needs to complete commands and options."""

from enum import StrEnum
from typing import Annotated

import typer


class Shell(StrEnum):
    """Whose words."""

    BASH = "bash"
    ZSH = "zsh"
    FISH = "fish"


def completion(
    shell: Annotated[Shell, typer.Argument(help="Which shell.")],
) -> None:
    """Print the lines that let a shell complete `swarm`: `swarm completion bash >> ~/.bashrc`."""
    from typer import completion as typers

    script = typers.get_completion_script(  # type: ignore[attr-defined]
        prog_name="swarm", complete_var="_SWARM_COMPLETE", shell=shell.value
    )
    typer.echo(script)
