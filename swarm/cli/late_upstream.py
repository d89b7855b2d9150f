"""The demo's morning: upstreams in Airflow come late, and jobs of Dagster read what they write."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from swarm.client import Client
from swarm.demo.morning import PAIRS, Mornings, dependency
from swarm.demo.stale_rows import Read

_PERSON = "demo"


@dataclass(frozen=True, slots=True)
class Late:
    """What the jobs read on a morning on which nobody held them, and on one on which swarm did;
    `reasons` is what swarm said while it did."""

    without: Sequence[Read]
    having: Sequence[Read]
    reasons: Sequence[str]

    @property
    def kept(self) -> bool:
        """Did each held job run, and read nothing of before?"""
        return all(one.rows and not one.stale for one in self.having)

    def body(self) -> dict[str, object]:
        """The figures of the report."""
        after = [one.after_s for one in self.having if one.after_s is not None]
        return {
            "morning_stale_rows_without": sum(one.stale for one in self.without),
            "morning_stale_rows_with": sum(one.stale for one in self.having),
            "morning_rows_with": sum(one.rows for one in self.having),
            "morning_ready_to_read_s": round(max(after, default=0.0), 1),
            "morning_reasons": list(self.reasons),
        }

    def told(self) -> str:
        """The same morning twice, side by side."""
        lines = [
            "",
            "A morning with late upstreams in Airflow, without swarm's holds and with them:",
        ]
        for pair, without, having in zip(PAIRS, self.without, self.having, strict=True):
            lines.append(
                f"  {pair.job:14} reads what {pair.dag} writes: "
                f"{without.stale} of {without.rows} rows were of before; "
                f"held: {having.stale} of {having.rows}{_after(having)}"
            )
        return "\n".join([*lines, *(f"  while it held: {reason}" for reason in self.reasons)])


def late(swarm: Client, mornings: Mornings, say: Callable[[str], None]) -> Late:
    """Both mornings; a person gives the dependencies their verdicts."""
    edges = [dependency(swarm, pair) for pair in PAIRS]
    for edge in edges:
        swarm.judge(edge, "rejected", _PERSON)
    without = mornings.live(1, say)
    for edge in edges:
        swarm.judge(edge, "accepted", _PERSON)
    reasons: list[str] = []

    def look() -> None:
        held = [row for row in swarm.decisions() if row["act"] == "hold"]
        reasons.extend(f"{row['pipeline']}: {row['reason']}" for row in held)

    return Late(without, mornings.live(1, say, look), reasons)


def _after(read: Read) -> str:
    return "" if read.after_s is None else f", {read.after_s:.0f} s after these were there"
