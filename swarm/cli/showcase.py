"""The demo's course: start the lab and swarm on it, run the pipelines, compare with the truth,
kill a worker, let an agent run out of memory and, where it is asked for, upstreams come late and a
backfill get in the way."""

import contextlib
import json
import shutil
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import typer

from swarm.bootstrap.files import secret
from swarm.cli.backfill_yields import Yielded, backfill_yields
from swarm.cli.late_upstream import Late, late
from swarm.cli.output import Output, name_of
from swarm.cli.overload import Overload, overload
from swarm.cli.process import launch, stop
from swarm.cli.survival import PROMISED_AGAIN_S, PROMISED_SEEN_S, Survival, survive
from swarm.cli.yaml_form import document
from swarm.client import Client
from swarm.client.calls.graph import Dependency
from swarm.config import Api, PipelineRule, Settings, Source
from swarm.demo import backfill, survivor
from swarm.demo.airflow_server import Receiver
from swarm.demo.lab import Lab
from swarm.demo.morning import Mornings, gating, hand_beside, hurried, with_hand
from swarm.demo.processes import free_ports
from swarm.demo.run_folder import AIRFLOW, CRON, DAGSTER, PREFECT
from swarm.demo.survivor import Workers
from swarm.demo.truth import Pair
from swarm.demo.warehouse import Database
from swarm.model.keys import TaskKey

_POLL_S = 2.0
_QUIET_S = 6.0  # three passes of every source without news: everything has been seen
_SETTLE_MAX_S = 60.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What swarm found, held against the audit."""

    pipelines: int
    orchestrators: int
    expected: frozenset[Pair]
    found: frozenset[Pair]
    seconds: float

    def verdict(self, pair: Pair) -> str:
        """What the audit says of a pair that is expected or found."""
        if pair in self.missed:
            return "MISSED"
        return "FALSE" if pair in self.false else "confirmed"

    @property
    def missed(self) -> frozenset[Pair]:
        return self.expected - self.found

    @property
    def false(self) -> frozenset[Pair]:
        return self.found - self.expected


@dataclass(frozen=True, slots=True)
class Feats:
    """What else was shown; a `morning` where it was asked for."""

    survival: Survival
    death: Overload
    morning: tuple[Yielded, Late] | None

    @property
    def kept(self) -> bool:
        """Was all that is promised kept?"""
        return all(feat.kept for feat in (self.survival, self.death, *(self.morning or ())))


def show(
    folder: Path, output: Output, warehouse: Database, *, leave: bool, morning: bool = False
) -> bool:
    """Run the whole course; True when swarm found exactly what the audit saw, a program and a task
    of Airflow survived their worker as promised, and on the `morning` nothing stale was read and a
    backfill made room."""
    started_s = time.monotonic()
    signal.signal(signal.SIGTERM, _interrupt)  # so that the lab is stopped in any case
    (port,) = free_ports(1)
    settings = Settings(
        state_dir=(folder / "swarm").resolve(), api=Api(port=port), min_confidence=0.5
    )
    shutil.rmtree(settings.state_dir, ignore_errors=True)
    token_file = secret(settings, "token")
    token = token_file.read_text()
    url = f"http://{settings.api.host}:{settings.api.port}"
    receiver = Receiver(url, token)
    workers = Workers(url, token_file)
    lab = Lab(folder, _say, receiver, warehouse=warehouse, workers=workers)
    lab.edit = hurried if morning else lab.edit
    with lab, contextlib.ExitStack() as beside:
        settings = settings_for(lab, settings)
        if morning:
            settings = _of_the_morning(settings, lab, beside)
        with _running(settings) as pid, Client(url, token) as swarm:
            survivor_run = survivor.trigger(lab.airflow)
            lab.run_pipelines()
            _say("Waiting until swarm has seen everything ...")
            _settle(swarm)
            outcome = _compare(swarm, lab, time.monotonic() - started_s)
            _say("Killing the worker under a running program and a task of Airflow ...")
            survival = survive(swarm, pid, lab.airflow, survivor_run)
            _say("Letting an agent run out of memory ...")
            death = overload(swarm, folder / "agents")
            course = None
            if morning:
                course = backfill_yields(swarm, lab.prefect, _say), late(swarm, Mornings(lab), _say)
            feats = Feats(survival, death, course)
            _report(outcome, feats, swarm, output)
            if not leave:
                _say(f"\nThe API is at {url}/api/v1, its token in {settings.state_dir}/token")
                _say(f"Try: SWARM_STATE_DIR={settings.state_dir} .venv/bin/swarm deps")
                _say("Ctrl-C stops everything.")
                with contextlib.suppress(KeyboardInterrupt):
                    threading.Event().wait()
    return not outcome.missed and not outcome.false and feats.kept


def _of_the_morning(settings: Settings, lab: Lab, beside: contextlib.ExitStack) -> Settings:
    """Hands, and what swarm may do with them."""
    settings = gating(settings, beside.enter_context(hand_beside(lab)))
    settings = with_hand(settings, PREFECT, beside.enter_context(hand_beside(lab, PREFECT)))
    yields = PipelineRule(match=backfill.DEPLOYMENT, mode="gate")
    rules = (*settings.pipelines, yields)
    return settings.model_copy(update={"pipelines": rules, "slas": (backfill.promise(),)})


def settings_for(lab: Lab, settings: Settings) -> Settings:
    """`settings` with the lab's servers and files as sources."""
    return settings.model_copy(
        update={
            "sources": (
                Source(kind="airflow", name=AIRFLOW, url=lab.airflow_url, poll_s=_POLL_S),
                Source(kind="dagster", name=DAGSTER, url=lab.dagster_url, poll_s=_POLL_S),
                Source(kind="prefect", name=PREFECT, url=lab.prefect.url, poll_s=_POLL_S),
                Source(kind="crontab", name=CRON, path=lab.run.crontab, poll_s=_POLL_S),
                Source(kind="catalog", name="catalog", path=lab.run.catalog, poll_s=_POLL_S),
            ),
            "code": lab.run.code,
            "connections": dict(lab.run.warehouse.connections),
            "naming": lab.run.warehouse.naming,
        }
    )


