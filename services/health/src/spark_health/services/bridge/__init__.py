"""The Matrix bridge: a bot in a container that is updated from its checkout."""
