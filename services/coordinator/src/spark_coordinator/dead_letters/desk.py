"""Answers which messages no worker could handle, from the advisories that the server stored."""

import asyncio
import json
from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from spark_common.bus import wire
from spark_common.bus.port import Bus, StoredMessage
from spark_common.contracts.dead_letters import DeadLetter, DeadLetters, ListDeadLetters
from spark_common.errors import UnavailableError
from spark_coordinator.dead_letters.advice import action, sentence
from spark_coordinator.printable import printable

_STREAM = "SC_DLQ"
_AT_ONCE = 10
_LONGEST_REASON = 200


class _Advisory(BaseModel):
    """What the server says of a message that it will not deliver again."""

    model_config = ConfigDict(extra="ignore")

    stream: str
    consumer: str
    stream_seq: int
    deliveries: int = 0
    reason: str = ""
    timestamp: datetime | None = None


class DeadLetterDesk:
    """Reads at every question: there is nothing to remember."""

    def __init__(self, bus: Bus) -> None:
        self._bus = bus

    async def list(self, request: ListDeadLetters) -> DeadLetters:
        """Return the newest ones before a number. Raises UnavailableError."""
        _, first, last = await self._bus.bounds(_STREAM)
        number = last if request.before is None else min(request.before - 1, last)
        letters: list[DeadLetter] = []
        while number >= max(first, 1) and len(letters) < request.limit:
            lowest = max(first, number - min(_AT_ONCE, request.limit - len(letters)) + 1, 1)
            found = await asyncio.gather(
                *(self._letter(each) for each in range(number, lowest - 1, -1))
            )
            letters += [letter for letter in found if letter is not None]
            number = lowest - 1
        older = number + 1 if number >= max(first, 1) else None
        return DeadLetters(letters=letters, older_before=older)

    async def _letter(self, number: int) -> DeadLetter | None:
        noted = await self._bus.message_at(_STREAM, number)
        advisory = _read(noted)
        if noted is None or advisory is None:
            return None
        message = await self._message(advisory)
        why: Literal["given_up", "refused"] = (
            "given_up" if ".MAX_DELIVERIES." in noted.subject else "refused"
        )
        at = advisory.timestamp or noted.stored_at
        if at is None:
            return None
        return DeadLetter(
            number=number,
            at=at,
            stream=advisory.stream,
            consumer=advisory.consumer,
            why=why,
            sentence=sentence(
                advisory.stream,
                advisory.consumer,
                why,
                advisory.deliveries,
                _printable(advisory.reason),
            ),
            action=action(advisory.stream, advisory.consumer, why),
            deliveries=advisory.deliveries,
            message_number=advisory.stream_seq,
            subject=message.subject if message is not None else None,
            message_id=_id_of(message),
        )

    async def _message(self, advisory: _Advisory) -> StoredMessage | None:
        try:
            return await self._bus.message_at(advisory.stream, advisory.stream_seq)
        except UnavailableError:
            # A stream that is not ours, or that is gone: the letter is shown without its message.
            return None


def _read(noted: StoredMessage | None) -> _Advisory | None:
    if noted is None:
        return None
    try:
        return _Advisory.model_validate(json.loads(noted.payload))
    except (ValueError, ValidationError):
        return None


def _id_of(message: StoredMessage | None) -> str | None:
    """Return the id by which its sender knows it; never anything of what it says."""
    if message is None:
        return None
    named = message.envelope.id if message.envelope is not None else None
    found = named or message.headers.get(wire.MESSAGE_ID)
    return _printable(found) if found else None


def _printable(text: str) -> str:
    return printable(text)[:_LONGEST_REASON].strip().rstrip(".")
