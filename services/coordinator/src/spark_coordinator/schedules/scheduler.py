"""The loop that makes schedules come due and carries their runs, in whichever process leads."""

import asyncio

import structlog

from spark_common.clock import Clock
from spark_common.errors import UnavailableError
from spark_common.tasks import end
from spark_coordinator.leading import Leadership
from spark_coordinator.schedules.carrying import Carrying
from spark_coordinator.schedules.dead_man import DeadMan
from spark_coordinator.schedules.firing import Firing
from spark_coordinator.schedules.hearing import Hearing
from spark_coordinator.schedules.tidying import Tidying

_LOOK_SECONDS = 0.5
_SET_BACK_SECONDS = 2.0
"""A wall clock that lost more than this against the other one was set back."""
_log = structlog.get_logger()


class Scheduler:
    """Looks twice a second while this process leads; two that look at once do no harm."""

    def __init__(
        self,
        *,
        leadership: Leadership,
        firing: Firing,
        carrying: Carrying,
        dead_man: DeadMan,
        hearing: Hearing,
        tidying: Tidying,
        clock: Clock,
    ) -> None:
        self._leadership = leadership
        self._firing = firing
        self._carrying = carrying
        self._dead_man = dead_man
        self._hearing = hearing
        self._tidying = tidying
        self._clock = clock
        self._ears: asyncio.Task[None] | None = None
        self._offset: float | None = None
        """Wall clock minus the other one, when it was last right; None before the first look."""
        self._problem: str | None = None

    async def run(self) -> None:
        """Look for ever."""
        try:
            while True:
                await self.turn()
                await self._clock.sleep(_LOOK_SECONDS)
        finally:
            await self._let_go()

    async def turn(self) -> None:
        """Look once if this process leads, else make sure that nothing is worked on here."""
        if not self._leadership.leads:
            await self._let_go()
            return
        try:
            await self._lead()
        except UnavailableError as error:
            if error.message != self._problem:
                _log.warning("schedule.unseen", reason=error.message)
            self._problem = error.message
        except Exception:
            # One record that cannot be read must not end the lease and everything else here.
            _log.exception("schedule.look_broke")
        else:
            self._problem = None

    async def _lead(self) -> None:
        if self._ears is None or self._ears.done():
            self._ears = asyncio.create_task(self._hearing.run())
        await self._realign_if_set_back()
        for run in await self._firing.look():
            if run.kind == "outside":
                await self._dead_man.credit_early(run)
        await self._carrying.keep_up()
        await self._dead_man.close_windows(self._hearing.is_caught_up)
        await self._tidying.look()

    async def _realign_if_set_back(self) -> None:
        offset = self._clock.now().timestamp() - self._clock.monotonic()
        if self._offset is None or offset < self._offset - _SET_BACK_SECONDS:
            await self._firing.realign()
        self._offset = offset

    async def _let_go(self) -> None:
        ears, self._ears, self._offset = self._ears, None, None
        if ears is not None:
            await end([ears])
        await self._carrying.let_go()
