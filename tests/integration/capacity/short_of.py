"""Ray's node provider for tests, of an account that a quota keeps from some types of nodes, as its
cluster file names them: `"provider": {"refused": {type: what is said}}`."""

from typing import Any

from ray.autoscaler._private.fake_multi_node.node_provider import FakeMultiNodeProvider
from ray.autoscaler.node_launch_exception import NodeLaunchException
from ray.autoscaler.tags import TAG_RAY_USER_NODE_TYPE


class ShortOf(FakeMultiNodeProvider):  # type: ignore[misc]
    """Answers as AWS does through Ray's own provider for it."""

    def create_node_with_resources_and_labels(
        self, node_config: Any, tags: dict[str, str], count: int, resources: Any, labels: Any
    ) -> None:
        kind = tags[TAG_RAY_USER_NODE_TYPE]
        if (said := self.provider_config["refused"].get(kind)) is not None:
            code, _, words = said.partition(": ")
            raise NodeLaunchException(code, words, None)
        super().create_node_with_resources_and_labels(node_config, tags, count, resources, labels)
