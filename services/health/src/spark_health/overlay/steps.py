"""Each step of a job on the speech container: done again harmlessly wherever a kill cut it off."""

from collections.abc import Awaitable, Callable

import structlog

from spark_common.bus.port import Bus
from spark_common.clock import Clock
from spark_common.contracts.swaps import Cause
from spark_common.errors import SparkError
from spark_common.events import ServiceAction
from spark_common.remote import RemoteResult
from spark_common.remote.detached import StepLook
from spark_common.subjects import SERVICE_ACTION
from spark_health.overlay import causes
from spark_health.overlay.record import OverlayRecord
from spark_health.overlay.server import Said
from spark_health.overlay.source import Shipped
from spark_health.overlay.spark import SpeechSpark
from spark_health.overlay.target import Target
from spark_health.overlay.waiting import Journal, Waiting

_log = structlog.get_logger()
_READY_SECONDS = 1200.0
"""The first start downloads the models of the diarizer."""
_STARTS = 3
"""So often started again, a container will not come up by itself."""
_GONE = frozenset({"exited", "dead", "created", "removing"})


class Steps:
    """What the story of a job is made of. Each returns why it went wrong, or nothing."""

    def __init__(
        self,
        spark: SpeechSpark,
        ask: Callable[[str], Awaitable[Said]],
        waiting: Waiting,
        bus: Bus,
        clock: Clock,
        poll_seconds: Callable[[], float],
    ) -> None:
        self.spark = spark
        self.waiting = waiting
        self._ask = ask
        self._bus = bus
        self._clock = clock
        self._poll_seconds = poll_seconds

    async def said(self, record: OverlayRecord) -> Said:
        """Return what the server says of itself."""
        return await self._ask(Target(record.address, record.port, record.container, None).url)

    async def stage(self, journal: Journal, shipped: Shipped) -> Cause | None:
        """Take our files to the Spark."""
        return await self._done(journal, lambda: self.spark.stage(journal.record, shipped))

    async def run(self, journal: Journal, mode: str) -> Cause | None:
        """Carry out a mode of the script that may be repeated."""
        return await self._done(journal, lambda: self.spark.run(journal.record, mode))

    async def restart(self, journal: Journal, step: str) -> Cause | None:
        """Restart the container, once by this job under this name, and see that it was done."""
        record = journal.record

        async def look() -> StepLook:
            return await self.spark.restart(record, step)

        while True:
            seen = await self.waiting.until_answered(journal, look)
            if seen.state in ("ended", "lost"):
                break
            await self._clock.sleep(self._poll_seconds())
        text = seen.log.decode(errors="replace")
        fault = None
        if seen.state == "lost":
            sentence = f"The restart on {record.label} was cut off, probably by a restart there."
            fault = causes.plain("interrupted", sentence)
        elif seen.exit_code != 0:
            fault = causes.of_ending(record, seen.exit_code, text)
        await self._tell(record, step, fault)
        return fault

    async def ready(self, journal: Journal, *, cancellable: bool = True) -> Cause | None:
        """Wait until the server says that it is ready, with the files that it is to have."""
        record = journal.record
        wanted = record.hashes if record.action == "reapply" and record.undoing is None else {}
        deadline = self._clock.monotonic() + _READY_SECONDS
        while True:
            said = await self.said(record)
            if said.ready and (not wanted or dict(said.running) == dict(wanted)):
                return None
            fault = await self._broken(journal, said)
            if fault is not None:
                return fault
            if self._clock.monotonic() > deadline:
                problem = said.health.problem or "it still loads its models"
                return causes.plain("deadline", f"Speech was not ready in time: {problem}")
            if not cancellable:
                await self._clock.sleep(self._poll_seconds())
            elif await journal.pause(self._poll_seconds()):
                return causes.cancelled(journal.cancelled_by or "someone")

    async def _broken(self, journal: Journal, said: Said) -> Cause | None:
        """Return why waiting is in vain, if it is."""
        record, health = journal.record, said.health
        if health.state == "failed":
            return causes.plain("not_ready", f"The speech server cannot be used: {health.problem}")
        if health.state != "away":
            return None
        try:
            sight = await self.spark.look_again(record)
            if sight.status is None:
                return causes.of_ending(record, 71, "")
            count = sight.restart_count or 0
            if count < _STARTS and sight.status not in _GONE:
                return None
            lines = await self.spark.last_words(record)
        except SparkError:
            return None
        sentence = f"{record.container} on {record.label} ends as soon as it is started."
        return causes.plain("ends_at_once", sentence, lines=lines)

    async def _done(
        self, journal: Journal, ask: Callable[[], Awaitable[RemoteResult]]
    ) -> Cause | None:
        result = await self.waiting.until_answered(journal, ask)
        fault = causes.of_result(journal.record, result)
        lines = result.stdout.splitlines() if fault is None else fault.evidence
        if lines:
            await journal.note(lines=lines)
            await journal.adopt(lines=journal.record.with_lines(list(lines)))
        return fault

    async def _tell(self, record: OverlayRecord, step: str, fault: Cause | None) -> None:
        event = ServiceAction(
            service="parakeet",
            host=record.host,
            action="restart",
            container=record.container,
            requested_by=record.requested_by,
            reason=f"speech overlay: {record.action}",
            ok=fault is None,
            message=fault.sentence if fault is not None else "",
            at=self._clock.now(),
        )
        try:
            await self._bus.publish_durable(SERVICE_ACTION, event, id=f"{record.id}:{step}")
        except SparkError as error:
            _log.warning("overlay.restart_untold", job_id=record.id, why=error.message)
