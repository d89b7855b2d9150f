"""What swarm needs of the commands of a file for `ray up`, and of what it opens to whom."""

import re
from typing import Any

from swarm.capacity.clusterfile import started
from swarm.capacity.clusterfile.groups import is_ours, is_spot
from swarm.capacity.clusterfile.located import Note, Path, at, entries, items, texts

_HEAD = "head_start_ray_commands"
_WORKER = "worker_start_ray_commands"
_OPTION = re.compile(r"--(dashboard-host|http-host)[= ](\S+)")
_UP, _NOTICES = "swarm up", "SWARM_WORKER__NOTICES"
_TELLING = ("aws", "gcp")  # ahead, that a machine on spot ends
_ANYBODY = ("0.0.0.0/0", "::/0")


def check(tree: Any, note: Note) -> None:
    """Of a file for `ray up`, which Ray's own schema fits."""
    head, worker = texts(tree, _HEAD), texts(tree, _WORKER)
    _head(head, note)
    _worker(worker, note)
    for key, commands in ((_HEAD, head), (_WORKER, worker)):
        for number, command in enumerate(commands):
            _bound(command, (key, number), note)
    if not any(started.GUARD in command for command in head):
        note(
            (_HEAD,),
            "nothing clears the fleet when swarm is gone: its nodes would stay",
            f"a command `nohup python -m {started.GUARD} ... &` after `ray start`",
        )
    mounted = [remote for remote, _ in entries(tree, "file_mounts")]
    told = any("RAY_AUTH_TOKEN" in command for command in head + worker)
    if not told and not any(remote.endswith(".ray/auth_token") for remote in mounted):
        note(
            ("file_mounts",),
            "the nodes have no token in common, and refuse one another",
            "`/home/USER/.ray/auth_token: ~/.ray/auth_token`; `ray get-auth-token --generate`",
        )
    _notices(tree, head, note)
    _group(tree, note)


def _head(commands: list[str], note: Note) -> None:
    number = _starts(commands, "--head")
    if number is None:
        note((_HEAD,), "no `ray start --head`", "add it, as in cluster/aws.yaml")
        return
    command, path = commands[number], (_HEAD, number)
    environ = started.assigned(command)
    started.token(environ, path, note)
    started.health(environ, path, note)
    started.niceness(environ, path, note)
    started.unwanted(environ, path, note)
    if "--autoscaling-config" not in command:
        note(
            path,
            "no node would ever be started",
            "--autoscaling-config=~/ray_bootstrap_config.yaml",
        )
    if environ.get("RAY_enable_autoscaler_v2", "1") in ("0", "false"):
        note(path, "Ray's first autoscaler ignores labels", "RAY_enable_autoscaler_v2=1")
    if "RAY_REDIS_ADDRESS" not in environ:
        note(
            path,
            "a restart of Ray's head would be the end of all nodes and actors",
            "RAY_REDIS_ADDRESS=HOST:PORT of a Redis",
        )


def _worker(commands: list[str], note: Note) -> None:
    number = _starts(commands, "--address")
    if number is None:
        note((_WORKER,), "no `ray start --address=$RAY_HEAD_IP:6379`", "add it")
        return
    environ = started.assigned(commands[number])
    started.token(environ, (_WORKER, number), note)
    started.niceness(environ, (_WORKER, number), note)


def _notices(tree: Any, head: list[str], note: Note) -> None:
    """Whom workers on spot ask whether their machine goes away. What else starts swarm, and its
    settings, are not in the file."""
    cloud = at(tree, "provider", "type")
    kinds = [kind for _, kind in entries(tree, "available_node_types") if is_ours(kind)]
    if cloud not in _TELLING or not any(is_spot(kind) for kind in kinds):
        return
    for number, command in enumerate(head):
        if _UP in command and started.assigned(command).get(_NOTICES) != cloud:
            note(
                (_HEAD, number),
                "that a machine on spot goes away is not noticed before it is gone",
                f"`{_NOTICES}={cloud} {_UP}`",
            )


def _starts(commands: list[str], option: str) -> int | None:
    fitting = (
        n for n, command in enumerate(commands) if "ray start" in command and option in command
    )
    return next(fitting, None)


def _bound(command: str, path: Path, note: Note) -> None:
    """What listens to more than this machine."""
    for option, host in _OPTION.findall(command):
        if host not in started.LOOPBACK:
            note(path, f"--{option} {host} is open to the network", f"--{option}=127.0.0.1")
    host = started.assigned(command).get("SWARM_API__HOST", started.LOOPBACK[0])
    if host not in started.LOOPBACK:
        note(
            path,
            f"swarm's API on {host} sends its token over the network in the clear",
            "leave SWARM_API__HOST out; `ray attach FILE -p 8642` leads there",
        )


def _group(tree: Any, note: Note) -> None:
    """Which ports of the cloud's firewall are open to anybody."""
    path: Path = ("provider", "security_group", "IpPermissions")
    for number, rule in enumerate(items(tree, *path)):
        ranges = [at(one, "CidrIp") for one in items(rule, "IpRanges")]
        ranges += [at(one, "CidrIpv6") for one in items(rule, "Ipv6Ranges")]
        if any(one in _ANYBODY for one in ranges):
            ports = f"{at(rule, 'FromPort')}-{at(rule, 'ToPort')}"
            note((*path, number), f"ports {ports} are open to anybody", "name your own network")
