"""The documents of the repository, as tests read them: blocks between fences, and spans of code."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]

_FENCE = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_SPAN = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Block:
    """What stands between two fences; `at` is where, for messages."""

    at: str
    language: str
    text: str

    @property
    def first(self) -> str:
        """Its first line, by which tests name it."""
        return self.text.splitlines()[0].strip()


def documents() -> list[Path]:
    """All of them, by name, but the reports of benchmarks: those speak of other people's names."""
    folders = (one for one in ROOT.iterdir() if one.is_dir() and one.name[0] != ".")
    found = [*ROOT.glob("*.md"), *(path for one in folders for path in one.rglob("*.md"))]
    return sorted(path for path in found if path.parent.name != "results")


def blocks(document: Path) -> list[Block]:
    """All that is between fences, in order."""
    text = document.read_text()
    return [
        Block(_at(document, text, hit.start()), hit[1], hit[2]) for hit in _FENCE.finditer(text)
    ]


def spans(document: Path) -> Iterator[tuple[str, str]]:
    """Each span of code outside of blocks, with where it is."""
    text = document.read_text()
    # Blocks become empty lines, so that places stay.
    bare = _FENCE.sub(lambda hit: "\n" * hit[0].count("\n"), text)
    for hit in _SPAN.finditer(bare):
        yield _at(document, bare, hit.start()), " ".join(hit[2].split())


def _at(document: Path, text: str, place: int) -> str:
    return f"{document.relative_to(ROOT)}:{text.count(chr(10), 0, place) + 1}"
