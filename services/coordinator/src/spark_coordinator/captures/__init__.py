"""Captured bodies: in a file of their own, for a bounded time, and then gone."""
