"""What runs inside an orchestrator's own environment: the standard library and that orchestrator,
nothing else of swarm. It talks HTTP to swarm's API."""
