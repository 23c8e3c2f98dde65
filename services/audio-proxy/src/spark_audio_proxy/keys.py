"""Every key of audio-proxy in Redis."""

PERMITS = "sc:audio:permits"
"""Sorted set: calls that are under way at the GPU of speech, by their end."""
PERMIT_HEADS = "sc:audio:permits:heads"
"""Hash by replica: who is first in its line."""
