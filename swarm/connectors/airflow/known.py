"""What a process remembers of an Airflow between two passes."""

from collections import Counter
from collections.abc import AsyncIterator, Iterable

from swarm.connectors.airflow.catalogue import Catalogue
from swarm.connectors.airflow.source import Sources
from swarm.connectors.airflow.workers import Attempts
from swarm.connectors.attendance import Attendance
from swarm.connectors.cursors import TRIED_RUNS
from swarm.model.connectors import Item
from swarm.model.keys import TaskKey
from swarm.model.lineage import Unresolved

_REMEMBERED = 20_000  # runs and tries; only those of the overlap come twice


class Known:
    """What earlier passes of this process have seen; without it everything is told again."""

    def __init__(self, orchestrator: str, sources: Sources) -> None:
        self.orchestrator = orchestrator
        self.catalogue = Catalogue(orchestrator)
        self.sources = sources
        self.unread: dict[str, None] = {}  # DAGs whose definition has to be read
        self.in_turn: dict[str, None] = {}  # DAGs to be read again when there is time
        self.reread_after = ""
        self.version = ""  # id of the newest version of a DAG
        self.last: dict[str, object] = {}
        self.errors: list[Unresolved] | None = None
        self.backfilled: dict[str, None] = {}
        self.broken: set[str] = set()  # DAGs whose tasks could not be read
        self.unsound: set[str] = set()  # DAGs whose row in the list of all could not be read
        self.nameless = False  # a row in the list of all does not even tell whose it is
        self.undeclared: set[str] = set()  # DAGs of which is to be told what they declare
        self.reading: AsyncIterator[tuple[Item, ...]] | None = None  # of the lists, under way
        self.is_listed = False  # whether all lists were read once
        self.is_followed = False  # whether all runs were read once
        self.lists_at_s = 0.0
        self.events_due = False
        self.sweep_at_s = 0.0
        self.attempts = Attempts()
        self.attendance = Attendance()
        self.workers_at_s = 0.0
        self._seen: dict[object, None] = {}
        self._past_tries: Counter[TaskKey] = Counter()
        self._strange: dict[Unresolved, None] = {}
        self._told: set[Unresolved] = set()

    def is_new(self, thing: object) -> bool:
        """Whether `thing` was not seen before; now it is."""
        if thing in self._seen:
            return False
        self._seen[thing] = None
        if len(self._seen) > _REMEMBERED:
            del self._seen[next(iter(self._seen))]
        return True

    def is_wanted(self, task: TaskKey) -> bool:
        """Whether one more past try of a task is to be told: about the newest, as many as are
        kept; now it counts."""
        self._past_tries[task] += 1
        return self._past_tries[task] <= TRIED_RUNS

    def is_other(self, name: str, thing: object) -> bool:
        """Whether `thing` differs from the last one of that name."""
        last, self.last[name] = self.last.get(name), thing
        return thing != last

    def note(self, strange: Iterable[Unresolved]) -> None:
        """Keep what was strange until it is told."""
        self._strange |= dict.fromkeys(one for one in strange if one not in self._told)

    def take_strange(self) -> tuple[Unresolved, ...]:
        """What was strange and is not told yet."""
        taken, self._strange = tuple(self._strange), {}
        self._told |= set(taken)
        return taken

    def forget_strange(self) -> None:
        """Tell what is strange once more where it still is."""
        self._told.clear()

    def next_unread(self, most: int) -> list[str]:
        """What to read in this pass: all DAGs that were never read, and `most` of the others.

        Those of one file come together.
        """
        new = [dag_id for dag_id in self.unread if not self.catalogue.was_read(dag_id)]
        others = [dag_id for dag_id in self.unread if self.catalogue.was_read(dag_id)]
        return sorted((*new, *others[:most]), key=self._file)

    def sweep_soon(self) -> None:
        """Have the list of all DAGs read next."""
        self.lists_at_s = self.sweep_at_s = 0.0

    def read_in_turn(self, most: int) -> None:
        """Have so many of the DAGs whose turn it is read again."""
        for dag_id in list(self.in_turn)[:most]:
            del self.in_turn[dag_id]
            if self.catalogue.has(dag_id):
                self.unread[dag_id] = None

    def _file(self, dag_id: str) -> tuple[str, str]:
        dag = self.catalogue.dag(dag_id)
        return (dag.file if dag else "", dag_id)
