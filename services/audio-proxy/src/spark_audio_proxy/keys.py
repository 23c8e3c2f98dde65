"""Every key of audio-proxy in Redis."""

PERMITS = "sc:audio:permits"
"""Sorted set: calls that are under way at the GPU of speech, by their end."""
PERMIT_HEADS = "sc:audio:permits:heads"
"""Hash by replica: who is first in its line."""
STANDING = "sc:audio:standing"
"""JSON: how the speech server stands, while it is not simply ready."""


def wedges(culprit: str) -> str:
    """Number: how often a recording broke the speech server; ``culprit``: its SHA-256."""
    return f"sc:audio:wedges:{culprit}"
