"""A handler of Serve that answers from memory, beside swarm's and in its Ray.

In a process of its own, as Ray reads its environment when it is imported: `python -m
benchmarks.api_bare STATE_DIR PREFIX ANSWERS` prints a line when it answers, and ends with its
input.
ANSWERS is a file of JSON: the texts by the last part of their paths.
"""

import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

from swarm.bootstrap.cluster import ALONE, ray_environment
from swarm.config import Settings


class Bare:
    """Does nothing but look the answer up."""

    def __init__(self, answers: Mapping[str, str]) -> None:
        self._answers = {path: text.encode() for path, text in answers.items()}

    async def __call__(self, request: Request) -> Response:
        path = request.url.path.rpartition("/")[2]
        query = f"?{request.url.query}" if request.url.query else ""
        return Response(self._answers[path + query], media_type="application/json")


def main() -> None:
    state_dir, prefix, answers = Path(sys.argv[1]), sys.argv[2], Path(sys.argv[3])
    os.environ.update({**ray_environment(Settings(state_dir=state_dir)), ALONE[0]: ALONE[1]})
    import ray
    from ray import serve

    up = json.loads((state_dir / "up.json").read_text())
    ray.init(up["ray"], namespace="bare", log_to_driver=False)
    deployment = serve.deployment(
        Bare,
        name="bare",
        ray_actor_options={"num_cpus": 0},
        max_ongoing_requests=1_000,
        logging_config={"enable_access_log": False, "log_level": "WARNING"},
    )
    serve.run(deployment.bind(json.loads(answers.read_text())), name="bare", route_prefix=prefix)
    print("it answers", flush=True)  # whoever began this reads it
    sys.stdin.read()
    serve.delete("bare")


if __name__ == "__main__":
    main()
