"""Readiness: named questions that are asked anew each time, never remembered as green."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass

import structlog

from spark_common.bus.port import Bus
from spark_common.bus.streams import STREAMS, StreamSpec
from spark_common.errors import SparkError

_TIMEOUT_SECONDS = 2.0

log = structlog.get_logger()


@dataclass(frozen=True)
class ReadyCheck:
    """A question with a name; the answer is None when all is well, else one plain sentence."""

    name: str
    ask: Callable[[], Awaitable[str | None]]


async def unready_reasons(checks: Sequence[ReadyCheck]) -> list[str]:
    """Ask all checks at once; return ``name: sentence`` for each that is not well."""
    answers = await asyncio.gather(*(_answer(check) for check in checks))
    return [answer for answer in answers if answer is not None]


async def _answer(check: ReadyCheck) -> str | None:
    try:
        async with asyncio.timeout(_TIMEOUT_SECONDS):
            reason = await check.ask()
    except TimeoutError:
        reason = f"no answer within {_TIMEOUT_SECONDS:g} s"
    except SparkError as error:
        reason = error.message
    except Exception:
        log.exception("service.check_broken", check=check.name)
        reason = "the check itself is broken; see the log"
    return None if reason is None else f"{check.name}: {reason}"


def bus_check(bus: Bus) -> ReadyCheck:
    """Not ready while the bus is away, or once it has refused us a subject we need."""

    async def ask() -> str | None:
        health = bus.health()
        if not health.connected:
            return health.last_error or "the event bus does not answer"
        # Other trouble heals by itself; a missing permission would only show as timeouts.
        return health.refused

    return ReadyCheck("nats", ask)


def refusals_check(bus: Bus) -> ReadyCheck:
    """Not ready once the bus has refused us a subject; for who works without the bus as well."""

    async def ask() -> str | None:
        return bus.health().refused

    return ReadyCheck("nats", ask)


def streams_check(bus: Bus, streams: Iterable[StreamSpec] = STREAMS) -> ReadyCheck:
    """Not ready until every stream exists; the coordinator creates them."""
    names = [spec.name for spec in streams]

    async def ask() -> str | None:
        if not bus.health().connected:
            return "unknown while the event bus is away"
        found = await asyncio.gather(*(bus.bounds(name) for name in names), return_exceptions=True)
        missing = [
            name
            for name, answer in zip(names, found, strict=True)
            if isinstance(answer, BaseException)
        ]
        return f"not there yet: {', '.join(missing)}" if missing else None

    return ReadyCheck("streams", ask)