@contextlib.contextmanager
def _running(settings: Settings) -> Iterator[int]:
    _say("Starting swarm ...")
    pid = launch(settings)
    try:
        yield pid
    finally:
        _say("Stopping swarm ...")
        stop(settings, pid)


def _settle(swarm: Client) -> None:
    """Return when nothing new has come for a while."""
    begun_s = quiet_since_s = time.monotonic()
    seq = -1
    while time.monotonic() - quiet_since_s < _QUIET_S:
        if time.monotonic() - begun_s > _SETTLE_MAX_S:
            return
        now = swarm.status()["seq"]
        if now != seq:
            seq, quiet_since_s = now, time.monotonic()
        time.sleep(0.5)


def _compare(swarm: Client, lab: Lab, seconds: float) -> Outcome:
    pipelines = [row for row in swarm.pipelines() if row["listed"]]
    return Outcome(
        pipelines=len(pipelines),
        orchestrators=len({row["orchestrator"] for row in pipelines}),
        expected=lab.truth().undeclared,
        found=frozenset(
            Pair(
                TaskKey(**edge["upstream"]),
                TaskKey(**edge["downstream"]),
                _short(edge["dataset"], lab),
            )
            for edge in swarm.dependencies(declared=False)
        ),
        seconds=seconds,
    )


def _short(dataset: str, lab: Lab) -> str:
    """A dataset as the audit writes it: `schema.table`, or a path relative to the lab's run."""
    if dataset.startswith("file/"):
        return dataset.removeprefix("file/").removeprefix(f"{lab.run_folder}/")
    return ".".join(dataset.rpartition("/")[2].split(".")[-2:])


