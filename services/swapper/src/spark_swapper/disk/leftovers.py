"""Removes what interrupted deletions left on the Sparks, whenever a look shows some."""

from collections.abc import Callable, Sequence

import structlog

from spark_common.clock import Clock
from spark_common.errors import SparkError
from spark_common.remote import RemoteShell
from spark_swapper.disk.order import DELETE_SECONDS, read_cleared, sweep_command
from spark_swapper.menu.hosts import Sight

EVERY_SECONDS = 300.0
log = structlog.get_logger()


class Leftovers:
    """A slow loop that costs nothing while there is nothing to remove."""

    def __init__(
        self,
        sights: Callable[[], Sequence[Sight]],
        shell: RemoteShell,
        clock: Clock,
        image: str,
        container: str,
    ) -> None:
        self._sights = sights
        self._shell = shell
        self._clock = clock
        self._command = sweep_command(image, container)

    async def run(self) -> None:
        """Look for ever."""
        while True:
            await self._clock.sleep(EVERY_SECONDS)
            await self.sweep()

    async def sweep(self) -> None:
        """Remove what the last looks showed; never raises for what a Spark does."""
        for sight in self._sights():
            if not sight.fresh or sight.look is None or not sight.look.leftovers:
                continue
            host = sight.spark.name
            try:
                cleared = read_cleared(
                    await self._shell.run(host, self._command, timeout_seconds=DELETE_SECONDS)
                )
            except SparkError as error:
                log.warning("disk.not_swept", host=host, reason=error.message)
                continue
            log.info("disk.swept", host=host, freed=cleared.swept_bytes)
