"""What swarm needs of the groups of nodes that a cluster file describes: labels, CPUs, prices."""

from collections.abc import Mapping
from typing import Any

from swarm.capacity.clusterfile.located import Note, Path, at, entries, items, texts
from swarm.capacity.node_types import BOOT_LABEL, PRICE_LABEL, known_price
from swarm.model.work import KEEP_OFF_LABEL, MARKET_LABEL, OFFERING_LABEL, CapacityClass

HOST_POOL = "swarm.capacity.host_pool.HostPool"


def scales(tree: Any, note: Note) -> bool:
    """Whether Ray could start any node of it, of more than one kind."""
    if at(tree, "provider", "type") != "local":
        return True
    note(
        ("provider", "type"),
        "Ray's `local` has one kind of node and does not scale",
        f"`type: external` with `module: {HOST_POOL}`",
    )
    return False


def check(tree: Any, note: Note) -> None:
    """Of a file for `ray up`, which Ray's own schema fits."""
    kinds = entries(tree, "available_node_types")
    head = tree.get("head_node_type")
    workers = [(name, kind) for name, kind in kinds if name != head]
    if at(tree, "available_node_types", head, "resources", "CPU") != 0:
        note(
            ("available_node_types", str(head), "resources"),
            "the head would run work beside swarm's journal",
            "`resources: {CPU: 0}`",
        )
    ours = [one for one in workers if is_ours(one[1])]
    if not ours:
        note(("available_node_types",), "no node does work", "add a type beside the head's")
    for name, kind in workers:
        path: Path = ("available_node_types", name)
        labels(name, dict(entries(kind, "labels")), (*path, "labels"), note)
    for name, kind in ours:
        path = ("available_node_types", name)
        _cpus(kind, path, note)
        _price(tree, kind, path, note)
        _market(kind, path, note)
    _sum(tree, dict(workers), note)
    if at(tree, "provider", "module") == HOST_POOL:
        _hosts(tree, kinds, note)
    _volume(tree, str(head), note)


def is_ours(kind: Any) -> bool:
    """Whether swarm's work runs on nodes of this group; else it is for other jobs on the same
    Ray."""
    return KEEP_OFF_LABEL not in dict(entries(kind, "labels"))


def is_spot(kind: Any) -> bool:
    """Whether others may take the nodes of this group away."""
    return bool(at(kind, "labels", MARKET_LABEL) == CapacityClass.SPOT)


def labels(name: str, given: Mapping[str, Any], path: Path, note: Note) -> None:
    """Those by which swarm asks for a node of this group, or leaves it alone."""
    if KEEP_OFF_LABEL in given:
        _kept_off(given, path, note)
        return
    market = given.get(MARKET_LABEL)
    if market not in list(CapacityClass):
        note(
            (*path, MARKET_LABEL) if MARKET_LABEL in given else path,
            f"`{MARKET_LABEL}` is {market!r}" if market else f"no label `{MARKET_LABEL}`",
            f"`{MARKET_LABEL}: spot` where others may take it away, else `on-demand`",
        )
    if given.get(OFFERING_LABEL) != name:
        note(
            (*path, OFFERING_LABEL) if OFFERING_LABEL in given else path,
            "swarm could not ask for a node of this group",
            f"`{OFFERING_LABEL}: {name}`",
        )
    for label, kind in ((PRICE_LABEL, float), (BOOT_LABEL, int)):
        try:
            fits = kind(given.get(label, 1)) >= 0
        except (TypeError, ValueError):
            fits = False
        if not fits:
            note((*path, label), f"{given[label]!r} is no number", f'`{label}: "1"`')


def _kept_off(given: Mapping[str, Any], path: Path, note: Note) -> None:
    if OFFERING_LABEL in given:
        note(
            (*path, OFFERING_LABEL),
            "it is offered to swarm, whose work stays off it",
            f"leave `{OFFERING_LABEL}` out, or `{KEEP_OFF_LABEL}`",
        )
    if str(given[KEEP_OFF_LABEL]).lower() != "true":
        note(
            (*path, KEEP_OFF_LABEL),
            f"swarm's work stays off it also at {given[KEEP_OFF_LABEL]!r}",
            f'`{KEEP_OFF_LABEL}: "true"`, or leave it out',
        )


