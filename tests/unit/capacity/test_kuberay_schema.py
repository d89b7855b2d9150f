"""The file for Kubernetes against KubeRay's own schema, which is not shipped here: with the path of
its `ray.io_rayservices.yaml` in `KUBERAY_CRD` this runs, else it is skipped."""

import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from jsonschema import Draft202012Validator

CRD = os.environ.get("KUBERAY_CRD", "")
FILE = Path(__file__).parents[3] / "cluster" / "kuberay" / "rayservice.yaml"

pytestmark = pytest.mark.skipif(not CRD, reason="KUBERAY_CRD names no schema of KubeRay")


def strict(schema: Any) -> None:
    """As a server that refuses fields it does not know, in JSON Schema's words."""
    if isinstance(schema, dict):
        if schema.get("x-kubernetes-int-or-string"):
            schema.pop("anyOf", None)
            schema.pop("pattern", None)
            schema["type"] = ["integer", "string"]
        open_ = schema.get("x-kubernetes-preserve-unknown-fields")
        if isinstance(schema.get("properties"), dict) and not open_:
            schema.setdefault("additionalProperties", False)
    for part in schema.values() if isinstance(schema, dict) else schema:
        if isinstance(part, dict | list):
            strict(part)


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    text = Path(CRD).read_text(encoding="utf-8")
    versions = yaml.load(text, yaml.CSafeLoader)["spec"]["versions"]
    (found,) = (one["schema"]["openAPIV3Schema"] for one in versions if one["name"] == "v1")
    strict(found)
    found["properties"]["metadata"] = {"type": "object"}
    return dict(found)


def faults(schema: dict[str, Any], tree: Any) -> list[str]:
    return [
        f"{'.'.join(map(str, one.absolute_path))}: {one.message[:200]}"
        for one in Draft202012Validator(schema).iter_errors(tree)
    ]


def test_what_ships_is_a_rayservice(schema: dict[str, Any]) -> None:
    assert faults(schema, yaml.safe_load(FILE.read_text(encoding="utf-8"))) == []


def test_a_field_that_kuberay_does_not_know_is_found(schema: dict[str, Any]) -> None:
    tree = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    tree["spec"]["rayClusterConfig"]["authOption"] = {"mode": "token"}
    tree["spec"]["rayClusterConfig"]["workerGroupSpecs"][0]["maxReplicas"] = "many"
    second, first = sorted(faults(schema, tree))
    assert "authOption" in first
    assert "many" in second
