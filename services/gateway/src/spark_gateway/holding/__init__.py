"""Requests that wait for a model: one that a swap is loading, or one that they ask for."""
