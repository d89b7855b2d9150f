"""Where the tests keep what takes long to make: the orchestrators' environments."""

from pathlib import Path

LAB = Path(__file__).parents[2] / ".lab"
ENVIRONMENTS = LAB / "envs"
