"""Being found on the bus, as soon as there is one."""

import asyncio
from collections.abc import Callable, Sequence

from spark_common.bus.port import Bus, Serving
from spark_common.clock import Clock
from spark_common.errors import UnavailableError
from spark_common.service import ReadyCheck, answer_about
from spark_common.service.about import service_version

NAME = "audio-proxy"
_DESCRIPTION = "Speech routes in front of the speech containers"
_RETRY_SECONDS = 0.5


async def announce(
    bus: Bus,
    clock: Clock,
    verbs: Sequence[Serving],
    checks: Sequence[ReadyCheck],
    warnings: Callable[[], Sequence[str]],
) -> None:
    """Answer for audio-proxy on the bus, for ever, once the bus is there."""
    about = answer_about(NAME, checks, clock, warnings)
    while True:
        try:
            await bus.serve(NAME, service_version(NAME), _DESCRIPTION, (about, *verbs))
            break
        except UnavailableError:
            await clock.sleep(_RETRY_SECONDS)
    await asyncio.Event().wait()
