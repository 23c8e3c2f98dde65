"""Why a model may not be deleted now, as sentences for its owner."""

from collections.abc import Iterable

from spark_common.contracts.models import RuntimeView
from spark_common.contracts.swaps import Phase
from spark_swapper.menu.menu import Title
from spark_swapper.recipes.local_path import is_path
from spark_swapper.records.jobs import SwapJob

_TWO_MINUTES = "cancel the download, or wait two minutes after it stopped"


def blockers(title: Title, runtime: RuntimeView, live: Iterable[SwapJob]) -> list[str]:
    """Return one sentence per reason; empty when nothing speaks against it. Pure."""
    swaps = list(live)
    moving = any(job.phase is not Phase.QUEUED for job in swaps)
    return [
        *_local(title),
        *_loaded(title, runtime, moving),
        *_swaps(title, swaps),
        *_downloads(title),
    ]


def is_local(title: Title) -> bool:
    """Say whether a model lies in a folder of its own, which is its owner's."""
    return is_path(title.repo) or any(place.copy.local for place in title.places)


def _local(title: Title) -> list[str]:
    if not is_local(title):
        return []
    return [f"{title.name} is a local model: its folder is yours to remove, on the Spark itself."]


def _loaded(title: Title, runtime: RuntimeView, moving: bool) -> list[str]:
    same_name = runtime.model is None and runtime.served_name == title.served_name
    if runtime.model == title.key or same_name:
        return [f"{title.name} is loaded: switch to another model first."]
    if runtime.state == "starting" and not moving:
        # No swap of ours: only vLLM itself knows what it loads, and it does not answer yet.
        where = f" ({runtime.detail})" if runtime.detail else ""
        return [f"A model is starting{where}: wait until it serves, then delete."]
    return []


def _swaps(title: Title, live: Iterable[SwapJob]) -> list[str]:
    found = []
    for job in live:
        if title.key == job.model:
            waits = "waits in the queue" if job.phase is Phase.QUEUED else "is going on"
            found.append(f"A swap to {title.name} {waits}: cancel it first.")
        elif title.key == job.previous or title.served_name == job.previous_name:
            found.append(
                f"A swap away from {title.name} is not over, and may have to bring it back: "
                "wait for it."
            )
    return found


def _downloads(title: Title) -> list[str]:
    labels = [
        place.sight.spark.label for place in title.places if place.copy.state == "downloading"
    ]
    if not labels:
        return []
    return [f"{title.name} is being downloaded on {' and '.join(labels)}: {_TWO_MINUTES}."]
