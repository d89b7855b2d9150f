"""How soon does what is told to swarm let a held run go, and reach a person?

A real `swarm up` with a journal in SQLite and a worker. Each reader of the first part has a run
that waits in swarm's queue and is held, for the run of its writer is under way; then the end of
that run is pushed. In the second part OpenLineage events show a dependency that nobody declared,
and a webhook on this machine is told of it. Settings of alerts are as they come.

- `fresh_to_release_p50_s`, `_p99_s`, `_max_s`: from before the push to the first line of the held
  run's program, with all that it takes to start it.
- `evidence_to_alert_p50_s`, `_max_s`: from before the event is sent to the webhook's being asked.
- `releases`, `alerts`: how many of each.
"""

import contextlib
import http.server
import json
import statistics
import tempfile
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

from benchmarks.live_swarm import LiveSwarm, running_swarm, until
from benchmarks.report import Figures, Options, progress, run

_DAY_S, _HOUR_S = 86_400.0, 3_600.0
_DAYS = 28
_BEGINS_IN_S = 60.0  # holds are decided two minutes ahead
_BETWEEN_S = 0.3  # no whole part of any period of swarm's
_PRODUCER = "https://example.org/reaction"


@dataclass(slots=True)
class _Webhook:
    """What was told, and when."""

    url: str = ""
    told: list[tuple[float, str]] = field(default_factory=list)

    def when(self, word: str) -> float | None:
        return next((at_s for at_s, text in self.told if word in text), None)


@contextlib.contextmanager
def _webhook() -> Iterator[_Webhook]:
    hook = _Webhook()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            at_s = time.time()
            text = self.rfile.read(int(self.headers["Content-Length"])).decode()
            hook.told.append((at_s, text))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    hook.url = f"http://127.0.0.1:{server.server_address[1]}/"
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield hook
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _manifest(pairs: int) -> str:
    lines = []
    for n in range(pairs):
        made = {"pipeline": f"writer_{n}", "task": "t", "writes": [f"dwh.table_{n}"]}
        read = {"pipeline": f"reader_{n}", "task": "t", "reads": [f"dwh.table_{n}"]}
        lines += [json.dumps(made), json.dumps(read)]
    return "\n".join(lines) + "\n"


def _run(pipeline: str, began_s: float, took_s: float | None) -> dict[str, Any]:
    return {
        "pipeline": pipeline,
        "run_id": f"{pipeline}-{began_s:.0f}",
        "state": "running" if took_s is None else "succeeded",
        "started_at_s": began_s,
        "ended_at_s": None if took_s is None else began_s + took_s,
    }


def releases_s(swarm: LiveSwarm, folder: Path, pairs: int) -> list[float]:
    """Seconds from each push to the beginning of the run that it frees."""
    until("all reads are known", lambda: len(list(swarm.client.dependencies())) == pairs)
    for edge in swarm.client.dependencies():
        swarm.client.judge(edge, "accepted", by="benchmark")
    begins_s = time.time() + _BEGINS_IN_S
    writes_s = begins_s - _HOUR_S
    runs = [
        _run(f"{kind}_{n}", at_s - ago * _DAY_S, 1_800.0)
        for n in range(pairs)
        for kind, at_s in (("writer", writes_s), ("reader", begins_s))
        for ago in range(_DAYS, 0, -1)
    ]
    runs += [_run(f"writer_{n}", writes_s, None) for n in range(pairs)]
    for at in range(0, len(runs), 500):
        swarm.client.push("manifest", runs=runs[at : at + 500])
    until(
        "every reader is held",
        lambda: sum(row["act"] == "hold" for row in swarm.client.decisions()) == pairs,
    )
    files = [folder / f"begun_{n}" for n in range(pairs)]
    tasks = swarm.client.submit(
        [
            {
                "argv": ["sh", "-c", f"date +%s.%N > {file}.part && mv {file}.part {file}"],
                "pipeline": f"manifest/reader_{n}",
                "run": "today",
            }
            for n, file in enumerate(files)
        ]
    )
    for task in tasks:
        until("its task is held", partial(_is_held, swarm, task))
    found = []
    for n, file in enumerate(files):
        if file.exists():
            raise AssertionError(f"{file} was not held")
        done = _run(f"writer_{n}", writes_s, time.time() - writes_s)
        pushed_s = time.time()
        swarm.client.push("manifest", runs=[done])
        until("the held run began", file.exists)
        found.append(float(file.read_text()) - pushed_s)
        time.sleep(_BETWEEN_S)
    return found


def _is_held(swarm: LiveSwarm, task: str) -> bool:
    return swarm.task(task).get("waiting") == "held"


def alerts_s(swarm: LiveSwarm, hook: _Webhook, rounds: int) -> list[float]:
    """Seconds from each event to the alert that it leads to."""
    found = []
    for n in range(rounds):
        table = {"namespace": "postgres://db", "name": f"lake.public.found_{n}"}
        swarm.client.send_lineage(_event(f"maker_{n}", outputs=[table]))
        sent_s = time.time()
        swarm.client.send_lineage(_event(f"taker_{n}", inputs=[table]))
        told_s = until("somebody was told", partial(hook.when, f"taker_{n}"))
        found.append(told_s - sent_s)
    return found


def _event(job: str, **tables: object) -> dict[str, Any]:
    return {
        "eventType": "COMPLETE",
        "eventTime": datetime.now(UTC).isoformat(),
        "producer": _PRODUCER,
        "schemaURL": "https://openlineage.io/spec/2-0-2/OpenLineage.json#/$defs/RunEvent",
        "run": {"runId": f"0195a2c0-0000-7000-8000-{abs(hash(job)) % 16**12:012x}"},
        "job": {"namespace": "reaction", "name": f"{job}.t"},
        "inputs": [],
        "outputs": [],
    } | tables


def main() -> None:
    """Run the benchmark."""

    def chosen(options: Options) -> Figures:
        pairs, rounds = (8, 2) if options.quick else (60, 10)
        with tempfile.TemporaryDirectory(prefix="sw") as name, _webhook() as hook:
            folder = Path(name)
            manifest, address = folder / "tasks.jsonl", folder / "address"
            manifest.write_text(_manifest(pairs))
            address.write_text(hook.url)
            address.chmod(0o600)
            target = {
                **{"name": "hook", "kind": "webhook", "address_file": str(address)},
                **{"at_least": "show", "match": ["*taker*"]},
            }
            with running_swarm(
                folder,
                pipelines=[{"match": "manifest/*", "mode": "gate"}],
                sources=[{"kind": "manifest", "path": str(manifest), "poll_s": 0.5}],
                alerts={"targets": [target]},
            ) as swarm:
                freed = releases_s(swarm, folder, pairs)
                progress(f"  freed after {[round(one, 2) for one in freed]}")
                told = alerts_s(swarm, hook, rounds)
                progress(f"  told after {[round(one, 2) for one in told]}")
        return {
            "releases": len(freed),
            "fresh_to_release_p50_s": statistics.median(freed),
            "fresh_to_release_p99_s": statistics.quantiles(freed, n=100, method="inclusive")[98],
            "fresh_to_release_max_s": max(freed),
            "alerts": len(told),
            "evidence_to_alert_p50_s": statistics.median(told),
            "evidence_to_alert_max_s": max(told),
        }

    run("reaction", "How soon does what is told free a held run, and reach a person?", chosen)


if __name__ == "__main__":
    main()
