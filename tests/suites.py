"""How long each suite may take: minutes of work, of which two go by at once in `make test`."""

from collections.abc import Iterable, Iterator, Mapping

BUDGET_MIN = {
    "unit": 3.0,
    "property": 1.5,
    "simulation": 1.5,
    "contract": 4.0,
    "actors": 5.0,
    "chaos": 12.0,
    "integration": 17.0,
    "e2e": 14.0,
}
TOGETHER_MIN = 30.0  # on the clock, everything, on two cores


def spent(took: Iterable[tuple[str, float]]) -> dict[str, float]:
    """Minutes by suite, of the node ids of tests and the seconds that parts of them took."""
    found: dict[str, float] = {}
    for nodeid, seconds in took:
        parts = nodeid.split("/")
        if parts[0] == "tests" and parts[1:2] and parts[1] in BUDGET_MIN:
            found[parts[1]] = found.get(parts[1], 0.0) + seconds / 60
    return found


def lines(spent_min: Mapping[str, float]) -> Iterator[str]:
    """A line for each suite that ran, where that was more than a few tests."""
    if sum(spent_min.values()) < 1.0:
        return
    for suite, budget in BUDGET_MIN.items():
        if suite in spent_min:
            took = spent_min[suite]
            over = ", OVER" if took > budget else ""
            yield f"{suite:12} {took:6.1f} min of work, budget {budget:.1f}{over}"
