"""Places at the GPU for voice calls."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Final

from spark_audio_proxy.permits.permits import Permits
from spark_audio_proxy.permits.ports import Ask
from spark_audio_proxy.problems import SpeechError
from spark_common.clock import Clock

_SECONDS_A_LETTER: Final = 0.07
_LEASE_SECONDS: Final = 120.0
"""A piece is spoken by then, or given up."""
_ROUNDS: Final = 60
_REST_SECONDS: Final = 1.0


class Turns:
    """Asks for permits in the name of one caller."""

    def __init__(self, permits: Permits, clock: Clock, client: str) -> None:
        self._permits = permits
        self._clock = clock
        self._client = client
        self._asked = False
        self.first_waited_seconds = 0.0
        """For how long the first piece stood in line."""

    @asynccontextmanager
    async def turn(self, text: str) -> AsyncIterator[None]:
        """Wait for a place and have it. Whoever is cancelled leaves the line.

        Raises ``queue_full`` for the first piece only: somebody who hears the beginning already
        is not sent away.
        """
        first, self._asked = not self._asked, True
        ask = Ask(
            "speaking",
            "interactive",
            self._client,
            len(text) * _SECONDS_A_LETTER,
            _LEASE_SECONDS,
        )
        async with AsyncExitStack() as held:
            for left in reversed(range(_ROUNDS)):
                try:
                    permit = await held.enter_async_context(self._permits.permit(ask))
                    if first:
                        self.first_waited_seconds = permit.waited_seconds
                    break
                except SpeechError as error:
                    if error.code != "queue_full" or first or not left:
                        raise
                await self._clock.sleep(_REST_SECONDS)
            yield
