"""Which run a tick of a DAG stands for. Pure.

Airflow tells of the next tick: when its run is made, its logical date, its data interval. Of those
that are over it lists the logical dates, by the DAG's own timetable; of an interval timetable a
logical date is where the data interval begins, and the next one is where it ends.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from swarm.connectors.payloads import Payload


@dataclass(frozen=True, slots=True)
class Tick:
    """A planned start at `due_s`, and the run that it is to have; all in seconds since the
    epoch."""

    due_s: float
    logical_s: float
    start_s: float
    end_s: float

    @property
    def width_s(self) -> float:
        """Of its data interval; 0 for a timetable without any."""
        return self.end_s - self.start_s

    def due_of(self, logical_s: float) -> float:
        """The planned start of another run of its timetable."""
        return logical_s + self.due_s - self.logical_s

    def body(self, intent_id: str) -> dict[str, object]:
        """The request that makes its run. A second one of that logical date is refused."""
        return {
            "dag_run_id": f"swarm__{iso(self.logical_s)}",
            "logical_date": iso(self.logical_s),
            "data_interval_start": iso(self.start_s),
            "data_interval_end": iso(self.end_s),
            "note": f"swarm held it ({intent_id})",
        }


def next_tick(dag: Payload, major: int) -> Tick | None:
    """The tick that Airflow makes a run of next; None for a DAG that no clock starts."""
    names = ("next_dagrun_run_after", "next_dagrun_logical_date")
    due, logical = names if major >= 3 else ("next_dagrun_create_after", "next_dagrun")
    start, end = (
        dag.get("next_dagrun_data_interval_start"),
        dag.get("next_dagrun_data_interval_end"),
    )
    if not dag.get(due) or not dag.get(logical):
        return None
    logical_s = epoch_s(dag[logical])
    start_s = epoch_s(start) if start else logical_s
    return Tick(epoch_s(dag[due]), logical_s, start_s, epoch_s(end) if end else start_s)


def ticks_of(logical_dates: Iterable[str], first: Tick) -> list[Tick]:
    """The ticks of these logical dates, in order; `first` is one of the same timetable."""
    dates = sorted({epoch_s(date) for date in logical_dates})
    ticks = []
    for number, logical_s in enumerate(dates):
        following_s = dates[number + 1] if number + 1 < len(dates) else logical_s + first.width_s
        end_s = following_s if first.width_s else logical_s
        ticks.append(Tick(first.due_of(logical_s), logical_s, logical_s, end_s))
    return [first if tick.logical_s == first.logical_s else tick for tick in ticks]


def iso(at_s: float) -> str:
    """As Airflow reads and writes times."""
    return datetime.fromtimestamp(at_s, UTC).isoformat()


def epoch_s(text: object) -> float:
    """Seconds since the epoch of one of its times."""
    return datetime.fromisoformat(str(text)).timestamp()
