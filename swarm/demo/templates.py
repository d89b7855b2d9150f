"""Empty databases of the orchestrators, kept from the first start: making one takes longer than
starting all its servers."""

import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path


def restore(template: Path, home: Path, names: Sequence[str], make: Callable[[], None]) -> None:
    """Put the files and folders `names` into `home`, by `make()` the first time, then by copy."""
    home.mkdir(parents=True, exist_ok=True)
    if template.is_dir():
        shutil.copytree(template, home, dirs_exist_ok=True)
        return
    make()
    unfinished = template.with_name(f"{template.name}.{os.getpid()}")
    unfinished.mkdir(parents=True)
    for name in names:
        source = home / name
        if source.is_dir():
            shutil.copytree(source, unfinished / name)
        else:
            shutil.copyfile(source, unfinished / name)
    unfinished.rename(template)
