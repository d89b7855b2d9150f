"""The team's own code, from the folders that settings allow to be read, and from nowhere else."""

import ast
import hashlib
import os
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from swarm.errors import ConfigError
from swarm.lineage.code.program import MAX_SOURCE_BYTES, Program
from swarm.lineage.configs.formats import format_of
from swarm.model.lineage import Unresolved, UnresolvedReason

_MAX_IMPORTED = 200
_SUFFIXES = (".py", ".sql", ".sh", ".bash", ".hql", ".ddl", ".j2", ".jinja", ".jinja2")
_SETTINGS_SIZE = 100_000  # longer files of these formats hold data
_NOT_THE_TEAMS = frozenset({"__pycache__", "node_modules", "site-packages", "venv"})

Stamp = tuple[int, int, int, int]
LeftOut = dict[tuple[str, UnresolvedReason], str]
"""Why something was not read, by place and reason."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How much is read: program files, their characters in one file and in all together, and
    entries of folders that are looked at to find them."""

    files: int = 20_000
    file_size: int = MAX_SOURCE_BYTES
    total_size: int = 100_000_000
    entries: int = 200_000


_LIMITS = Limits()


class CodeFolders:
    """Keeps the texts of all program files below `folders`, by absolute path.

    `beside` is one more folder, that of a file which names programs; it need not exist. Links are
    not followed: they may lead out of what settings allow. Raises `ConfigError` when one of
    `folders` does not exist. Files near the top of a folder come first, so that is what is read
    where a limit leaves something out; `left_out` tells it.
    """

    def __init__(
        self, folders: Sequence[Path], beside: Path | None = None, limits: Limits = _LIMITS
    ) -> None:
        found = [folder.resolve() for folder in folders]
        for folder in found:
            if not folder.is_dir():
                raise ConfigError(f"`code`: {folder} is not a folder that can be read.")
        if beside is not None:
            found.append(beside.resolve())
        self._folders = tuple(dict.fromkeys(found))
        self._limits = limits
        self._stamps: dict[str, Stamp] = {}
        self._texts: dict[str, str] = {}
        self._left_out: LeftOut = {}

    @property
    def folders(self) -> tuple[Path, ...]:
        return self._folders

    def state(self) -> str:
        """Changes when any file does; nothing is read."""
        digest = hashlib.blake2b(digest_size=12)
        for item in self._look({}).items():
            digest.update(repr(item).encode())
        return digest.hexdigest()

    def texts(self) -> Mapping[str, str]:
        """All files, the same mapping as before unless one changed.

        A file that is too long is cut one character over what is ever parsed, so that whoever
        uses it says so too.
        """
        left_out: LeftOut = {}
        stamps = self._look(left_out)
        if stamps != self._stamps:
            self._texts = self._read(stamps)
            self._stamps = stamps
        for path in stamps.keys() - self._texts.keys():
            left_out[path, UnresolvedReason.MISSING_SOURCE] = "the file cannot be read"
        self._left_out = left_out
        return self._texts

    def left_out(self, subject: str) -> tuple[Unresolved, ...]:
        """What the last `texts` does not hold, or not all of; `subject` is who wanted to read."""
        return tuple(
            Unresolved(subject, reason, place, detail)
            for (place, reason), detail in self._left_out.items()
        )

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
        """The file at `path` first, then those it imports and those they import, and what is no
        Python: SQL, templates, settings, scripts.

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
        return found | {name: text for name, text in texts.items() if not name.endswith(".py")}

    # --- looking and reading ---------------------------------------------------------------------

    def _look(self, left_out: LeftOut) -> dict[str, Stamp]:
        """The program files with what changes when they do, as far as the limits allow."""
        limits = self._limits
        found: dict[str, Stamp] = {}
        total = 0
        for entry in self._entries(left_out):
            try:
                stat = entry.stat(follow_symlinks=False)
            except OSError:
                continue  # gone since it was listed
            size = min(stat.st_size, limits.file_size + 1)
            if len(found) == limits.files or total + size > limits.total_size:
                detail = (
                    f"only {len(found)} program files with {total} bytes were read, those near "
                    "the top; let `code` name the folders that matter"
                )
                left_out[os.path.dirname(entry.path), UnresolvedReason.TOO_LARGE] = detail
                break
            if stat.st_size > limits.file_size:
                detail = f"{stat.st_size} bytes, only {limits.file_size} are read"
                left_out[entry.path, UnresolvedReason.TOO_LARGE] = detail
            total += size
            found[entry.path] = (size, stat.st_mtime_ns, stat.st_ctime_ns, stat.st_ino)
        return found

    def _entries(self, left_out: LeftOut) -> Iterator[os.DirEntry[str]]:
        """Program files, all folders side by side, those near the top first."""
        waiting = deque(str(folder) for folder in self._folders)
        known = set(waiting)
        left = self._limits.entries
        folder = ""
        while waiting and left > 0:
            folder = waiting.popleft()
            entries = _list(folder, left, left_out)
            left -= len(entries)
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    if entry.path not in known and not _skipped(entry):
                        known.add(entry.path)
                        waiting.append(entry.path)
                elif _is_wanted(entry):
                    yield entry
        if left <= 0:
            detail = (
                f"only {self._limits.entries} files and folders were looked at, here and above; "
                "let `code` name the folders that matter"
            )
            left_out[folder, UnresolvedReason.TOO_LARGE] = detail

    def _read(self, stamps: Mapping[str, Stamp]) -> dict[str, str]:
        """The texts of the files; those that did not change are kept."""
        texts: dict[str, str] = {}
        for path, stamp in stamps.items():
            kept = self._texts.get(path) if self._stamps.get(path) == stamp else None
            text = _text(path, self._limits.file_size) if kept is None else kept
            if text is not None:
                texts[path] = text
        return texts


def _list(folder: str, most: int, left_out: LeftOut) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return sorted(islice(entries, most), key=lambda entry: entry.name)
    except FileNotFoundError:
        return []  # gone since it was listed
    except OSError as error:
        detail = f"the folder cannot be read ({error.strerror})"
        left_out[folder, UnresolvedReason.MISSING_SOURCE] = detail
        return []


def _is_wanted(entry: os.DirEntry[str]) -> bool:
    """A program, a template, or settings of a size that people write."""
    if entry.name.endswith(_SUFFIXES):
        return entry.is_file(follow_symlinks=False)
    if not format_of(entry.name) or not entry.is_file(follow_symlinks=False):
        return False
    try:
        return entry.stat(follow_symlinks=False).st_size <= _SETTINGS_SIZE
    except OSError:
        return False  # gone since it was listed


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


def _skipped(folder: os.DirEntry[str]) -> bool:
    name = folder.name
    return (
        name.startswith(".")
        or name in _NOT_THE_TEAMS
        or os.path.exists(os.path.join(folder.path, "pyvenv.cfg"))
    )


def _text(path: str, size: int) -> str | None:
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            return file.read(size + 1)
    except OSError:
        return None
