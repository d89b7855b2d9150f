"""The files that a connector may read besides its own: those in folders the operator named."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

_SUFFIXES = (".py", ".sql", ".sh", ".bash", ".hql")
_SKIPPED_FOLDERS = frozenset({"__pycache__", "node_modules", "site-packages", "venv"})
_MAX_FILES = 5_000
_MAX_FILE_BYTES = 2_000_000
_MAX_TOTAL_BYTES = 100_000_000


@dataclass(slots=True)
class ProgramFiles:
    """Program texts by path, seen from the folder they were found in.

    `left_out` names folders or files that are not in `texts` because of a limit.
    """

    texts: dict[str, str] = field(default_factory=dict)
    left_out: list[str] = field(default_factory=list)


def program_files(folders: tuple[Path, ...]) -> ProgramFiles:
    """All program texts below `folders`, each file once; links that lead out are not followed."""
    found = ProgramFiles()
    seen: set[Path] = set()
    total_bytes = 0
    for folder in folders:
        root = folder.resolve()
        for path in _walk(root):
            if path in seen or not path.is_relative_to(root):
                continue
            if len(seen) == _MAX_FILES or total_bytes > _MAX_TOTAL_BYTES:
                found.left_out.append(f"{folder}: more than {_MAX_FILES} program files")
                break
            seen.add(path)
            text = _text(path)
            if text is None:
                found.left_out.append(f"{path}: over {_MAX_FILE_BYTES} bytes or not readable")
                continue
            total_bytes += len(text)
            name = path.relative_to(root).as_posix()
            found.texts[name if name not in found.texts else path.as_posix()] = text
    return found


def _walk(root: Path) -> Iterator[Path]:
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(
            name for name in folders if name not in _SKIPPED_FOLDERS and not name.startswith(".")
        )
        for name in sorted(files):
            if name.endswith(_SUFFIXES):
                yield Path(folder, name).resolve()


def _text(path: Path) -> str | None:
    try:
        if path.stat().st_size > _MAX_FILE_BYTES:
            return None
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
