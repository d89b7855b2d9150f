"""What `swarm doctor` looks at on the nodes of a Ray cluster: versions, and clocks."""

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from swarm.cli.installed import UNKNOWN
from swarm.cli.look import Look

if TYPE_CHECKING:
    from swarm.config import Settings

_ASK_S = 90.0
# Schedules and deadlines are by wall time; leases are not, so a second does no harm.
SKEW_S = 1.0


def of_nodes(settings: "Settings") -> Iterator[Look]:
    """Ask each node what it is; in a process of its own, which is a driver of the cluster."""
    program = "from swarm.bootstrap.nodes import tell_of_nodes; tell_of_nodes()"
    try:
        done = subprocess.run(
            [sys.executable, "-c", program],
            input=settings.model_dump_json(),
            capture_output=True,
            text=True,
            timeout=_ASK_S,
            check=False,
        )
    except subprocess.TimeoutExpired:
        why = f"{settings.ray_address} did not answer within {_ASK_S:.0f} s"
        yield Look("cluster", why, f"ray status --address {settings.ray_address}")
        return
    lines = done.stdout.strip().splitlines()
    if done.returncode or not lines:
        said = (done.stderr.strip().splitlines() or ["it ended without a word"])[-1]
        yield Look("cluster", said, f"ray status --address {settings.ray_address}")
        return
    yield from judged(json.loads(lines[-1]))


def judged(told: Mapping[str, Any]) -> Iterator[Look]:
    """What is wrong with nodes that tell this of themselves; `here` is what this machine has."""
    here, address = told["here"], told["address"]
    again = f"then there: ray stop && ray start --address={address}"
    if told["fault"]:
        look = f"ray status --address {address}"
        fix = f"{sys.executable} -m pip install 'ray=={told['theirs']}'" if told["theirs"] else look
        yield Look("cluster", told["fault"], fix)
    for node in told["nodes"]:
        what = f"node {node['name']}"
        if node["fault"]:
            fix = f"pip install {UNKNOWN}    # on it, of swarm {here['swarm']}; {again}"
            yield Look(what, node["fault"], fix)
            continue
        odd = [name for name in ("ray", "swarm", "python") if node[name] != here[name]]
        if odd:
            found = ", ".join(f"{name} {node[name]}, here {here[name]}" for name in odd)
            wanted = f"pip install 'ray=={here['ray']}' {UNKNOWN}"
            mine = f"on it, of swarm {here['swarm']}"
            if "python" in odd:
                wanted = f"uv venv --python {here['python']} && uv {wanted}"
            yield Look(what, found, f"{wanted}    # {mine}; {again}")
        elif abs(node["ahead_s"]) > SKEW_S:
            way = "ahead" if node["ahead_s"] > 0 else "behind"
            found = f"its clock is {abs(node['ahead_s']):.1f} s {way}"
            yield Look(what, found, "sudo chronyc makestep    # on it")
        else:
            yield Look(what, f"has the same versions, its clock is right to {SKEW_S:.0f} s")
