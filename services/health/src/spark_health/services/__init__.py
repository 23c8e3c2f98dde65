"""The services that are always on, and their containers."""
