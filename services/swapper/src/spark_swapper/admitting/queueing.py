"""How a swap that waits is shown: with its place in the queue."""

from collections.abc import Sequence

from spark_common.contracts.swaps import Phase, SwapView
from spark_swapper.records.jobs import SwapJob


def waiting_view(job: SwapJob, live: Sequence[SwapJob]) -> SwapView:
    """Return a swap as everybody sees it; ``live`` are the swaps that are not over, oldest first.

    Only one that waits behind others has a place.
    """
    view = job.view()
    ids = [other.id for other in live]
    before = ids.index(job.id) if job.id in ids else 0
    if job.phase is not Phase.QUEUED or not before:
        return view
    others = "1 swap is" if before == 1 else f"{before} swaps are"
    message = f"Waiting for its turn: {others} before it."
    return view.model_copy(update={"queue_position": before, "message": message})
