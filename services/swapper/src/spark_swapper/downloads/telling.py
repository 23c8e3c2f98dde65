"""From bytes on a disk to what the record says: places, percent, speed, time left."""

from typing import Any

from spark_swapper.downloads.record import DownloadJob
from spark_swapper.downloads.sparks import Measure
from spark_swapper.downloads.speed import Speed

_ALMOST = 99.9


def moved(record: DownloadJob, target: str, there: Measure, speed: Speed) -> dict[str, Any]:
    """Return the facts that new bytes on ``target`` change.

    ``eta_seconds`` is for all that is still to come on every host. During the fetch it is None
    when copies follow: how fast those will be is not known before the first of them runs.
    """
    left = max(0, record.repo_bytes - there.bytes) if record.repo_bytes else None
    free = there.free_bytes
    places = record.placed(
        target,
        state="running",
        done_bytes=there.bytes,
        total_bytes=record.repo_bytes,
        free_bytes=free,
        free_after_bytes=free - left if free is not None and left is not None else None,
    )
    done = sum(place.done_bytes for place in places)
    facts: dict[str, Any] = {
        "places": places,
        "done_bytes": done,
        "bytes_per_second": round(speed.bytes_per_second) if speed.bytes_per_second else None,
        "percent": None,
        "eta_seconds": None,
    }
    if record.repo_bytes:
        total = record.repo_bytes * len(record.hosts)
        facts["percent"] = round(min(_ALMOST, 100.0 * done / total), 1)
        facts["eta_seconds"] = speed.eta_seconds(_all_left(record, target, left))
    return facts


def _all_left(record: DownloadJob, target: str, left: int | None) -> int | None:
    """Return what is still to come at the speed of this step; None when a part has another."""
    later = [place for place in record.places if place.host != target and place.state != "ready"]
    if left is None or (later and target == record.source):
        return None
    return left + sum(max(0, (record.repo_bytes or 0) - place.done_bytes) for place in later)
