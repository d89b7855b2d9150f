"""`swarm tasks` and `swarm workers`: work that runs on swarm's own workers."""

import json
import sys
import time
from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING, Annotated, Any

import typer

from swarm.cli.connection import (
    EXIT_INTERRUPTED,
    PATIENT_S,
    ConfigOption,
    DryRunOption,
    changing,
    connected,
    fail,
)
from swarm.cli.output import Output, OutputOption

if TYPE_CHECKING:
    from swarm.client import Client
    from swarm.client.calls.health import Detection
    from swarm.client.calls.losses import Losses, Moved
    from swarm.client.calls.tasks import TaskStory

app = typer.Typer(help="Run programs on swarm's workers.", no_args_is_help=True)
workers_app = typer.Typer(help="The workers that run tasks.", no_args_is_help=True)

TaskArgument = Annotated[str, typer.Argument(metavar="TASK", help="Id of the task.")]


@app.command(context_settings={"ignore_unknown_options": True})
def run(  # noqa: PLR0913  (typer: one argument is one option)
    argv: Annotated[list[str], typer.Argument(metavar="PROGRAM...", help="What to run.")],
    id_: Annotated[str | None, typer.Option("--id", help="Your own id for it.")] = None,
    team: Annotated[str, typer.Option(help="Whose share of the workers it takes.")] = "default",
    cpu: Annotated[float, typer.Option(min=0, help="Cores it takes.")] = 1.0,
    detach: Annotated[bool, typer.Option(help="Print the id and leave.")] = False,
    dry_run: DryRunOption = False,
    path: ConfigOption = None,
) -> None:
    """Run a program on a worker and print what it prints; its failure is ours."""
    task: dict[str, Any] = {"argv": argv, "team": team, "cpu": cpu}
    if id_ is not None:
        task["id"] = id_
    with changing(path, dry_run, retry_for_s=PATIENT_S) as swarm:
        (name,) = swarm.submit([task])
        if detach:
            typer.echo(name)
            return
        try:
            _print_all(swarm, name)
            story = swarm.wait(name)
        except KeyboardInterrupt:
            on, end = f"swarm tasks logs -f {name}", f"swarm tasks cancel {name}"
            fail(f"{name} goes on: `{on}` follows it, `{end}` ends it.", EXIT_INTERRUPTED)
    typer.echo(f"{name}: {story['story'][-1]['text']}", err=True)
    raise typer.Exit(0 if story["state"] == "succeeded" else 1)


@app.command("ls")
def list_(
    state: Annotated[str | None, typer.Option(help="Only those in this state.")] = None,
    limit: Annotated[int, typer.Option(min=1)] = 50,
    output: OutputOption = Output.TABLE,
    path: ConfigOption = None,
) -> None:
    """List tasks, newest first."""
    with connected(path) as swarm:
        found = list(islice(swarm.tasks(state), limit))
    if output is Output.JSON:
        typer.echo(json.dumps({"schema_version": 1, "tasks": found}, indent=2))
        return
    for row in found:
        at = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(row["submitted_at_s"]))
        typer.echo(f"{at}  {row['state']:9}  {row['team']:12}  {row['id']}")


@app.command()
def get(task: TaskArgument, output: OutputOption = Output.TABLE, path: ConfigOption = None) -> None:
    """Show a task: where it is, why it waits, and its story."""
    with connected(path) as swarm:
        found = swarm.task(task)
    if output is Output.JSON:
        typer.echo(json.dumps({"schema_version": 1} | found, indent=2))
        return
    waiting = f": {found['waiting_text']}" if found["waiting_text"] else ""
    typer.echo(f"{found['id']}  {found['state']}{waiting}")
    if found["result"] is not None:
        typer.echo(f"  returned {json.dumps(found['result'])}")
    for line in found["story"]:
        at = time.strftime("%H:%M:%S", time.localtime(line["at_s"]))
        typer.echo(f"  {at}.{int(line['at_s'] % 1 * 1000):03}  {line['text']}")


