"""What a node says of itself, for `swarm doctor`."""

import platform

import ray

from swarm import __version__
from swarm.clock import SystemClock


class NodeTeller:
    """Lives on a node for a moment."""

    def tell(self) -> dict[str, str | float]:
        """The versions there, and what its clock says."""
        return {
            "ray": ray.__version__,
            "swarm": __version__,
            "python": ".".join(platform.python_version_tuple()[:2]),
            "at_s": SystemClock().now_s(),
        }
