"""The team's own code, from the folders that settings allow to be read, and from nowhere else."""

import hashlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from swarm.errors import ConfigError
from swarm.lineage.code_program import MAX_SOURCE_BYTES

_SUFFIXES = (".py", ".sql")
_NOT_THE_TEAMS = frozenset({"__pycache__", "node_modules", "site-packages"})


class CodeFolders:
    """Keeps the texts of all Python and SQL files under `folders`, by absolute path.

    Links to folders are not followed: they may lead out of what settings allow. Raises
    `ConfigError` when a folder does not exist.
    """

    def __init__(self, folders: Sequence[Path]) -> None:
        self._folders = tuple(folder.resolve() for folder in folders)
        for folder in self._folders:
            if not folder.is_dir():
                raise ConfigError(f"`code`: {folder} is not a folder that can be read.")
        self._state = ""
        self._texts: dict[str, str] = {}

    @property
    def folders(self) -> tuple[Path, ...]:
        return self._folders

    def state(self) -> str:
        """Changes when any file does."""
        digest = hashlib.blake2b(digest_size=12)
        for path, stat in self._files():
            digest.update(f"{path}\0{stat.st_size}\0{stat.st_mtime_ns}\0".encode())
        return digest.hexdigest()

    def texts(self) -> dict[str, str]:
        """All files. A file that is too long is cut one character over what is ever parsed."""
        state = self.state()
        if state != self._state:
            self._texts = {str(path): _text(path) for path, _ in self._files()}
            self._state = state
        return self._texts

    def _files(self) -> Iterator[tuple[Path, os.stat_result]]:
        for folder in self._folders:
            for at, below, names in os.walk(folder):
                below[:] = sorted(name for name in below if not _skipped(at, name))
                for name in sorted(names):
                    path = Path(at, name)
                    if name.endswith(_SUFFIXES) and path.is_file() and not path.is_symlink():
                        yield path, path.stat()


def _skipped(at: str, name: str) -> bool:
    return name.startswith(".") or name in _NOT_THE_TEAMS or Path(at, name, "pyvenv.cfg").exists()


def _text(path: Path) -> str:
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return file.read(MAX_SOURCE_BYTES + 1)
    except OSError:
        return ""  # gone since the walk, or not ours to read: its tasks then have no source
