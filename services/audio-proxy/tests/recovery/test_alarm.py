"""A voice server that fails is looked at, once a minute at most."""

from spark_audio_proxy.recovery.alarm import Alarm
from spark_audio_proxy.testing.recovering import MemoryHealth
from spark_common.errors import UnavailableError
from spark_common.testing.clock import FakeClock


class Nobody(MemoryHealth):
    async def order_check(self, episode: str, reason: str) -> None:
        raise UnavailableError("the event bus does not answer")


async def test_many_failures_are_one_check_a_minute() -> None:
    health, clock = MemoryHealth(), FakeClock()
    alarm = Alarm(health, clock)
    for _ in range(20):
        alarm.ring()
    await clock.advance(59)
    alarm.ring()
    await clock.advance(1)
    assert len(health.orders) == 1
    alarm.ring()
    await clock.advance(1)
    assert len(set(health.orders)) == 2
    await alarm.close()


async def test_without_a_bus_nothing_else_fails() -> None:
    clock = FakeClock()
    alarm = Alarm(Nobody(), clock)
    alarm.ring()
    await clock.advance(1)
    await alarm.close()
