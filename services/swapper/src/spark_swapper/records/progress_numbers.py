"""Where the numbering of a swap's progress events stands."""

from pydantic import ValidationError

from spark_common.bus.port import Bus
from spark_common.errors import UnavailableError
from spark_common.events import SwapProgress
from spark_common.subjects import swap_progress


async def last_number(bus: Bus, swap_id: str) -> int:
    """Return the number of the last event that was told, 0 for none or when nobody says.

    A worker that was killed may have told more than it recorded.
    """
    try:
        message = await bus.last_message("SC_PROGRESS", swap_progress(swap_id))
        if message is None or message.envelope is None:
            return 0
        return SwapProgress.model_validate(message.envelope.data).n
    except (UnavailableError, ValidationError):
        return 0
