"""What every benchmark shares: its options, the conditions it ran under, and its report.

A benchmark calls `run` with a function that takes `Options` and returns its figures. Figure names
carry their unit last (`replay_s`) and do not change, so that two reports can be compared.
"""

import argparse
import json
import os
import platform
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

Figures = Mapping[str, float]

RESULTS = Path(__file__).parent / "results"
_PACKAGES = ("swarm", "networkx", "pydantic", "psycopg", "ray", "sqlalchemy", "sqlglot")


@dataclass(frozen=True, slots=True)
class Options:
    """How to run: `quick` ends within 60 s on two cores; `own` holds the benchmark's own flags."""

    quick: bool
    seed: int
    own: argparse.Namespace


def run(
    name: str,
    question: str,
    measure: Callable[[Options], Figures],
    *,
    arguments: Callable[[argparse.ArgumentParser], None] | None = None,
    draw: Callable[[Figures, Path], None] | None = None,
) -> None:
    """Measure, print every figure as it is, and write the report.

    `--json FILE` writes the report there. A full run also writes `benchmarks/results/NAME.json`
    and draws a plot beside it, `NAME.png`: by `draw`, else a bar a figure.
    """
    parser = argparse.ArgumentParser(prog=f"benchmarks.{name}", description=question)
    parser.add_argument("--quick", action="store_true", help="smaller counts, within 60 s")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the report to FILE")
    parser.add_argument("--seed", type=int, default=1, help="seed of everything random")
    if arguments is not None:
        arguments(parser)
    own = parser.parse_args()
    load_average = os.getloadavg()[0]
    figures = dict(measure(Options(own.quick, own.seed, own)))
    report = {
        "benchmark": name,
        "figures": figures,
        "quick": own.quick,
        "seed": own.seed,
        "load_average": round(load_average, 2),
        "versions": _versions(),
    }
    text = json.dumps(report, indent=2, allow_nan=False) + "\n"
    for figure, value in figures.items():
        print(f"{figure:32} {value:>16,.6g}")
    if own.json is not None:
        own.json.write_text(text, encoding="utf-8")
    if not own.quick:
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / f"{name}.json").write_text(text, encoding="utf-8")
        (draw or _bars)(figures, RESULTS / f"{name}.png")


def progress(text: str) -> None:
    """Say on stderr what is measured now; figures alone go to stdout."""
    print(text, file=sys.stderr, flush=True)


def so_far(part: str, figures: Figures) -> None:
    """Tell what a part has measured, for one who waits for the rest or never gets it."""
    progress(f"{part}: {json.dumps(figures)}")


def save(figure: Any, path: Path) -> None:
    """End a picture as all do: what has a name is told apart."""
    import matplotlib.pyplot as plt

    for axes in figure.axes:
        if axes.get_legend_handles_labels()[0]:
            axes.legend()
    figure.tight_layout()
    figure.savefig(path, dpi=120)
    plt.close(figure)


def _bars(figures: Figures, path: Path) -> None:
    """One bar a figure: what is drawn where a benchmark has no picture of its own."""
    import matplotlib.pyplot as plt

    names = list(figures)[::-1]
    figure, axes = plt.subplots(figsize=(6, 0.5 + 0.4 * len(names)))
    bars = axes.barh(names, [figures[name] for name in names])
    axes.bar_label(bars, fmt="{:,.3g}", padding=3)
    axes.set(xscale="symlog", xlabel="each in the unit its name ends with")
    save(figure, path)


def _versions() -> dict[str, str]:
    found = {"python": platform.python_version(), "machine": _machine()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def _machine() -> str:
    return f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores"
