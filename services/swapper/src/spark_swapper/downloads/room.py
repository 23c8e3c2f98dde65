"""Room on the disks: what stays reserved, what running downloads still need, what is too much."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from spark_common.contracts.downloads import DownloadPlace
from spark_common.contracts.swaps import Cause
from spark_swapper.downloads import words
from spark_swapper.downloads.checking import Checked
from spark_swapper.downloads.record import DownloadJob

RESERVE_BYTES = 10_000_000_000
"""What has to stay free on a Spark's disk: docker, logs and the system need it."""
STOP_BYTES = RESERVE_BYTES // 2
"""A download that finds less is stopped."""
_GROWING = frozenset({"absent", "partial", "running"})


class Room:
    """Knows what the living downloads still need.

    Who decides whether a download fits holds ``deciding`` until that is in its record: two that
    begin at once must not both be given the same bytes.
    """

    def __init__(self, living: Callable[[], Awaitable[Sequence[DownloadJob]]]) -> None:
        """``living`` returns the downloads that are not over."""
        self._living = living
        self.deciding = asyncio.Lock()

    async def needed_beside(self, repo: str) -> Mapping[str, int]:
        """Return per host what the downloads of other repositories still need, in bytes.

        Raises UnavailableError.
        """
        folded = repo.casefold()
        return still_needed(job for job in await self._living() if job.repo.casefold() != folded)


def still_needed(jobs: Iterable[DownloadJob]) -> Mapping[str, int]:
    """Return per host what is still to be written, as far as sizes are known. In bytes."""
    needed: Counter[str] = Counter()
    for job in jobs:
        for place in job.places:
            if place.state in _GROWING and place.free_bytes is not None:
                # Not total less done: old partial files count as done, and are no help.
                after = place.free_after_bytes
                needed[place.host] += place.free_bytes - after if after is not None else 0
    return needed


def with_room(checked: Checked, others: Mapping[str, int]) -> Checked:
    """Add what will be free on each Spark, and the reason when that is too little.

    ``others``: bytes per host that are promised to other downloads.
    """
    whole = {host: facts.measure.whole_bytes for host, facts in (checked.facts or {}).items()}
    places, cause = [], checked.cause
    for place in checked.places:
        if place.host in whole and place.state != "ready":
            place = _measured(place, checked.repo_bytes, whole[place.host], others[place.host])
            cause = cause or (space_cause(place.problem) if place.problem else None)
        places.append(place)
    return replace(checked, places=tuple(places), cause=cause)


def _measured(place: DownloadPlace, size: int | None, whole: int, others: int) -> DownloadPlace:
    free = place.free_bytes
    missing = max(0, size - whole) if size is not None else None
    problem = None
    if free is not None and free - (missing or 0) - others < RESERVE_BYTES:
        problem = no_room(place.label, missing, free, others)
    after = free - missing if free is not None and missing is not None else None
    changed = {
        "total_bytes": size,
        "free_after_bytes": after,
        "problem": place.problem or problem,
    }
    return place.model_copy(update=changed)


def no_room(label: str, missing: int | None, free: int, others: int = 0) -> str:
    """Say with numbers why something does not fit."""
    needed = f"{words.size(missing)} are needed and " if missing is not None else ""
    promised = f" and {words.size(others)} are for other downloads" if others else ""
    return (
        f"{label} has not enough room: {needed}{words.size(free)} are free, of which "
        f"{words.size(RESERVE_BYTES)} stay reserved{promised}."
    )


def space_cause(problem: str) -> Cause:
    """Return the cause of a download that does not fit."""
    action = "Delete a model that is not needed, then press Download again."
    return Cause(code="no_space", sentence=problem, action=action)
