"""The edges: Redis, SSH and HTTP."""
