"""Every key of audio-proxy in Redis."""

import hashlib

PERMITS = "sc:audio:permits"
"""Sorted set: calls that are under way at the GPU of speech, by their end."""
PERMIT_HEADS = "sc:audio:permits:heads"
"""Hash by replica: who is first in its line."""
STANDING = "sc:audio:standing"
"""JSON: how the speech server stands, while it is not simply ready."""


def wedges(culprit: str) -> str:
    """Number: how often a recording broke the speech server; ``culprit``: its SHA-256."""
    return f"sc:audio:wedges:{culprit}"


def jobs(tenant: str) -> str:
    """Sorted set of the ids of a tenant's jobs, by the time at which they were taken on.

    Tenants are named by whatever they show; no part of that is in a key.
    """
    return f"sc:audio:jobs:{hashlib.sha256(tenant.encode()).hexdigest()[:32]}"


def job(job_id: str) -> str:
    """JSON of one job, without its result."""
    return f"sc:audio:job:{job_id}"


def job_result(job_id: str) -> str:
    """JSON of what a job found; gone after an hour, or when its job is deleted."""
    return f"sc:audio:job:{job_id}:result"
