"""The files of a program: parse each once, find which file an import means."""

import ast
import posixpath
import sys
import warnings
from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

from swarm.lineage.code.texts import holes
from swarm.model.lineage import Unresolved, UnresolvedReason

MAX_SOURCE_BYTES = 1_000_000


class Program:
    """`sources` maps file path to text; only `.py` files are parsed, each on first use.

    `checkouts` are folders of sources that may lie elsewhere where the program runs. `folder` is
    where the command runs that is followed now, `used` what was read or started of the files.
    """

    def __init__(self, sources: Mapping[str, str], checkouts: Sequence[str] = ()) -> None:
        self.sources = sources
        self.folder = ""
        self.used: set[str] = set()
        self._checkouts = checkouts
        self._trees: dict[str, ast.Module | Unresolved] = {}
        self._ends: dict[str, str | None] = {}

    def tree(self, path: str) -> ast.Module | Unresolved:
        """The parsed file, or why there is none."""
        if path not in self._trees:
            self._trees[path] = _parse(path, self.sources.get(path))
        return self._trees[path]

    def read(self, path: str) -> str:
        """The text of a given file that the program reads or starts."""
        self.used.add(path)
        return self.sources[path]

    def find_module(self, dotted: str, importer: str, level: int = 0) -> str | None:
        """The file that `import dotted` in `importer` means; `level` counts leading dots."""
        tail = dotted.replace(".", "/")
        if level:
            parents = PurePosixPath(importer).parents
            if level > len(parents):
                return None
            base = parents[level - 1]
            return self._at(str(base / tail) if tail else str(base))
        if dotted.partition(".")[0] in sys.stdlib_module_names:
            # A namesake hides the standard library only for scripts that lie beside it.
            return self._at(str(PurePosixPath(importer).parent / tail))
        for folder in PurePosixPath(importer).parents:
            found = self._at(str(folder / tail))
            if found is not None:
                return found
        return self._at(tail) or self._by_end(tail)

    def find_file(self, path: str, near: str, folder: str = "") -> str | None:
        """The given file a path in the program or in a command means, seen from `folder`, where
        it runs, or from the file `near`, where it stands."""
        wanted = posixpath.normpath(posixpath.join(folder, path))
        beside = posixpath.normpath(posixpath.join(posixpath.dirname(near), path))
        for candidate in (wanted, beside):
            if candidate in self.sources:
                return candidate
        name = posixpath.basename(wanted)
        if name == wanted:
            return None
        if holes(path):
            return self._below_unknown(path)
        found = self._in_checkouts(wanted)
        if found is None:
            alike = [p for p in self.sources if p.endswith(name)]
            tails = [p for p in alike if _ends_with(path, p) or _ends_with(p, path)]
            found = tails[0] if len(tails) == 1 else None
        return found

    def _below_unknown(self, path: str) -> str | None:
        """The one given file with the end of a path whose beginning is not known.

        Where a program is installed its folders may have other names: the file's own name counts.
        """
        folder, slash, name = path.rpartition("\x00")[2].strip("/").rpartition("/")
        if not name or holes(posixpath.basename(path)):
            return None
        return self.find_named(f"{folder}{slash}{name}") or self.find_named(name)

    def matching(self, pattern: str, near: str, folder: str = "") -> list[str]:
        """The given files that a pattern like `sql/*.sql` fits, in the order of their names."""
        for home in dict.fromkeys((folder, posixpath.dirname(near))):
            wanted = posixpath.normpath(posixpath.join(home, pattern))
            found = [path for path in self.sources if fnmatchcase(path, wanted)]
            if found:
                return sorted(path for path in found if path.count("/") == wanted.count("/"))
        return []

    def find_folder(self, path: str, near: str) -> str | None:
        """The folder of given files that a path means; "" is the one of all of them.

        Where a program is installed the folders above may be others: the end of the path counts,
        if only one folder has it.
        """
        beside = posixpath.normpath(posixpath.join(posixpath.dirname(near), path))
        wanted = posixpath.normpath(posixpath.join(self.folder, path))
        folders = {str(folder) for one in self.sources for folder in PurePosixPath(one).parents}
        if not holes(path):
            for candidate in (wanted, beside):
                if candidate in folders:
                    return "" if candidate == "." else candidate
        parts = posixpath.normpath(path.rpartition("\x00")[2].strip("/")).split("/")
        for start in range(len(parts)):
            end = "/".join(parts[start:])
            found = [one for one in folders if one == end or one.endswith(f"/{end}")]
            if found:
                return found[0] if len(found) == 1 else None
        return None

    def _in_checkouts(self, wanted: str) -> str | None:
        """The longest end of a path, a folder and a name at least, that one checkout has."""
        parts = wanted.strip("/").split("/")
        for start in range(len(parts) - 1):
            end = "/".join(parts[start:])
            ends = {f"{checkout}/{end}" for checkout in self._checkouts}
            found = [path for path in ends if path in self.sources]
            if found:
                return found[0] if len(found) == 1 else None
        return None

    def find_named(self, name: str) -> str | None:
        """The one given file whose path ends with `name`."""
        found = [path for path in self.sources if path.endswith(f"/{name.lstrip('/')}")]
        return found[0] if len(found) == 1 else None

    def _at(self, stem: str) -> str | None:
        for candidate in (f"{stem}.py", f"{stem}/__init__.py"):
            if candidate in self.sources:
                return candidate
        return None

    def _by_end(self, tail: str) -> str | None:
        if tail not in self._ends:  # most imports are of what nobody gave, and come again
            ends = (f"/{tail}.py", f"/{tail}/__init__.py")
            found = [path for path in self.sources if path.endswith(ends)]
            self._ends[tail] = found[0] if len(found) == 1 else None
        return self._ends[tail]


def _ends_with(path: str, tail: str) -> bool:
    parts, ends = PurePosixPath(path).parts, PurePosixPath(tail).parts
    return len(ends) > 1 and parts[-len(ends) :] == ends


def _parse(path: str, source: str | None) -> ast.Module | Unresolved:
    if source is None:
        return Unresolved(
            path, UnresolvedReason.MISSING_SOURCE, path, "the file is not among those given"
        )
    if len(source) > MAX_SOURCE_BYTES:
        detail = f"{len(source)} characters, the limit is {MAX_SOURCE_BYTES}"
        return Unresolved(path, UnresolvedReason.TOO_LARGE, f"{path}:1", detail)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # a doubtful escape in a text is no news here
            return ast.parse(source)
    except SyntaxError as error:
        place = f"{path}:{error.lineno or 1}"
        return Unresolved(path, UnresolvedReason.SYNTAX, place, str(error.msg))
    except (ValueError, RecursionError, MemoryError) as error:
        return Unresolved(path, UnresolvedReason.SYNTAX, f"{path}:1", str(error) or "too deep")
