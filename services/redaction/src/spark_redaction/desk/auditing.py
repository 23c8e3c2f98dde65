"""Writes down what is done and tells it: nothing is answered that is not in the audit."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Final

import structlog

from spark_common.bus.port import Bus
from spark_common.clock import Clock
from spark_common.errors import SparkError, UnavailableError
from spark_common.events import RedactionAudited
from spark_common.ids import new_id
from spark_common.subjects import redaction_audit
from spark_redaction.vault.audit import Act
from spark_redaction.vault.vault import Vault

CALLER: ContextVar[str] = ContextVar("caller", default="")
"""Who asks in this request, as the gateway calls the key; empty for everybody else."""
Tell = Callable[[RedactionAudited], None]
_MOST_WAITING: Final = 1_000

log = structlog.get_logger()


class Auditor:
    """Watches what is done with one vault."""

    def __init__(self, vault: Vault, clock: Clock, tell: Tell = lambda _news: None) -> None:
        """``tell``: who hears of it; may not raise or take long."""
        self._vault = vault
        self._clock = clock
        self._tell = tell

    @asynccontextmanager
    async def watch(self, act: Act) -> AsyncIterator[Act]:
        """Write the act down when it is over, however it ended.

        Raises UnavailableError when one that went well cannot be written.
        """
        began = self._clock.monotonic()
        act.caller = CALLER.get()
        try:
            yield act
        except Exception as error:
            act.outcome = error.code if isinstance(error, SparkError) else SparkError.code
            await self._failed(act, began)
            raise
        self.measure(act, began)
        if not act.written:
            await self._vault.note(act, self._now())
        self._say(act)

    def measure(self, act: Act, began: float) -> None:
        """Note how long it took since a moment of the clock."""
        act.ms = round(1000 * (self._clock.monotonic() - began))

    async def _failed(self, act: Act, began: float) -> None:
        self.measure(act, began)
        try:
            await self._vault.note(act, self._now())
        except UnavailableError as error:
            log.warning("redaction.audit_not_written", reason=error.message)
        self._say(act)

    def _now(self) -> float:
        return self._clock.now().timestamp()

    def _say(self, act: Act) -> None:
        digest = self._vault.digest
        self._tell(
            RedactionAudited.model_validate({
                "action": act.action,
                "actor": act.actor,
                "outcome": act.outcome,
                "tenant": None if act.tenant is None else digest("tenant", act.tenant),
                "entity_set": None
                if act.entity_set is None
                else digest("set", f"{act.tenant}\0{act.entity_set}"),
                "profile": act.profile,
                "counts_at_most": _rounded(act.counts),
                "bytes_at_most": at_most(act.size),
                "ms": act.ms,
                "at": self._clock.now(),
            })
        )  # fmt: skip


def _rounded(counts: Mapping[str, int]) -> dict[str, int]:
    return {kind: at_most(count) for kind, count in counts.items()}


def at_most(number: int) -> int:
    """Return the power of ten that a number does not exceed, at least 10; 0 stays."""
    if number <= 0:
        return 0
    power = 10
    while power < number:
        power *= 10
    return power


class AuditNews:
    """Tells the bus, one after the other; what is too much, or comes without a bus, is dropped.

    The audit in the database has it all the same.
    """

    def __init__(self, bus: Bus) -> None:
        self._bus = bus
        self._waiting: asyncio.Queue[RedactionAudited] = asyncio.Queue(_MOST_WAITING)

    def __call__(self, news: RedactionAudited) -> None:
        """Take one down."""
        if not self._waiting.full():
            self._waiting.put_nowait(news)

    async def run(self) -> None:
        """Tell for ever."""
        while True:
            news = await self._waiting.get()
            try:
                await self._bus.publish(redaction_audit(news.action), news, id=new_id())
            except UnavailableError as error:
                log.debug("redaction.audit_not_told", reason=error.message)
