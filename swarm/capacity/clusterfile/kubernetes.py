"""What swarm needs of a RayService or a RayCluster of KubeRay, and what Ray makes of its groups.

Ray's own conversion of the groups is run. KubeRay's schema is not at hand: `kubectl apply
--dry-run=server` asks it.
"""

import logging
from collections.abc import Mapping
from typing import Any

import yaml
from ray.autoscaler._private.kuberay.autoscaling_config import (
    _derive_autoscaling_config_from_ray_cr as converted,
)

from swarm.capacity.clusterfile import started
from swarm.capacity.clusterfile.groups import labels
from swarm.capacity.clusterfile.located import (
    Document,
    Note,
    Path,
    at,
    entries,
    items,
)

KINDS = ("RayService", "RayCluster")


def check(document: Document) -> None:
    """Note what is wrong with it."""
    tree, note = document.tree, document.note
    root = _root(tree)
    spec = at(tree, *root)
    if not isinstance(spec, Mapping):
        note(root[:1], f"no `{root[-1]}`", "describe the cluster there")
        return
    if not _converts(tree, root, note):
        return
    _cluster(spec, root, note)
    _head(spec, root, note)
    for number, group in enumerate(spec["workerGroupSpecs"]):
        _group(group, (*root, "workerGroupSpecs", number), note)
    if tree["kind"] == "RayService":
        _service(tree, spec, note)


def as_ray_sees_it(tree: Any) -> Mapping[str, Any]:
    """Ray's own conversion. Raises what comes up where it cannot be converted."""
    names = {"name": "swarm", "namespace": "default"} | dict(entries(tree, "metadata"))
    logging.getLogger(converted.__module__).setLevel(logging.ERROR)
    found: Mapping[str, Any] = converted({"metadata": names, "spec": at(tree, *_root(tree))})
    return found


def _root(tree: Any) -> Path:
    return ("spec",) if tree["kind"] == "RayCluster" else ("spec", "rayClusterConfig")


def _converts(tree: Any, root: Path, note: Note) -> bool:
    try:
        as_ray_sees_it(tree)
    except KeyError as error:
        note(root, f"Ray needs `{error.args[0]}` here, or in one of its groups", f"add {error}")
    except (ValueError, TypeError, AttributeError, IndexError, AssertionError) as error:
        note(root, f"Ray refuses it: {error or type(error).__name__}", "see KubeRay's samples")
    else:
        return True
    return False


def _cluster(spec: Any, root: Path, note: Note) -> None:
    if at(spec, "authOptions", "mode") != "token":
        fix = "`authOptions: {mode: token}`; KubeRay 1.5.1 makes the token"
        note((*root, "authOptions"), "whoever reaches Ray may run programs on it", fix)
    if not at(spec, "rayVersion"):
        note(root, "KubeRay refuses a token without it", '`rayVersion: "2.60.0"`')
    if at(spec, "enableInTreeAutoscaling") is not True:
        fix = "`enableInTreeAutoscaling: true`"
        note((*root, "enableInTreeAutoscaling"), "no node would ever be started", fix)
    if at(spec, "autoscalerOptions", "version") != "v2":
        note((*root, "autoscalerOptions"), "Ray's first autoscaler ignores labels", "`version: v2`")
    autoscaler: Path = (*root, "autoscalerOptions")
    started.unwanted(_environ(at(spec, "autoscalerOptions")), autoscaler, note)
    if not at(spec, "gcsFaultToleranceOptions"):
        note(
            (*root, "gcsFaultToleranceOptions"),
            "a restart of Ray's head would be the end of all nodes and actors",
            "`gcsFaultToleranceOptions: {redisAddress: HOST:PORT}`",
        )


def _head(spec: Any, root: Path, note: Note) -> None:
    head: Path = (*root, "headGroupSpec")
    group = at(spec, "headGroupSpec")
    cpus = at(group, "resources", "CPU") or at(group, "rayStartParams", "num-cpus")
    if str(cpus) != "0":
        note(head, "the head would run work beside swarm's journal", '`resources: {CPU: "0"}`')
    pod: Path = (*head, "template", "spec")
    container = at(group, "template", "spec", "containers", 0)
    environ = _environ(container)
    path: Path = (*pod, "containers", 0, "env")
    started.health(environ, path, note)
    started.niceness(environ, path, note)
    words = " ".join(map(str, [*(items(container, "command")), *(items(container, "args"))]))
    if started.GUARD not in words:
        note(
            (*pod, "containers", 0),
            "nothing clears the fleet when swarm is gone: its nodes would stay",
            f"run `python -m {started.GUARD}` beside Ray, with the annotation "
            '`ray.io/overwrite-container-cmd: "true"`',
        )
    claims = [
        at(one, "persistentVolumeClaim") for one in items(group, "template", "spec", "volumes")
    ]
    if not any(claims) and "SWARM_STORE_URL" not in environ:
        note(
            (*pod, "volumes"),
            "the journal would be gone with the pod",
            "a volume with a `persistentVolumeClaim` at SWARM_STATE_DIR, or SWARM_STORE_URL",
        )


def _group(group: Any, path: Path, note: Note) -> None:
    labels(str(at(group, "groupName")), dict(entries(group, "labels")), (*path, "labels"), note)
    pod = at(group, "template", "spec")
    started.niceness(
        _environ(at(pod, "containers", 0)),
        (*path, "template", "spec", "containers", 0, "env"),
        note,
    )
    if at(pod, "restartPolicy") not in (None, "Never"):
        note(
            (*path, "template", "spec", "restartPolicy"),
            "KubeRay refuses it with autoscaler v2",
            "`restartPolicy: Never`",
        )


def _service(tree: Any, spec: Any, note: Note) -> None:
    if at(tree, "spec", "upgradeStrategy", "type") != "None":
        note(
            ("spec", "upgradeStrategy"),
            "an upgrade would start a second swarm beside this one, on the same journal",
            "`upgradeStrategy: {type: None}`",
        )
    text = at(tree, "spec", "serveConfigV2")
    try:
        serve = yaml.safe_load(text) if isinstance(text, str) else None
    except yaml.YAMLError:
        serve = None
    if not isinstance(serve, dict):
        note(
            ("spec", "serveConfigV2"), "no YAML with keys", "`http_options:` and `applications: []`"
        )
        return
    ports = items(spec, "headGroupSpec", "template", "spec", "containers", 0, "ports")
    open_at = [at(one, "containerPort") for one in ports if at(one, "name") == "serve"]
    if open_at != [at(serve, "http_options", "port")]:
        note(
            ("spec", "serveConfigV2"),
            f"Serve is told port {at(serve, 'http_options', 'port')}, the head's port `serve` is "
            f"{open_at[0] if open_at else 'missing'}",
            "`http_options: {host: 0.0.0.0, port: 8642}` and the same port of the container",
        )


def _environ(container: Any) -> dict[str, str]:
    return {str(at(one, "name")): str(at(one, "value") or "") for one in items(container, "env")}