@app.command()
def explain(
    task: TaskArgument, output: OutputOption = Output.TABLE, path: ConfigOption = None
) -> None:
    """Show what stands before a task that waits: its place, the teams, each worker's reason."""
    with connected(path) as swarm:
        found = swarm.explain_task(task)
    if output is Output.JSON:
        typer.echo(json.dumps({"schema_version": 1} | found, indent=2))
        return
    typer.echo(f"{found['id']}  {found['state']}: {found['waiting_text'] or 'it is under way'}")
    if found["before"] is not None:
        by = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(found["latest_start_s"]))
        typer.echo(f"  {found['before']} of its team before it; it has to start by {by}")
    if found["proposed"]:
        typer.echo(f"  placement: {found['proposed']['why']}")
    for turn in found["teams"]:
        share = f"holds {turn['share']:.0%} of the fleet by its weight"
        typer.echo(f"  team {turn['team']}: {share}, {turn['waiting']} waiting")
    for at in found["workers"]:
        typer.echo(f"  {at['worker']}: {at['lacks'] or 'could run it when its turn comes'}")


@app.command()
def logs(
    task: TaskArgument,
    grant: Annotated[int | None, typer.Option(min=1, help="Of this grant.")] = None,
    copy: Annotated[
        bool | None, typer.Option(help="Of its second copy alone, or of the first alone.")
    ] = None,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on until it has ended, over all grants.")
    ] = False,
    path: ConfigOption = None,
) -> None:
    """Print what a task printed, of its newest grant unless one is named. Where a second copy ran
    under that grant, each copy's lines come under a heading with its worker."""
    with connected(path, retry_for_s=PATIENT_S if follow else 0.0) as swarm:
        if follow and swarm.task(task):  # one that is not there is not waited for
            _print_all(swarm, task)
        elif copy is not None:
            sys.stdout.buffer.write(swarm.output(task, grant, copy=copy))
        else:
            _print_each(swarm, task, grant)


@app.command()
def cancel(task: TaskArgument, dry_run: DryRunOption = False, path: ConfigOption = None) -> None:
    """End a task."""
    with changing(path, dry_run) as swarm:
        if dry_run:
            swarm.task(task)
        swarm.cancel(task)


@workers_app.command("ls")
def list_workers(output: OutputOption = Output.TABLE, path: ConfigOption = None) -> None:
    """List the workers that live, with what they hold."""
    with connected(path) as swarm:
        found, detection = swarm.workers(), swarm.status()["detection"]
    if output is Output.JSON:
        body = {"schema_version": 1, "workers": found, "detection": detection}
        typer.echo(json.dumps(body, indent=2))
        return
    for row in found:
        state = "drains" if row["draining"] else "works"
        holds = f"{len(row['holds'])} of {row['slots']} slots"
        typer.echo(f"{row['worker']}  {state}  {holds}  {' '.join(row['holds'])}")
    for line in _detection_lines(detection):
        typer.echo(line)


@workers_app.command("foreign")
def list_foreign(output: OutputOption = Output.TABLE, path: ConfigOption = None) -> None:
    """List the orchestrators' own workers that are watched: schedulers, daemons, pool workers."""
    with connected(path) as swarm:
        found = swarm.foreign_workers()
    if output is Output.JSON:
        typer.echo(json.dumps({"schema_version": 1, "foreign_workers": found}, indent=2))
        return
    for row in found:
        name = f"{row['orchestrator']}/{row['name']}"
        typer.echo(f"{name}  {row['role']}  {row['presence']} by {row['seen_by']}  {row['advice']}")


@workers_app.command("losses")
def list_losses(
    limit: Annotated[
        int, typer.Option("--limit", "-n", min=1, max=1_000, help="At most so many.")
    ] = 20,
    output: OutputOption = Output.TABLE,
    path: ConfigOption = None,
) -> None:
    """Show which workers were lost, where their work went, and how soon, the newest last."""
    with connected(path) as swarm:
        found = swarm.losses(limit)
    if output is Output.JSON:
        typer.echo(json.dumps({"schema_version": 1, **found}, indent=2))
        return
    for row in reversed(found["redistributions"]):
        at = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(row["at_s"]))
        typer.echo(f"{at}  {row['worker']}  {row['cause']}{_seen(row['unheard_s'])}")
        for task in row["tasks"]:
            typer.echo(f"{'':19}  {task['task']} {_went(task)}")
    for line in _spread_lines(found):
        typer.echo(line)


