"""Asking for what cannot be had just now, until it can."""

from collections.abc import Awaitable, Callable
from typing import TypeVar

from spark_common.errors import HostKeyChangedError, UnavailableError
from spark_common.jobs import JobJournal
from spark_swapper.downloads.record import DownloadJob

Answer = TypeVar("Answer")


async def patiently(
    journal: JobJournal[DownloadJob],
    seconds: float,
    ask: Callable[[], Awaitable[Answer]],
    waits: str,
) -> Answer | None:
    """Ask until there is an answer or somebody cancels (None); every ``seconds`` again.

    What waiting cannot mend is raised: any SparkError but those of a part that is away.
    """
    while journal.cancelled_by is None:
        try:
            return await ask()
        except HostKeyChangedError:
            raise
        except UnavailableError as error:
            await journal.note(f"{waits}: {error.message}.")
        await journal.pause(seconds)
    return None
