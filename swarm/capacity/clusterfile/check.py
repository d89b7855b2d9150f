"""Everything that is wrong with a cluster file."""

from collections.abc import Mapping
from typing import Any

from swarm.capacity.clusterfile import commands, groups, kubernetes, schema
from swarm.capacity.clusterfile.located import Document, Finding, documents
from swarm.errors import InputError


def check(text: str) -> list[Finding]:
    """By line: of a file for `ray up`, or of the RayService and RayCluster among the documents of
    one for Kubernetes. Raises `InputError` for what is neither."""
    found = [document for document in documents(text) if document.tree is not None]
    ours = [document for document in found if _checked(document)]
    if not ours:
        raise InputError(
            "no cluster: neither a file for `ray up` (`cluster_name`, `provider`) nor a RayService "
            "or RayCluster of KubeRay."
        )
    return sorted(finding for document in ours for finding in document.findings)


def described(text: str) -> Mapping[str, Any]:
    """The cluster of a file in which nothing is wrong, in the form of one for `ray up`."""
    for document in documents(text):
        tree = document.tree
        if isinstance(tree, Mapping) and tree.get("kind") in kubernetes.KINDS:
            return kubernetes.as_ray_sees_it(tree)
        if isinstance(tree, Mapping) and "available_node_types" in tree:
            return tree
    raise InputError("no node types in it.")


def _checked(document: Document) -> bool:
    tree = document.tree
    if not isinstance(tree, Mapping):
        return False
    if tree.get("kind") in kubernetes.KINDS:
        kubernetes.check(document)
        return True
    if not {"cluster_name", "provider", "available_node_types"} & tree.keys():
        return False
    if groups.scales(tree, document.note) and schema.fits(document):
        groups.check(tree, document.note)
        commands.check(tree, document.note)
    return True