@workers_app.command()
def drain(
    worker: Annotated[str, typer.Argument(metavar="WORKER", help="Id of the worker.")],
    dry_run: DryRunOption = False,
    path: ConfigOption = None,
) -> None:
    """Give a worker no new tasks."""
    with changing(path, dry_run) as swarm:
        if dry_run and worker not in {row["worker"] for row in swarm.workers()}:
            fail(f"No worker is called {worker}; see `swarm workers ls`.", 4)
        swarm.drain(worker)


def _seen(unheard_s: float | None) -> str:
    return "" if unheard_s is None else f", silent for {unheard_s:.2f} s"


def _went(task: "Moved") -> str:
    """Where a task that lost a grant is since."""
    ended = f", {task['outcome']}" if task["outcome"] else ""
    if task["to"] is None:
        return f"got no other grant{ended}" if ended else "waits"
    return f"to {task['to']} after {task['took_s']:.2f} s{ended}"


def _spread_lines(found: "Losses") -> Iterator[str]:
    """How soon losses were seen and tasks had moved, and how often a loss was none."""
    spreads = (
        ("detection", "losses seen", found["detection"]),
        ("redistribution", "tasks moved", found["redistribution"]),
    )
    for name, what, told in spreads:
        if told["count"]:
            yield (
                f"{name:14}  {told['count']} {what}: p50 {told['p50_s']:.2f} s, "
                f"p99 {told['p99_s']:.2f} s, most {told['max_s']:.2f} s"
            )
    if found["false_alarms"] is not None and found["watched_s"] is not None:
        hours, rate = found["watched_s"] / 3600, found["false_alarms_per_1000_h"]
        often = "" if rate is None else f", {rate:.2f} in 1,000"
        yield f"{'false alarms':14}  {found['false_alarms']} in {hours:.1f} worker-hours{often}"


def _detection_lines(detection: "Detection | None") -> Iterator[str]:
    """How soon the death of a worker is seen, and how often that was wrong."""
    if detection is None:
        yield "detection  the dispatcher does not answer"
        return
    hours = detection["watched_s"] / 3600
    yield (
        f"detection  silence of {detection['redistribute_s']:.2f} s moves work; "
        f"gaps between beats p99 {detection['gap_p99_s']:.2f} s, "
        f"p99.9 {detection['gap_p999_s']:.2f} s; "
        f"{detection['false_alarms']} false alarms in {hours:.1f} worker-hours"
    )
    for worker in detection["silent"]:
        yield f"silent     {worker}"
    for worker in detection["without_beats"]:
        yield (
            f"no beats   {worker}: they do not pass (UDP); its silence moves work "
            f"after {detection['redistribute_slow_s']:.1f} s"
        )


def shown(swarm: "Client", name: str) -> "TaskStory | None":
    """The task, or None: one that was just taken is shown a moment later."""
    from swarm.client import NotFound

    try:
        return swarm.task(name)
    except NotFound:
        return None


def _print_each(swarm: "Client", name: str, grant: int | None) -> None:
    """What each copy of a grant printed; without a heading where there was one only."""
    story = swarm.task(name)
    of = story["grant"] if grant is None else grant
    outputs = [one for one in story["outputs"] if one["grant"] == of]
    if len(outputs) < 2:
        sys.stdout.buffer.write(swarm.output(name, grant))
        return
    for one in outputs:
        second = ", second copy" if one["is_copy"] else ""
        printed = swarm.output(name, of, copy=one["is_copy"])
        heading = f"==> grant {of} on {one['worker']}{second} <==\n"
        end = b"" if printed.endswith(b"\n") or not printed else b"\n"
        sys.stdout.buffer.write(heading.encode() + printed + end)


def _print_all(swarm: "Client", name: str) -> None:
    """Print what it prints until it has ended, from the beginning of each grant."""
    for printed in swarm.follow(name):
        sys.stdout.buffer.write(printed)
        sys.stdout.flush()
