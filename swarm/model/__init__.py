"""Values that every other part of swarm speaks in: frozen, comparable, without behaviour."""
