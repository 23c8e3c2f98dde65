"""Lets answers that are being written finish before the old model is stopped."""

import asyncio

from spark_common.clock import Clock
from spark_common.contracts.traffic import Traffic
from spark_swapper import causes
from spark_swapper.causes import SwapFault
from spark_swapper.driving.attempt import Attempt
from spark_swapper.ports import ClientPath
from spark_swapper.runtime import Runtime
from spark_swapper.settings import SwapTimings

_DOOR_SECONDS = 2.0
"""A gateway has heard within this time that new requests are to be kept off."""
_DOOR_POLL_SECONDS = 0.1


class Draining:
    """Counts with the gateway, which knows every stream, and with the runtime itself.

    The larger number counts: one gateway of several knows only its own, and the runtime knows
    nothing of a request that is still being sent. When nobody says, nobody is waited for.
    """

    def __init__(
        self, runtime: Runtime, clients: ClientPath, timings: SwapTimings, clock: Clock
    ) -> None:
        self._runtime = runtime
        self._clients = clients
        self._timings = timings
        self._clock = clock

    async def run(self, attempt: Attempt) -> None:
        """Return when nobody is being answered, or at the end of the drain time when forced.

        Raises SwapFault when answers are still being written then, CancelRequested.
        """
        job = attempt.journal.job
        deadline = attempt.deadline(self._timings.drain_seconds)
        door_deadline = min(deadline, self._clock.monotonic() + _DOOR_SECONDS)
        while True:
            attempt.stop_if_cancelled()
            answers, door_closed = await self._look(job.id)
            now = self._clock.monotonic()
            if not answers and (door_closed or now >= door_deadline):
                return
            left = deadline - now
            if left <= 0:
                if answers and not job.force:
                    seconds = self._timings.drain_seconds
                    raise SwapFault(causes.still_answering(answers, seconds))
                return
            if answers:
                what = "1 answer" if answers == 1 else f"{answers} answers"
                await attempt.journal.note(f"Letting {what} finish, at most {left:.0f} s.")
            poll = self._timings.poll_seconds if answers else _DOOR_POLL_SECONDS
            await self._clock.sleep(min(poll, left))

    async def _look(self, swap_id: str) -> tuple[int, bool]:
        """Return how many answers are being written, and whether new ones are kept off."""
        answers, traffic = await answers_under_way(self._runtime, self._clients)
        return answers or 0, traffic is None or traffic.held_off_by == swap_id


async def answers_under_way(
    runtime: Runtime, clients: ClientPath
) -> tuple[int | None, Traffic | None]:
    """Return how many answers are being written, and what the gateway said of it.

    None when neither the gateway nor a runtime says.
    """
    traffic, told = await asyncio.gather(
        clients.traffic(),
        asyncio.gather(*(runtime.in_flight(host) for host in runtime.hosts)),
    )
    counts = [count for count in told if count is not None]
    if traffic is None:
        return (sum(counts) if counts else None), None
    return max(sum(counts), traffic.in_flight), traffic
