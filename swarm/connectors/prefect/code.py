"""What the tasks of Prefect's flows touch, from the team's own code."""

from collections.abc import Iterator, Mapping

from swarm.connectors.code_folders import CodeFolders
from swarm.connectors.prefect.mapping import Deployment
from swarm.connectors.sighting import covered, sighted
from swarm.lineage.code.prefect import prefect_entry
from swarm.lineage.text import CodeContext
from swarm.model.connectors import Item
from swarm.model.keys import TaskKey
from swarm.model.lineage import Channel, Extraction, Unresolved, UnresolvedReason
from swarm.model.pipelines import Task


class PrefectCode:
    """Keeps what it found until a file changes: reading a program is the expensive part."""

    def __init__(self, folders: CodeFolders, context: CodeContext) -> None:
        self._folders = folders
        self._context = context
        self._texts: Mapping[str, str] = {}
        self._found: dict[str, Mapping[str, Extraction]] = {}

    def refresh(self) -> None:
        """Look at the files again."""
        texts = self._folders.texts()
        if texts is not self._texts:
            self._texts = texts
            self._found.clear()

    def tasks(self, deployment: Deployment) -> tuple[Task, ...]:
        """The tasks the flow reaches; none when its source is not at hand."""
        key = deployment.pipeline.key
        names = self._extractions(deployment) or {}
        return tuple(
            Task(TaskKey(key.orchestrator, key.name, name), "flow" if number == 0 else "task")
            for number, name in enumerate(names)
        )

    def items(self, deployment: Deployment, now_s: float) -> Iterator[Item]:
        """Evidence and coverage of each task, or why there is none."""
        key = deployment.pipeline.key
        found = self._extractions(deployment)
        if found is None:
            yield Unresolved(
                str(key), UnresolvedReason.MISSING_SOURCE, str(key), self._why(deployment)
            )
            return
        for name, extraction in found.items():
            task = TaskKey(key.orchestrator, key.name, name)
            yield from sighted(task, extraction, Channel.CODE, now_s)
            yield from covered(task, extraction, Channel.CODE, now_s)

    def _extractions(self, deployment: Deployment) -> Mapping[str, Extraction] | None:
        file, function = split_entrypoint(deployment.entrypoint)
        at = f"{deployment.path}/{file}" if deployment.path else file
        path = self._folders.locate(at) if file else None
        if path is None:
            return None
        entry = f"{path}:{function}"
        if entry not in self._found:
            program = self._folders.program(path)
            self._found[entry] = prefect_entry(program, entry, self._context)
        return self._found[entry]

    def _why(self, deployment: Deployment) -> str:
        if not self._folders.folders:
            return f"the source of `{deployment.entrypoint}` was not read: `code` names no folder"
        return f"the source of `{deployment.entrypoint}` is not in the folders of `code`"


def split_entrypoint(entrypoint: str) -> tuple[str, str]:
    """File and function of `file.py:flow`, `package.module:flow` or `package.module.flow`."""
    where, colon, function = entrypoint.rpartition(":")
    if not colon:
        where, _, function = entrypoint.rpartition(".")
    if where and not where.endswith(".py"):
        where = where.replace(".", "/") + ".py"
    return where, function
