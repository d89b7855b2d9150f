"""The Dagster plug-in: runs, and with the executor each of their steps, run on swarm's workers.

`launcher.py` is the run launcher for `dagster.yaml`, `steps.py` the executor for definitions,
`process.py` what runs on swarm's worker.
"""
