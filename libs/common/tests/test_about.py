"""Every service tells the truth about itself on the bus."""

from importlib.metadata import version

import pytest

from spark_common.contracts.about import GetAbout, about_rpc
from spark_common.errors import UnavailableError
from spark_common.service import ReadyCheck, bus_check, streams_check, unready_reasons
from spark_common.service.compose import compose
from spark_common.testing import FakeClock, MemoryBroker, MemoryBus


class Nobody:
    """A Redis that is always there, for a service that keeps nothing in it."""

    def __init__(self) -> None:
        self.closed = False

    async def ping(self) -> bool:
        return True

    async def aclose(self) -> None:
        self.closed = True


async def test_about_says_since_when_and_why_it_is_not_ready() -> None:
    clock, broker, redis = FakeClock(), MemoryBroker(), Nobody()
    reasons: list[str] = []

    async def mood() -> str | None:
        return reasons[0] if reasons else None

    began = clock.now()
    service = await compose(
        "health",
        "an example",
        MemoryBus("health", broker),
        redis,  # type: ignore[arg-type]
        clock,
        checks=[ReadyCheck("mood", mood)],
    )
    asker = MemoryBus("gateway", broker)
    await clock.advance(100)
    about = await asker.call(about_rpc("health"), GetAbout())
    assert (about.name, about.version, about.started_at) == (
        "health",
        version("spark-health"),
        began,
    )
    assert (about.ready, about.reasons) == (True, [])

    reasons.append("grumpy")
    about = await asker.call(about_rpc("health"), GetAbout())
    assert (about.ready, about.reasons) == (False, ["mood: grumpy"])

    await service.close()
    assert redis.closed
    assert await asker.discover() == []


async def test_the_bus_is_a_reason_while_it_is_away() -> None:
    broker = MemoryBroker()
    bus = MemoryBus("health", broker)
    assert await unready_reasons([bus_check(bus), streams_check(bus)]) == []
    broker.down()
    assert await unready_reasons([bus_check(bus), streams_check(bus)]) == [
        "nats: the event bus does not answer",
        "streams: unknown while the event bus is away",
    ]
    broker.up()
    del broker.streams["SC_PROGRESS"]
    assert await unready_reasons([bus_check(bus), streams_check(bus)]) == [
        "streams: not there yet: SC_PROGRESS"
    ]


async def test_a_start_that_fails_closes_what_it_was_given() -> None:
    broker, redis = MemoryBroker(), Nobody()
    broker.down()
    with pytest.raises(UnavailableError):
        await compose(
            "health",
            "an example",
            MemoryBus("health", broker),
            redis,  # type: ignore[arg-type]
            FakeClock(),
        )
    assert redis.closed


async def test_about_tells_which_settings_fell_back() -> None:
    broker, warnings = MemoryBroker(), ["VLLM_PORT is blank; the default is used"]
    await compose(
        "health",
        "an example",
        MemoryBus("health", broker),
        Nobody(),  # type: ignore[arg-type]
        FakeClock(),
        warnings=lambda: warnings,
    )
    about = await MemoryBus("gateway", broker).call(about_rpc("health"), GetAbout())
    assert about.warnings == warnings
