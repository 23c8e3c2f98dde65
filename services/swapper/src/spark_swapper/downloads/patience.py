"""Giving an order to a Spark that may not take it just now."""

from collections.abc import Awaitable, Callable

from spark_common.errors import HostKeyChangedError, UnavailableError
from spark_common.jobs import JobJournal
from spark_swapper.downloads.record import DownloadJob


async def patiently(
    journal: JobJournal[DownloadJob],
    seconds: float,
    order: Callable[[], Awaitable[None]],
    waits: str,
) -> None:
    """Give an order until it is taken or somebody cancels; every ``seconds`` again.

    What waiting cannot mend is raised: any SparkError but those of a part that is away.
    """
    while journal.cancelled_by is None:
        try:
            await order()
        except HostKeyChangedError:
            raise
        except UnavailableError as error:
            await journal.note(f"{waits}: {error.message}.")
        else:
            return
        await journal.pause(seconds)
