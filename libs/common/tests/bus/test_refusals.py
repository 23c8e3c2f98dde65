"""A refused subject: red with the reason while it goes on, green again when it does not."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime

import pytest

from spark_common.bus.nats import NatsBus, connect_bus
from spark_common.bus.port import Refused, Serving, Stored
from spark_common.bus.refusals import CALM_SECONDS, Refusals
from spark_common.bus.steward import Steward
from spark_common.clock import SystemClock
from spark_common.contracts.swaps import LIST_SWAPS, ListSwaps, Swaps
from spark_common.embedded import NatsServer
from spark_common.errors import UnavailableError
from spark_common.events import MenuChanged
from spark_common.service import bus_check, refusals_check, unready_reasons
from spark_common.testing import MemoryBus
from spark_common.testing.wait import until

PUBLISH = 'nats: permissions violation for publish to "swap.complete.a"'
LISTEN = 'nats: Permissions Violation for Subscription to "rpc.swapper.x" using queue "swapper"'
NEWS = MenuChanged(reason="test")


class TestWhatCounts:
    def test_a_publication_counts_until_it_was_calm_for_long_enough(self) -> None:
        refusals = Refusals()
        assert refusals.newest(0.0) is None
        refusals.note(PUBLISH, 10.0)
        assert refusals.newest(10.0 + CALM_SECONDS) == PUBLISH.removeprefix("nats: ")
        assert refusals.newest(10.1 + CALM_SECONDS) is None

    def test_what_was_refused_before_says_nothing_of_what_is_sent_now(self) -> None:
        """A right that came back: an answer that is late then may well be a stored message."""
        refusals = Refusals()
        refusals.note(PUBLISH, 10.0)
        assert refusals.publishing("swap.complete.a", since=10.0)
        assert not refusals.publishing("swap.complete.a", since=10.1)

    def test_it_goes_on_counting_while_it_goes_on_happening(self) -> None:
        refusals = Refusals()
        for moment in range(0, 3000, 100):
            refusals.note(PUBLISH, float(moment))
            assert refusals.newest(moment + 99.0) is not None

    def test_a_subscription_counts_however_long_it_is_silent(self) -> None:
        refusals = Refusals()
        refusals.note(LISTEN, 0.0)
        assert refusals.newest(1e9) == LISTEN.removeprefix("nats: ")
        assert refusals.listening("rpc.swapper.x")

    def test_asking_again_or_a_new_connection_asks_the_server_anew(self) -> None:
        for anew in (lambda r: r.asked_again("rpc.swapper.x"), Refusals.connected_anew):
            refusals = Refusals()
            refusals.note(LISTEN, 0.0)
            anew(refusals)
            assert refusals.newest(0.0) is None

    def test_a_new_connection_forgives_no_publication(self) -> None:
        refusals = Refusals()
        refusals.note(PUBLISH, 0.0)
        refusals.connected_anew()
        assert refusals.newest(1.0) is not None

    def test_subject_letters_do_not_matter_and_memory_is_bounded(self) -> None:
        refusals = Refusals()
        refusals.note('Permissions Violation for Publish to "$JS.API.INFO"', 0.0)
        assert refusals.publishing("$JS.API.INFO", since=0.0)
        for number in range(1000):
            refusals.note(f'Permissions Violation for Publish to "a.{number}"', 0.0)
        assert len(refusals._standing) <= 200
        assert refusals.publishing("a.999", since=0.0)


@dataclass
class MovableClock:
    """The real time, and as much more as a test says."""

    real: SystemClock = field(default_factory=SystemClock)
    more_seconds: float = 0.0

    def now(self) -> datetime:
        return self.real.now()

    def monotonic(self) -> float:
        return self.real.monotonic() + self.more_seconds

    async def sleep(self, seconds: float) -> None:
        await self.real.sleep(seconds)


async def without(server: NatsServer, subject: str) -> None:
    """Take a subject away from everybody, as a mistake in nats.conf would."""
    text = server.config_file.read_text()
    assert f', "{subject}"' in text
    await reread(server, text.replace(f', "{subject}"', ""))


async def reread(server: NatsServer, text: str) -> None:
    """Put down another nats.conf and let the server read it."""
    server.config_file.write_text(text)
    await Steward(server.url, server.identities, SystemClock()).reload()


async def joined(world, name: str, clock: MovableClock) -> NatsBus:
    bus = await connect_bus(world.server.settings(name), name, clock)
    world.buses.append(bus)
    return bus


async def reasons(bus: NatsBus) -> list[str]:
    return await unready_reasons([bus_check(bus)])


@pytest.mark.connected
class TestOnARealServer:
    async def test_a_refused_publication_turns_red_and_then_green(self, nats_world) -> None:
        clock = MovableClock()
        bus = await joined(nats_world, "health", clock)
        assert await reasons(bus) == []
        for _ in range(3):
            result = await bus.publish_durable("swap.failed.a", NEWS, id="1")
            assert isinstance(result, Refused)
            assert await reasons(bus) == [
                'nats: permissions violation for publish to "swap.failed.a"'
            ]
            assert await unready_reasons([refusals_check(bus)]) == await reasons(bus)
            clock.more_seconds += CALM_SECONDS - 5
        clock.more_seconds += 6
        assert await reasons(bus) == []

    async def test_it_stays_red_over_a_reconnect(self, nats_world) -> None:
        bus = await joined(nats_world, "health", MovableClock())
        await bus.publish_durable("swap.failed.a", NEWS, id="1")
        await nats_world.server.kill()
        await nats_world.server.start()
        await until(lambda: bus.health().connected, "connected again")
        assert "swap.failed.a" in (await reasons(bus))[0]

    async def test_who_may_not_listen_is_told_and_red_for_as_long_as_he_tries(
        self, nats_world
    ) -> None:
        """Refused for hours; then the owner puts it right, and nobody has to be restarted."""
        right = nats_world.server.config_file.read_text()
        await without(nats_world.server, "menu.changed")
        clock = MovableClock()
        bus = await joined(nats_world, "swapper", clock)
        for _ in range(3):
            with pytest.raises(UnavailableError, match=r"no permission to listen to menu\.changed"):
                await anext(aiter(bus.listen("menu.changed")))
            clock.more_seconds += 10 * CALM_SECONDS
            assert 'subscription to "menu.changed"' in (await reasons(bus))[0].lower()
        await reread(nats_world.server, right)
        hearing = asyncio.create_task(anext(aiter(bus.listen("menu.changed"))))
        gateway = await joined(nats_world, "gateway", clock)

        async def heard() -> bool:
            await gateway.publish("menu.changed", NEWS, id="2")
            await asyncio.wait({hearing}, timeout=0.05)
            return hearing.done()

        await until(heard, "the hint is heard")
        assert hearing.result()[0] == "menu.changed"
        assert await reasons(bus) == []

    async def test_who_may_not_answer_is_red_until_he_connects_anew_and_may(
        self, nats_world
    ) -> None:
        await without(nats_world.server, "rpc.swapper.>")
        clock = MovableClock()
        bus = await joined(nats_world, "swapper", clock)
        await bus.serve("swapper", "1.0.0", "swaps models", [Serving(LIST_SWAPS, no_swaps)])
        clock.more_seconds += 10 * CALM_SECONDS
        assert "rpc.swapper" in (await reasons(bus))[0]
        await nats_world.server.kill()
        # A start writes the configuration anew.
        await nats_world.server.start()
        await until(lambda: bus.health().connected, "connected again")
        assert await reasons(bus) == []
        gateway = await joined(nats_world, "gateway", clock)
        assert await gateway.call(LIST_SWAPS, ListSwaps()) == Swaps()

    async def test_a_right_that_is_given_back_is_used_at_once(self, nats_world) -> None:
        right = nats_world.server.config_file.read_text()
        await without(nats_world.server, "service.action")
        bus = await joined(nats_world, "health", MovableClock())
        assert isinstance(await bus.publish_durable("service.action", NEWS, id="1"), Refused)
        await reread(nats_world.server, right)
        assert isinstance(await bus.publish_durable("service.action", NEWS, id="2"), Stored)


async def no_swaps(request: ListSwaps) -> Swaps:
    return Swaps()


async def test_a_bus_in_memory_refuses_nobody() -> None:
    assert MemoryBus("gateway").health().refused is None
