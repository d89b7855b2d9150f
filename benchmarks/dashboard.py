"""How soon can a person use the graph of N pipelines in a browser, and how smoothly does it move?

The real app serves the real files and answers from a read model that holds the mesh of
`benchmarks.graph`, over three orchestrators and forty teams; Chromium, without a window, shows it.

- `interactive_s_N`: from going to the page to the frame after its first answer to a wheel, with one
  box for each orchestrator, as the page begins (N over 300).
- `all_drawn_s_N`: the same with a box for every pipeline, and after all in view is drawn.
- `frame_p95_ms_N`: between frames while the groups of all teams are panned; `frame_all_p95_ms_N`
  with every pipeline drawn, all in view.
- `first_load_kb`: what the browser is sent before it asks for data, packed.
"""

import contextlib
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import quantiles
from tempfile import TemporaryDirectory
from typing import Any, cast

import uvicorn
from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.graph import mesh
from benchmarks.report import Figures, Options, progress, run
from swarm.actors.handles import GraphHandle, OutputsHandle, SequencerHandle
from swarm.actors.ports import Dispatch
from swarm.api.app import create_app
from swarm.api.deps import Deps
from swarm.clock import SystemClock
from swarm.errors import Unreachable
from swarm.model.graph import DependencyChanged, PipelineSeen
from swarm.model.keys import DatasetKey, PipelineKey, TaskKey
from swarm.model.lineage import Dependency, DependencyKey
from swarm.model.pipelines import Pipeline
from swarm.store.projections import open_projections
from swarm.store.projector import open_projector

SIZES = (200, 2_000, 10_000)
TOKEN = "benchmark"
ORCHESTRATORS = ("airflow", "dagster", "prefect")
TEAMS = 40
_PATIENCE_MS = 60_000
_DRAWN = "#stage[data-drawn]"
_WHOLE = "() => swarm.drawn()?.whole"
_WHEEL = """() => new Promise((done) => {
  const canvas = document.querySelector("#stage canvas");
  const before = swarm.drawn().view.scale;
  canvas.dispatchEvent(new WheelEvent("wheel", { deltaY: -1, bubbles: true, cancelable: true }));
  requestAnimationFrame(() => requestAnimationFrame(() =>
    done(swarm.drawn().view.scale > before ? performance.now() : -1)));
})"""
_PAN = """(frames) => new Promise((done) => {
  const canvas = document.querySelector("#stage canvas");
  const gaps = [];
  let last = 0;
  const step = (at) => {
    if (last) gaps.push(at - last);
    last = at;
    if (gaps.length >= frames) return done(gaps);
    const deltaY = gaps.length % 40 < 20 ? 12 : -12;
    canvas.dispatchEvent(new WheelEvent("wheel", { deltaY, shiftKey: true, cancelable: true }));
    requestAnimationFrame(step);
  };
  requestAnimationFrame(step);
})"""


class _Silent:
    """A dispatcher that does not answer: its part of the status is not of interest."""

    async def detection(self) -> None:
        raise Unreachable("not here")


def measure(options: Options) -> Figures:
    """Open the pages for each size; the median of three, of one where it is to be quick."""
    program = shutil.which("chromium")
    if program is None:
        raise SystemExit("this needs Chromium: apt-get install chromium")
    figures: dict[str, float] = {}
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=program, args=["--no-sandbox"])
        for size in SIZES:
            progress(f"{size} pipelines")
            with _served(size, options.seed) as url:
                figures |= _seen(browser, url, size, quick=options.quick)
        browser.close()
    return figures


def _seen(browser: Browser, url: str, size: int, *, quick: bool) -> dict[str, float]:
    times = 1 if quick else 3
    frames = 60 if quick else 300
    figures: dict[str, float] = {}
    with _page(browser) as page:
        sent: list[int] = []
        page.on("requestfinished", lambda one: sent.append(_bytes(one)))
        page.goto(f"{url}/graph")
        page.wait_for_selector(_DRAWN)
        figures["first_load_kb"] = sum(sent) / 1_000
    for name, query in (("interactive_s", ""), ("all_drawn_s", "?by=pipeline")):
        seconds = sorted(_interactive_s(browser, f"{url}/graph{query}") for _ in range(times))
        figures[f"{name}_{size}"] = seconds[len(seconds) // 2]
    for name, query in (("frame_p95_ms", "?by=team"), ("frame_all_p95_ms", "?by=pipeline")):
        with _page(browser) as page:
            page.goto(f"{url}/graph{query}")
            page.wait_for_selector(_DRAWN)
            page.wait_for_function(_WHOLE)
            gaps = page.evaluate(_PAN, frames)
        figures[f"{name}_{size}"] = quantiles(gaps, n=20)[-1]
    return figures


def _bytes(request: Any) -> int:
    if "/api/" in request.url:
        return 0
    return int(request.sizes()["responseBodySize"])


def _interactive_s(browser: Browser, url: str) -> float:
    with _page(browser) as page:
        page.goto(url, wait_until="commit")
        page.wait_for_selector(_DRAWN)
        page.wait_for_function(_WHOLE)
        answered_ms = page.evaluate(_WHEEL)
    assert answered_ms > 0, "the wheel moved nothing"
    return float(answered_ms) / 1_000


@contextlib.contextmanager
def _page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1360, "height": 820})
    context.set_default_timeout(_PATIENCE_MS)
    context.add_init_script(f"sessionStorage.setItem('swarm.token', '{TOKEN}')")
    yield context.new_page()
    context.close()


@contextlib.contextmanager
def _served(size: int, seed: int) -> Iterator[str]:
    with TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0)) as listening:
        open_projector("", Path(folder)).close()
        deps = Deps(
            TOKEN,
            GraphHandle(),
            cast("Dispatch", _Silent()),
            OutputsHandle(),
            SequencerHandle(),
            open_projections("", Path(folder)),
            SystemClock(),
        )
        for record in _records(size, seed):
            deps.model.apply(record, 0.0)
        deps.model.caught_up = True
        # Nothing follows the empty log: the read model stays as it is.
        config = uvicorn.Config(
            create_app(deps), lifespan="off", log_level="error", timeout_graceful_shutdown=1
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listening],))
        thread.start()
        while not server.started:
            time.sleep(0.01)
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join()
            deps.projections.close()


def _records(size: int, seed: int) -> Iterator[PipelineSeen | DependencyChanged]:
    for number in range(size):
        yield PipelineSeen(Pipeline(_key(number), owner=f"team-{number * 7 % TEAMS}"))
    for at, (up, down) in enumerate(mesh(size, seed)):
        key = DependencyKey(_task(up), _task(down), DatasetKey("warehouse", f"dwh.t{up}"))
        yield DependencyChanged(at, Dependency(key, at % 3 == 0, (0.6, 0.8, 0.95)[at % 3], ()))


def _key(number: int) -> PipelineKey:
    return PipelineKey(ORCHESTRATORS[number // 17 % 3], f"pipeline_{number:05}")


def _task(number: int) -> TaskKey:
    key = _key(number)
    return TaskKey(key.orchestrator, key.name, "load")


if __name__ == "__main__":
    run("dashboard", "How soon and how smoothly does a browser show the graph?", measure)
