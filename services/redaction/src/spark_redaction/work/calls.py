"""The calls that the service hands to a worker process and never makes itself.

What they need is read by the workers alone: it is seven megabytes.
"""

from typing import Any

from spark_redaction.scrub import Entry, Report
from spark_redaction.work.orders import RehydrateWork, ScrubDone, ScrubWork


def scrub(work: ScrubWork) -> ScrubDone:
    """Scrub; raises one of the errors of orders."""
    from spark_redaction.work import jobs

    return jobs.scrub(work)


def prose(work: ScrubWork) -> str:
    """Return everything that would be scrubbed as one text, as the recognisers see it."""
    from spark_redaction.work import jobs

    return jobs.prose(work)


def rehydrate(work: RehydrateWork) -> tuple[Any, Report]:
    """Rehydrate; raises BudgetSpentError, UnfitError, WorkFailedError."""
    from spark_redaction.work import jobs

    return jobs.rehydrate(work)


def verify(text: str, entries: tuple[Entry, ...], budget_seconds: float) -> list[str]:
    """Return the types of the values that survive in a text."""
    from spark_redaction.work import jobs

    return jobs.verify(text, entries, budget_seconds)
