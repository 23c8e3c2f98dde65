"""What went wrong on a Spark, as the cause of a job's end."""

from collections.abc import Awaitable, Callable

from spark_common.contracts.swaps import Cause
from spark_common.errors import RemoteCommandError, UnavailableError


async def fault_of(
    steps: Awaitable[Cause | None], plain: Callable[[str, str], Cause]
) -> Cause | None:
    """Await the steps of a job; return what they say went wrong, or what a Spark raised.

    ``plain`` makes a cause of a code and a sentence.
    """
    try:
        return await steps
    except RemoteCommandError as error:
        return plain("refused", f"{error.message}.")
    except UnavailableError as error:
        return plain("host_unreachable", f"{error.message}.")
