"""The team's own code, from the folders that settings allow to be read, and from nowhere else."""

import ast
import hashlib
import os
from collections.abc import Iterator, Sequence
from pathlib import Path

from swarm.errors import ConfigError
from swarm.lineage.code_program import MAX_SOURCE_BYTES, Program
from swarm.model.lineage import Unresolved

_MAX_IMPORTED = 200
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

    def locate(self, path: str) -> str | None:
        """The file that an orchestrator, maybe on another machine, calls `path`.

        `/opt/app/etl/flows.py` is `etl/flows.py` below one of the folders, or `flows.py` there:
        the longest end of the path that exists below exactly one folder. Never outside of them.
        Knows the files of the last `texts`.
        """
        texts = self._texts
        plain = os.path.normpath(path)
        if plain in texts:
            return plain
        parts = [part for part in Path(plain).parts if part != "/"]
        for start in range(len(parts)):
            ends = [str(folder.joinpath(*parts[start:])) for folder in self._folders]
            found = [end for end in ends if end in texts]
            if found:
                return found[0] if len(found) == 1 else None
        return None

    def program(self, path: str) -> dict[str, str]:
        """The file at `path` first, then those it imports and those they import, and SQL files.

        Knows the files of the last `texts`.
        """
        texts = self._texts
        program = Program(texts)
        found = {path: texts[path]}
        waiting = [path]
        while waiting and len(found) < _MAX_IMPORTED:
            importer = waiting.pop()
            for dotted, level in _imports(program.tree(importer)):
                module = program.find_module(dotted, importer, level)
                if module is not None and module not in found:
                    found[module] = texts[module]
                    waiting.append(module)
        return found | {name: text for name, text in texts.items() if name.endswith(".sql")}

    def _files(self) -> Iterator[tuple[Path, os.stat_result]]:
        for folder in self._folders:
            for at, below, names in os.walk(folder):
                below[:] = sorted(name for name in below if not _skipped(at, name))
                for name in sorted(names):
                    path = Path(at, name)
                    if name.endswith(_SUFFIXES) and path.is_file() and not path.is_symlink():
                        yield path, path.stat()


def _imports(tree: ast.Module | Unresolved) -> Iterator[tuple[str, int]]:
    """What a module imports: dotted names with their leading dots counted."""
    for node in ast.walk(tree) if isinstance(tree, ast.Module) else ():
        match node:
            case ast.Import(names=names):
                yield from ((alias.name, 0) for alias in names)
            case ast.ImportFrom(module=module, names=names, level=level):
                yield module or "", level
                for alias in names:  # each may be a module too
                    yield f"{module}.{alias.name}" if module else alias.name, level


def _skipped(at: str, name: str) -> bool:
    return name.startswith(".") or name in _NOT_THE_TEAMS or Path(at, name, "pyvenv.cfg").exists()


def _text(path: Path) -> str:
    try:
        with path.open(encoding="utf-8", errors="replace") as file:
            return file.read(MAX_SOURCE_BYTES + 1)
    except OSError:
        return ""  # gone since the walk, or not ours to read: its tasks then have no source
