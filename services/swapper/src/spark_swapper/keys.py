"""Every Redis key the swapper reads or writes, built here; those of the lease are in common."""

from spark_common.leasing.keys import FENCE

LIVE = "sc:swap:live"
"""Sorted set of the ids that are not over, by time of admission: the running one and the queue."""

INDEX = "sc:swap:index"
"""Sorted set of the latest ids, by time of admission."""

CURRENT = "sc:swap:current"
"""Id of the swap in execution."""

FENCE_SWAPPER = "sc:fence:swapper"
"""Counter of worker starts; never deleted, never reset."""

FENCE_LOCK = FENCE
"""Counter of leases, written by the coordinator.

The swapper only ever lifts it to what the Sparks have seen, after Redis lost its disk: below that
every swap would be refused as out of date.
"""

DEGRADED = "sc:runtime:degraded"
"""Hash: repository of the loaded model whose answers are gibberish, and how they look."""


def swap(swap_id: str) -> str:
    """Hash of one swap: record, revision, writer, phase, body_sha256, cancelled_by."""
    return f"sc:swap:{swap_id}"


def swap_times(model: str) -> str:
    """List of the latest durations of successful swaps to a model, in seconds, newest first."""
    return f"sc:swap:times:{model}"


def pair_times(previous: str | None, model: str) -> str:
    """Likewise, of the swaps to a model from one other, or from nothing.

    Keys of models have no slash, so two pairs never share a key.
    """
    return f"sc:swap:times:{previous or ''}/{model}"


def model_test(model: str) -> str:
    """The latest test or load of a model, for 90 days."""
    return f"sc:model:test:{model}"


def model_quarantine(model: str) -> str:
    """Why a model may not be loaded; stays until a person clears it."""
    return f"sc:model:quarantine:{model}"


def last_look(host: str) -> str:
    """Hash of what a Spark said last (30 days): version, record, seen_at."""
    return f"sc:menu:look:{host}"


def deleting(repo: str) -> str:
    """Who deletes a repository from disk just now; expires by itself when that process died."""
    return f"sc:disk:deleting:{repo.casefold()}"
