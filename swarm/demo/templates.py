"""Empty databases of the orchestrators, kept from the first start: making one takes longer than
starting all its servers."""

import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from filelock import FileLock


def restore(template: Path, home: Path, names: Sequence[str], make: Callable[[], None]) -> None:
    """Put the files and folders `names` into `home`, by `make()` the first time, then by copy. Of
    several processes that want them one makes them and the others wait."""
    home.mkdir(parents=True, exist_ok=True)
    template.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(template.with_name(f"{template.name}.lock")):
        if not template.is_dir():
            make()
            _keep(home, names, template)
            return
    shutil.copytree(template, home, dirs_exist_ok=True)


def _keep(home: Path, names: Sequence[str], template: Path) -> None:
    unfinished = template.with_name(f"{template.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir()
    for name in names:
        source = home / name
        if source.is_dir():
            shutil.copytree(source, unfinished / name)
        else:
            shutil.copyfile(source, unfinished / name)
    unfinished.rename(template)
