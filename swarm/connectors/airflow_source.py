"""What the source of a DAG file says about tasks that did not run yet. Pure."""

from swarm.config import Settings
from swarm.connectors.airflow_mapping import Dag, TaskList
from swarm.model.journal import Item
from swarm.model.keys import TaskKey
from swarm.model.lineage import Unresolved, UnresolvedReason


class Sources:
    """`ran` are the tasks whose SQL was seen as it ran: their source has nothing to add."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self.ran: set[TaskKey] = set()

    def items(
        self, dag: Dag, tasks: TaskList, content: str | None, now_s: float
    ) -> tuple[Item, ...]:
        """What cannot be known of tasks without a source. The source itself is not read yet."""
        if content is not None:
            return ()
        detail = "Airflow does not give out the source of the DAG"
        return tuple(
            Unresolved(str(task.key), UnresolvedReason.MISSING_SOURCE, dag.file, detail)
            for task in tasks.tasks
            if task.key not in self.ran
        )
