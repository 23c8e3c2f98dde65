"""The highest number of a lease that was told: Redis may lose its disk, or get an old one back."""

from spark_common.bus.port import Bus
from spark_common.subjects import lock_event

_STREAM = "SC_LEASE_EVT"
_WORDS = ("acquired", "granted", "freed")


async def told_before(bus: Bus) -> int:
    """Return the highest epoch that was ever told of. Raises UnavailableError: no guess.

    What the Sparks have seen beyond it is added by the swapper at its start.
    """
    latest = 0
    for word in _WORDS:
        message = await bus.last_message(_STREAM, lock_event(word))
        if message is not None and message.envelope is not None:
            told = message.envelope.data.get("epoch")
            latest = max(latest, told if isinstance(told, int) else 0)
    return latest
