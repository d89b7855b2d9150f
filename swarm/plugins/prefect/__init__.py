"""The Prefect plug-in: flow runs of a work pool of type `swarm` run on swarm's workers.

`worker.py` is the worker type that Prefect finds by its entry point; `supervisor.py` is what runs
on swarm's worker around each flow run. Neither module is imported here: the supervisor must start
without waiting for Prefect.
"""
