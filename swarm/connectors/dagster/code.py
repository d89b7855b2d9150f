"""What the functions behind Dagster's assets and ops touch, from the team's own code."""

import re
from collections.abc import Iterator, Mapping

from swarm.connectors.code_folders import CodeFolders
from swarm.connectors.dagster.mapping import CodeTarget
from swarm.connectors.sighting import covered, sighted
from swarm.lineage.code.dagster import dagster_entries, extract_dagster
from swarm.lineage.text import CodeContext
from swarm.model.connectors import Item
from swarm.model.lineage import Channel, Extraction, Unresolved, UnresolvedReason

_MAX_CANDIDATES = 8


class DagsterCode:
    """Keeps what it found until a file changes: reading a program is the expensive part."""

    def __init__(self, folders: CodeFolders, context: CodeContext) -> None:
        self._folders = folders
        self._context = context
        self._texts: Mapping[str, str] = {}
        self._found: dict[tuple[str, str], Extraction | None] = {}
        self._programs: dict[str, tuple[dict[str, str], Mapping[str, str]]] = {}

    def refresh(self) -> None:
        """Look at the files again."""
        texts = self._folders.texts()
        if texts is not self._texts:
            self._texts = texts
            self._found.clear()
            self._programs.clear()

    def items(self, target: CodeTarget, now_s: float) -> Iterator[Item]:
        """Evidence and coverage as of the last `refresh`, or why there is none."""
        # By the function: many files lead to the same one through what they import.
        hits: dict[str, Extraction] = {}
        for path in self._files(target):
            entries = self._entries_of(path)
            name = next((name for name in target.names if name in entries), None)
            if name is not None and entries[name] not in hits:
                found = self._extract(path, name)
                if found is not None:
                    hits[entries[name]] = found
        if len(hits) == 1:
            [extraction] = hits.values()
            yield from sighted(target.task, extraction, Channel.CODE, now_s)
            yield from covered(target.task, extraction, Channel.CODE, now_s, target.writes)
        elif hits:
            functions = ", ".join(sorted(hits))
            what = f"may be any of {functions}"
            yield self._unresolved(target, UnresolvedReason.AMBIGUOUS, what)
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
        words = {re.escape(name.rpartition("/")[2]) for name in target.names}
        name = re.compile(rf"\b(?:{'|'.join(sorted(words))})\b")
        return [
            path
            for path, text in self._texts.items()
            if path.endswith(".py") and "dagster" in text and name.search(text)
        ][:_MAX_CANDIDATES]

    def _entries_of(self, path: str) -> Mapping[str, str]:
        if path not in self._programs:
            program = self._folders.program(path)
            self._programs[path] = program, dagster_entries(program)
        return self._programs[path][1]

    def _extract(self, path: str, name: str) -> Extraction | None:
        if (path, name) not in self._found:
            program, _ = self._programs[path]
            self._found[path, name] = extract_dagster(program, name, self._context)
        return self._found[path, name]

    def _unresolved(self, target: CodeTarget, reason: UnresolvedReason, what: str) -> Unresolved:
        detail = f"the source of `{target.names[0]}` {what}"
        return Unresolved(str(target.task), reason, str(target.task), detail)
