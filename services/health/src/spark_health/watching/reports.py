"""What apps tell of a service: kept, counted and shown, never believed over a look of our own."""

import json
from collections import deque
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Final

import structlog
from pydantic import ValidationError

from spark_common.bus.port import Bus, Duplicate, Stored, StoredMessage
from spark_common.clock import Clock
from spark_common.contracts.health import PassiveReport, Reported, ReportHealth, ReportTaken
from spark_common.errors import UnavailableError
from spark_common.events import HealthReport
from spark_common.ids import new_id
from spark_common.subjects import HEALTH_REPORT
from spark_health.watching import numbers

_STREAM: Final = "SC_PROBES"
_MOST: Final = 5_000
SHOWN: Final = 100
_MOST_SERVICES: Final = 50
_MOST_ERROR: Final = 1000
_log = structlog.get_logger()

_ALIASES: Final = {
    "vllm": ("llm", "model", "chat"),
    "parakeet": ("stt", "asr", "speech", "whisper", "transcription", "speech-to-text"),
    "kokoro": ("tts", "voice", "text-to-speech"),
    "magpie": ("magpie-tts",),
    "embeddings": ("embedding", "embed"),
    "qdrant": ("vectors", "vector", "vectordb"),
}


def target_named(service: str, known: Iterable[str]) -> str | None:
    """Return the target that an app means, in whatever words apps have for it."""
    word = "-".join(service.lower().replace("_", " ").split())
    names = set(known)
    if word in names:
        return word
    meant = next((name for name, words in _ALIASES.items() if word in words), None)
    return meant if meant in names else None


Heard = Callable[[str | None, HealthReport, datetime], None]


def unheard(_: str | None, __: HealthReport, ___: datetime) -> None:
    """Do nothing more."""


class Reports:
    """Takes reports from the bus, whichever door they came through."""

    def __init__(
        self,
        bus: Bus,
        clock: Clock,
        targets: Callable[[], Iterable[str]],
        heard: Heard = unheard,
    ) -> None:
        """``heard`` is told each report as it is read, with the target it means."""
        self._heard = heard
        self._bus = bus
        self._clock = clock
        self._targets = targets
        self._rows: deque[PassiveReport] = deque(maxlen=_MOST)
        self._began = clock.now()

    async def run(self) -> None:
        """Read for ever, from what is kept."""
        async for message in self._bus.tail(_STREAM, (HEALTH_REPORT,), after_seq=0):
            self.add(message)

    async def put(self, request: ReportHealth) -> ReportTaken:
        """Store a report. Raises UnavailableError when the bus does not take it."""
        report_id = new_id()
        facts = request.model_dump()
        if request.error is not None:
            # The end of a traceback says what went wrong.
            facts["error"] = request.error[-_MOST_ERROR:]
        report = HealthReport(**facts)
        result = await self._bus.publish_durable(HEALTH_REPORT, report, id=report_id)
        if not isinstance(result, Stored | Duplicate):
            raise UnavailableError("the report was not stored; send it again in a moment")
        return ReportTaken(id=report_id, target=target_named(request.service, self._targets()))

    def add(self, message: StoredMessage) -> None:
        """Take one in; junk is left out."""
        try:
            body = message.envelope.data if message.envelope else json.loads(message.payload)
            report = HealthReport.model_validate(body)
        except (ValueError, ValidationError):
            _log.info("health.report_unreadable", seq=message.seq)
            return
        at = message.stored_at or self._clock.now()
        target = target_named(report.service, self._targets())
        self._rows.append(
            PassiveReport(
                id=message.envelope.id if message.envelope else f"{message.stream}:{message.seq}",
                service=report.service,
                target=target,
                ok=report.ok,
                source=report.source,
                error=report.error,
                ms=report.ms,
                at=at,
            )
        )
        if at >= self._began:
            numbers.reported(target, report.ok)
            self._heard(target, report, at)

    def newest(self, since: datetime, target: str | None) -> list[PassiveReport]:
        """Return the newest reports, at most a hundred."""
        return self._since(since, target)[:SHOWN]

    def counted(self, since: datetime, target: str | None) -> list[Reported]:
        """Return how often each service was reported, the most often first; at most fifty."""
        found: dict[str, Reported] = {}
        for row in reversed(self._since(since, target)):
            name = row.target or row.service
            before = found.get(name, Reported(service=name))
            if row.ok:
                change = {"ok": before.ok + 1, "last_ok_at": row.at}
            else:
                change = {
                    "failed": before.failed + 1,
                    "last_failed_at": row.at,
                    "last_error": row.error,
                }
            found[name] = before.model_copy(update=change)
        most = sorted(found.values(), key=lambda one: (-(one.ok + one.failed), one.service))
        return most[:_MOST_SERVICES]

    def _since(self, since: datetime, target: str | None) -> list[PassiveReport]:
        known = set(self._targets())
        rows = []
        for row in reversed(self._rows):
            if row.at < since:
                continue
            # The name may have become that of a target only after it was told.
            about = row.target or target_named(row.service, known)
            if target is None or about == target:
                rows.append(row.model_copy(update={"target": about}))
        return rows
