"""Turns how a load ended into what the card says about the model. Pure."""

from spark_common.contracts.models import LastTest
from spark_common.contracts.plans import Verdict
from spark_common.contracts.swaps import Phase
from spark_swapper.records.jobs import SwapJob

_LOADED = frozenset({Phase.LAUNCHING, Phase.LOADING, Phase.WARMING})
_NOT_ITS_FAULT = frozenset(
    {"ssh_timeout", "host_unreachable", "host_key_changed", "stale_epoch", "interrupted", "poison"}
)
"""Causes that say nothing about the model."""


def load_result(job: SwapJob) -> LastTest | None:
    """Return what a swap that is over says about its model; None when it never was loaded."""
    at = job.finished_at
    if at is None:
        return None
    if job.phase is Phase.READY:
        if job.entered_at(Phase.LAUNCHING) is None:
            return None
        seconds = sum(mark.seconds or 0.0 for mark in job.phases if mark.phase in _LOADED)
        sentence = f"It loaded in {seconds:.0f} s and answered."
        return LastTest(kind="load", verdict="good", sentence=sentence, at=at)
    if job.phase is Phase.CANCELLED or job.cause is None or job.failed_in not in _LOADED:
        return None
    verdict: Verdict = "unknown" if job.cause.code in _NOT_ITS_FAULT else "bad"
    return LastTest(kind="load", verdict=verdict, sentence=job.cause.sentence, at=at)
