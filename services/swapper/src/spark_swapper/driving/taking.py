"""Taking what is delivered, one after the other, for ever."""

from collections.abc import Awaitable, Callable

import structlog

from spark_common.bus.port import Bus, Delivery

_log = structlog.get_logger()


async def take(
    bus: Bus,
    stream: str,
    durable: str,
    handle: Callable[[Delivery], Awaitable[None]],
    *,
    broke: str,
    again_seconds: float,
) -> None:
    """Hand each delivery to ``handle``; one that breaks it is logged as ``broke`` and comes again.

    ``handle`` settles what it could do. No delivery ends the loop: the next one may be sound.
    """
    async for delivery in bus.work(stream, durable):
        try:
            await handle(delivery)
        except Exception:
            _log.exception(broke, attempt=delivery.attempt)
            await delivery.retry(again_seconds)
