"""swarm: a control plane above the orchestrators a data team already runs."""

__version__ = "0.1.0"
