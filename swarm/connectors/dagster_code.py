"""What the functions behind Dagster's assets and ops touch, from the team's own code."""

import re
from collections.abc import Iterator, Mapping

from swarm.connectors.code_folders import CodeFolders
from swarm.connectors.dagster_mapping import CodeTarget
from swarm.connectors.sighting import covered, sighted
from swarm.lineage.code_flows import extract_dagster
from swarm.lineage.text import CodeContext
from swarm.model.journal import Item
from swarm.model.lineage import Channel, Extraction, Unresolved, UnresolvedReason

_MAX_CANDIDATES = 8


class DagsterCode:
    """Keeps what it found until a file changes: reading a program is the expensive part."""

    def __init__(self, folders: CodeFolders, context: CodeContext) -> None:
        self._folders = folders
        self._context = context
        self._texts: Mapping[str, str] = {}
        self._found: dict[tuple[str, str], Extraction | None] = {}
        self._programs: dict[str, dict[str, str]] = {}

    def refresh(self) -> None:
        """Look at the files again."""
        texts = self._folders.texts()
        if texts is not self._texts:
            self._texts = texts
            self._found.clear()
            self._programs.clear()

    def items(self, target: CodeTarget, now_s: float) -> Iterator[Item]:
        """Evidence and coverage as of the last `refresh`, or why there is none."""
        hits: dict[str, Extraction] = {}
        for path in self._files(target):
            for name in target.names:
                found = self._extract(path, name)
                if found is not None:
                    hits.setdefault(path, found)
                    break
        if len(hits) == 1:
            [extraction] = hits.values()
            yield from sighted(target.task, extraction, Channel.CODE, now_s)
            yield from covered(target.task, extraction, Channel.CODE, now_s, target.writes)
        elif hits:
            files = ", ".join(sorted(hits))
            yield self._unresolved(target, UnresolvedReason.AMBIGUOUS, f"is in each of {files}")
        else:
            where = (
                "in the folders of `code`" if self._folders.folders else "`code` names no folder"
            )
            yield self._unresolved(
                target, UnresolvedReason.MISSING_SOURCE, f"was not found: {where}"
            )

    def _files(self, target: CodeTarget) -> list[str]:
        """Where the team says it is, else every file of Dagster's that has the name in it."""
        located = (self._folders.locate(reference.path) for reference in target.references)
        stated = dict.fromkeys(path for path in located if path is not None)
        if stated:
            return list(stated)
        name = re.compile(rf"\b{re.escape(target.names[-1])}\b")
        return [
            path
            for path, text in self._texts.items()
            if path.endswith(".py") and "dagster" in text and name.search(text)
        ][:_MAX_CANDIDATES]

    def _extract(self, path: str, name: str) -> Extraction | None:
        if (path, name) not in self._found:
            if path not in self._programs:
                self._programs[path] = self._folders.program(path)
            program = self._programs[path]
            self._found[path, name] = extract_dagster(program, name, self._context)
        return self._found[path, name]

    def _unresolved(self, target: CodeTarget, reason: UnresolvedReason, what: str) -> Unresolved:
        detail = f"the source of `{target.names[0]}` {what}"
        return Unresolved(str(target.task), reason, str(target.task), detail)
