"""What the parts of the failover benchmark share: times, and a load."""

import contextlib
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from statistics import quantiles

_LONG = ("unsafe_cut_elsewhere", "ray_node_kill_elsewhere")


@dataclass(slots=True)
class Times:
    """Seconds since a fault, by what they lead to."""

    s: dict[str, list[float]] = field(default_factory=lambda: defaultdict(list))

    def add(self, what: str, seconds: float) -> None:
        self.s[what].append(seconds)

    def take(self, others: "Times") -> None:
        for what, seconds in others.s.items():
            self.s[what] += seconds

    def figures(self) -> dict[str, float]:
        """Percentiles; what takes many seconds is told in them."""
        found = {}
        for what, seconds in self.s.items():
            unit, scale = ("s", 1.0) if what.endswith(_LONG) else ("ms", 1e3)
            enough = seconds if len(seconds) > 1 else seconds * 2
            cuts = quantiles(enough, n=100, method="inclusive")
            found[f"{what}_p50_{unit}"] = cuts[49] * scale
            found[f"{what}_p99_{unit}"] = cuts[98] * scale
            found[f"{what}_max_{unit}"] = max(seconds) * scale
        return found


@contextlib.contextmanager
def busy() -> Iterator[None]:
    """Every core has a process that never rests."""
    burning = [
        subprocess.Popen([sys.executable, "-I", "-S", "-c", "while True: pass"])
        for _ in range(os.cpu_count() or 1)
    ]
    try:
        yield
    finally:
        for process in burning:
            process.kill()
            process.wait()
