"""The desk's questions on the bus."""

import json
from collections.abc import Sequence

import structlog

from spark_common.bus.port import Serving
from spark_common.contracts.redaction import (
    REHYDRATE_TEXT,
    SCRUB_TEXT,
    RedactionAnswer,
    RehydrateText,
    ScrubText,
)
from spark_common.errors import SparkError, TooLargeError
from spark_redaction.desk.desk import Desk
from spark_redaction.desk.questions import RehydrateQuestion, ScrubQuestion
from spark_redaction.web.bodies import checked

log = structlog.get_logger()


class TextVerbs:
    """Scrub and rehydrate as over HTTP, with the same limits."""

    def __init__(self, desk: Desk, most_bytes: int) -> None:
        self._desk = desk
        self._most = most_bytes

    def verbs(self) -> Sequence[Serving]:
        """What is answered on the bus."""
        return [Serving(SCRUB_TEXT, self.scrub), Serving(REHYDRATE_TEXT, self.rehydrate)]

    async def scrub(self, request: ScrubText) -> RedactionAnswer:
        """Hide what is personal."""
        size = self._size(request)
        question = checked(request.question, ScrubQuestion)
        try:
            answer = await self._desk.scrub(request.tenant, question, size, "bus")
        except SparkError:
            raise
        except Exception as error:
            raise _broke(error) from None
        return RedactionAnswer(answer=answer)

    async def rehydrate(self, request: RehydrateText) -> RedactionAnswer:
        """Put it back."""
        size = self._size(request)
        question = checked(request.question, RehydrateQuestion)
        try:
            answer = await self._desk.rehydrate(request.tenant, question, size, request.asked_by)
        except SparkError:
            raise
        except Exception as error:
            raise _broke(error) from None
        return RedactionAnswer(answer=answer)

    def _size(self, request: ScrubText | RehydrateText) -> int:
        size = len(json.dumps(request.question))
        if size > self._most:
            raise TooLargeError(f"the question is longer than {self._most} bytes")
        return size


def _broke(error: Exception) -> SparkError:
    """By its name alone: a message may quote what was sent."""
    log.error("redaction.failed", error=type(error).__name__)
    return SparkError("something went wrong here; nothing is returned")