def _cpus(kind: Mapping[str, Any], path: Path, note: Note) -> None:
    cpus = at(kind, "resources", "CPU")
    if not isinstance(cpus, int) or cpus < 1:
        note(
            (*path, "resources"),
            "swarm asks for nodes by their CPUs, and they are not said",
            "`resources: {CPU: 4}`, as many as the machine has",
        )


def _price(tree: Any, kind: Mapping[str, Any], path: Path, note: Note) -> None:
    market = at(kind, "labels", MARKET_LABEL)
    if at(kind, "labels", PRICE_LABEL) is not None or market not in list(CapacityClass):
        return
    instance = at(kind, "node_config", "InstanceType")
    region = str(at(tree, "provider", "region") or "")
    if known_price(str(instance), region, CapacityClass(market)) is None:
        note(
            (*path, "labels"),
            "nobody knows what an hour of it costs",
            f'`{PRICE_LABEL}: "0.10"`',
        )


def _market(kind: Mapping[str, Any], path: Path, note: Note) -> None:
    """What AWS is asked for against what the label says."""
    asked = at(kind, "node_config", "InstanceMarketOptions", "MarketType") == "spot"
    says = at(kind, "labels", MARKET_LABEL)
    if at(kind, "node_config", "InstanceType") is None or says not in list(CapacityClass):
        return
    if asked and says != CapacityClass.SPOT:
        note((*path, "labels", MARKET_LABEL), "it is a spot instance", f"`{MARKET_LABEL}: spot`")
    if not asked and says == CapacityClass.SPOT:
        note(
            (*path, "node_config"),
            "its label says spot, and it would be paid for as on demand",
            "`InstanceMarketOptions: {MarketType: spot}`",
        )


def _sum(tree: Any, workers: Mapping[str, Any], note: Note) -> None:
    most = tree.get("max_workers", 2)  # Ray's default
    together = sum(kind.get("max_workers", most) for kind in workers.values())
    if together > most:
        note(
            ("max_workers",),
            f"the types may have {together} nodes together and the file {most}: of a request for "
            "more than that Ray starts none at all",
            f"`max_workers: {together}`, or fewer of the types",
        )


def _hosts(tree: Any, kinds: list[tuple[str, Any]], note: Note) -> None:
    where: dict[str, str] = {}
    for name, kind in kinds:
        path: Path = ("available_node_types", name, "node_config")
        hosts = at(kind, "node_config", "hosts")
        if (
            not isinstance(hosts, list)
            or not hosts
            or not all(isinstance(one, str) for one in hosts)
        ):
            note(path, "no machines", "`hosts: [ADDRESS, ...]`")
            continue
        for number, host in enumerate(hosts):
            if host in where:
                note((*path, "hosts", number), f"{host} is in `{where[host]}` too", "leave one out")
            where[host] = name
        most = kind.get("max_workers", 0 if name == tree["head_node_type"] else tree["max_workers"])
        if most > len(hosts):
            note(
                (*path[:-1], "max_workers"),
                f"{most} nodes of {len(hosts)} hosts: swarm would wait for one that never comes",
                f"`max_workers: {len(hosts)}`",
            )


def _volume(tree: Any, head: str, note: Note) -> None:
    """A journal in SQLite that goes with its machine is none."""
    commands = " ".join(texts(tree, "head_start_ray_commands"))
    if at(tree, "provider", "type") != "aws" or "SWARM_STORE_URL=" in commands:
        return
    path: Path = ("available_node_types", head, "node_config")
    mappings = items(tree, *path, "BlockDeviceMappings")
    kept = [at(one, "Ebs", "DeleteOnTermination") is False for one in mappings]
    if not any(kept):
        note(
            (*path, "BlockDeviceMappings") if mappings else path,
            "the journal would be gone with the head's disk",
            "`Ebs: {DeleteOnTermination: false}`, or SWARM_STORE_URL=postgresql://...",
        )
