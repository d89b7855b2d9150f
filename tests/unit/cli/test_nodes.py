"""What `swarm doctor` says of nodes that tell of themselves."""

import pytest

from swarm.cli.nodes import judged

HERE = {"ray": "2.60.0", "swarm": "1.0", "python": "3.12"}


def of_a_node(**more):
    return {"name": "n1", "fault": "", **HERE, "ahead_s": 0.0} | more


@pytest.mark.parametrize(
    ("node", "found", "fix"),
    [
        (of_a_node(), "has the same versions", ""),
        (of_a_node(ahead_s=0.9), "has the same versions", ""),
        (of_a_node(ahead_s=-3.2), "3.2 s behind", "sudo chronyc makestep"),
        (of_a_node(ray="2.59.0"), "ray 2.59.0, here 2.60.0", "pip install 'ray==2.60.0' CHECKOUT"),
        (
            of_a_node(python="3.11"),
            "python 3.11, here 3.12",
            "uv venv --python 3.12 && uv pip install",
        ),
        (
            of_a_node(fault="No module named 'swarm'"),
            "No module",
            "pip install CHECKOUT    # on it, of swarm 1.0",
        ),
    ],
)
def test_a_node_that_is_not_like_the_others_is_told(node, found, fix):
    told = {"address": "h:6379", "here": HERE, "fault": "", "theirs": "", "nodes": [node]}
    (look,) = judged(told)
    assert look.what == "node n1"
    assert found in look.found
    assert look.fix.startswith(fix)
    assert bool(look.fix) == bool(fix)


def test_a_cluster_of_another_version_is_told_before_its_nodes():
    told = {"address": "h:6379", "here": HERE, "fault": "Version mismatch", "theirs": "2.59.0"}
    (look,) = judged(told | {"nodes": []})
    assert look.found == "Version mismatch"
    assert look.fix.endswith("-m pip install 'ray==2.59.0'")


def test_a_cluster_that_does_not_answer_is_told_with_how_to_look_at_it():
    told = {"address": "h:6379", "here": HERE, "fault": "no answer", "theirs": "", "nodes": []}
    (look,) = judged(told)
    assert look.fix == "ray status --address h:6379"
