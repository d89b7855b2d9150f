"""`swarm cluster`: the files that Ray clusters are made from."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from swarm.cli.connection import EXIT_FOUND, ConfigOption, explained, fail
from swarm.cli.output import AsIsOption, Output, OutputOption, print_table

if TYPE_CHECKING:
    from swarm.capacity.clusterfile.located import Finding

app = typer.Typer(help="Ray clusters to run on.", no_args_is_help=True)


FileArgument = Annotated[
    Path, typer.Argument(help="For `ray up`, or KubeRay's.", exists=True, dir_okay=False)
]


@app.command()
def check(
    file: FileArgument,
    output: OutputOption = Output.TABLE,
) -> None:
    """Tell what is wrong with a cluster file, on which line, and what to write instead.

    By Ray's own schema, and by what swarm needs: labels, who is let in, what is open to the
    network, when a node counts as dead. It starts nothing. Exit code 3: something is wrong.
    """
    found = _checked(file)
    if output is Output.JSON:
        tree = {"schema_version": 1, "findings": [asdict(one) for one in found]}
        typer.echo(json.dumps(tree, indent=2))
    else:
        for one in found:
            typer.echo(f"{file}:{one.line}: {one.place}: {one.problem}. Fix: {one.fix}")
        typer.echo(f"{len(found)} to fix" if found else f"{file}: nothing wrong", err=bool(found))
    if found:
        raise typer.Exit(EXIT_FOUND)


@app.command()
def offerings(file: FileArgument, output: AsIsOption = Output.YAML) -> None:
    """Print the settings by which swarm orders the nodes of a cluster file.

    Exit code 1: something is wrong with the file, `swarm cluster check` says what.
    """
    import yaml

    from swarm.capacity.clusterfile.check import described
    from swarm.capacity.node_types import known_price, zoneless
    from swarm.capacity.node_types import offerings as offered
    from swarm.placement.rooms import resources_of

    if _checked(file):
        fail(f"Something is wrong with it: swarm cluster check {file}", 1)
    cluster = described(file.read_text(encoding="utf-8"))
    found = offered(cluster, known_price)
    for one in found:
        if not resources_of(one).memory_bytes:
            typer.echo(
                f"{one.name}: offers no memory, so no node of it is ordered for a task with "
                "`memory_bytes`; say it in its `resources`, in bytes: `memory: 16000000000`",
                err=True,
            )
    for name in zoneless(cluster):
        typer.echo(
            f"{name}: may come up in any of several zones, so it counts as a failure domain of its "
            "own; cluster/README.md says how to have a type for each zone",
            err=True,
        )
    rows = [
        {
            "name": one.name,
            "slots": one.room[0],
            "memory_bytes": resources_of(one).memory_bytes,
            "gpu": resources_of(one).gpu,
            "price_usd_per_h": one.price_usd_per_h,
            "boot_s": one.boot_s,
            "market": one.capacity.value,
            "most": one.most,
        }
        for one in found
    ]
    most = sum(one.most or 0 for one in found)
    tree = {"placement": {"pool": "ray", "most_workers": most, "offerings": rows}}
    if output is Output.JSON:
        typer.echo(json.dumps(tree, indent=2))
    elif output is Output.TABLE:
        columns = tuple(rows[0]) if rows else ("name",)
        print_table(columns, ([str(row[column]) for column in columns] for row in rows))
    else:
        typer.echo(yaml.safe_dump(tree, sort_keys=False), nl=False)


@app.command()
def prices(output: AsIsOption = Output.YAML, path: ConfigOption = None) -> None:
    """Ask AWS what the machines of the settings cost on demand now, and print `prices` with that.

    For the pools with a type and a region. It needs `pricing:GetProducts`, and changes nothing:
    what is printed belongs into the settings, where it counts before the table that ships.
    """
    from swarm.capacity.listed import listed
    from swarm.config import load
    from swarm.errors import CapacityError
    from swarm.placement.prices import PoolPrice

    with explained():
        pools = load(path).prices
    if not any(one.type and one.region for one in pools.values()):
        fail("no pool of `prices` says its `type` and `region`", 2)
    tree = {name: one.model_dump(exclude_defaults=True) for name, one in pools.items()}
    rows, published = [], ""
    for name, one in pools.items():
        before = PoolPrice(one.type, one.region, usd_per_h=one.usd_per_h).ondemand_usd_per_h
        told = "" if before is None else f"{before:g}"
        if not one.type or not one.region:
            rows.append((name, one.type, one.region, told, told))
            continue
        try:
            found = listed(one.type, one.region)
        except CapacityError as error:
            fail(str(error), 6)
        if found is None:
            typer.echo(f"{name}: AWS does not list {one.type} in {one.region}", err=True)
            rows.append((name, one.type, one.region, told, told))
            continue
        if found.usd_per_h != before:
            typer.echo(f"{name}: {told or 'unknown'} -> {found.usd_per_h:g}", err=True)
        tree[name]["usd_per_h"] = found.usd_per_h
        published = max(published, found.published)
        rows.append((name, one.type, one.region, told, f"{found.usd_per_h:g}"))
    if output is Output.TABLE:
        print_table(("pool", "type", "region", "USD/h so far", "USD/h listed"), rows)
    elif output is Output.JSON:
        whole = {"schema_version": 1, "published": published, "prices": tree}
        typer.echo(json.dumps(whole, indent=2))
    else:
        import yaml

        typer.echo(f"# usd_per_h: on demand, Linux, by AWS's price list published {published}")
        typer.echo(yaml.safe_dump({"prices": tree}, sort_keys=False), nl=False)


def _checked(file: Path) -> "list[Finding]":
    from swarm.capacity.clusterfile.check import check as checked
    from swarm.errors import InputError

    try:
        return checked(file.read_text(encoding="utf-8"))
    except UnicodeDecodeError:
        raise InputError(f"{file}: no text in UTF-8.") from None
    except InputError as error:
        raise InputError(f"{file}: {error}") from None