def _report(outcome: Outcome, feats: Feats, swarm: Client, output: Output) -> None:
    survival, death = feats.survival, feats.death
    if output is not Output.TABLE:
        body: dict[str, object] = {
            "schema_version": 1,
            "pipelines": outcome.pipelines,
            "orchestrators": outcome.orchestrators,
            "undeclared_expected": len(outcome.expected),
            "undeclared_found": len(outcome.found & outcome.expected),
            "undeclared_false": len(outcome.false),
            "seconds": round(outcome.seconds, 1),
            "missed": [_line(pair) for pair in sorted(outcome.missed)],
            "false": [_line(pair) for pair in sorted(outcome.false)],
            "worker_death_seen_s": round(survival.seen_s, 3),
            "worker_death_running_again_s": round(survival.again_s, 3),
            "airflow_running_again_s": round(survival.airflow_again_s, 3),
            "airflow_outcome": survival.airflow_outcome,
            "airflow_tries": survival.airflow_tries,
            "agent_death_seen_s": round(death.seen_s, 3),
            "agent_death_items_moved_s": round(death.moved_s, 3),
            "agent_death_replaced_s": round(death.replaced_s, 3),
        }
        for feat in feats.morning or ():
            body |= feat.body()
        typer.echo(json.dumps(body, indent=2) if output is Output.JSON else document(body))
        return
    edges = {_names(edge): edge for edge in swarm.dependencies(declared=False)}
    typer.echo("\nDependencies nobody declared, held against an audit of the warehouse:\n")
    for pair in sorted(outcome.expected | outcome.found):
        edge = edges.get((str(pair.upstream), str(pair.downstream)))
        sure = f"{edge['confidence']:.2f}" if edge else "    "
        typer.echo(f"  {outcome.verdict(pair):9} {sure}  {_line(pair)}")
    if edges:
        _explain(max(edges.values(), key=lambda edge: len(edge["evidence"])))
    typer.echo(
        f"\n{outcome.pipelines} pipelines of {outcome.orchestrators} orchestrators; "
        f"{len(outcome.expected & outcome.found)} of {len(outcome.expected)} undeclared "
        f"dependencies found, {len(outcome.false)} false; {outcome.seconds:.0f} s"
    )
    typer.echo(
        f"A worker was killed under a running program: seen after {survival.seen_s * 1000:.0f} ms "
        f"(promised {PROMISED_SEEN_S:.0f} s), the program ran again on a new worker after "
        f"{survival.again_s:.1f} s (promised {PROMISED_AGAIN_S:.0f} s) and {survival.outcome}"
    )
    typer.echo(
        f"A task of Airflow that ran there too ran again after {survival.airflow_again_s:.1f} s "
        f"and ended: {survival.airflow_outcome}; tries that Airflow counts: "
        f"{survival.airflow_tries} (Airflow alone, as measured once: 309 s and a second try)"
    )
    typer.echo(death.told())
    for feat in feats.morning or ():
        typer.echo(feat.told())


def _explain(edge: Dependency) -> None:
    up, down = _names(edge)
    typer.echo(f"\nWhy, for example, {up} -> {down} through {edge['dataset']}:\n")
    for line in edge["evidence"]:
        # Channels that read the same text count once: the others of them add nothing.
        weight = f"{line['weight']:+.2f}" if line["weight"] else "same"
        via = f", through the view {', '.join(line['via'])}" if line["via"] else ""
        typer.echo(
            f"  {weight:>6}  {name_of(line['task'])} {line['access']}s it, "
            f"says {line['channel']}{via}: {line['place']}"
        )
        if line["excerpt"]:
            typer.echo(f"          {line['excerpt']}")


def _names(edge: Dependency) -> tuple[str, str]:
    return name_of(edge["upstream"]), name_of(edge["downstream"])


def _line(pair: Pair) -> str:
    return f"{pair.upstream} -> {pair.downstream} through {pair.dataset}"


def _say(line: str) -> None:
    typer.echo(line, err=True)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt
