"""A real server that is killed, restarted, stopped and replaced under a connected bus."""

import asyncio
import contextlib
import json
import os
import signal
import time
from datetime import UTC, datetime

import pytest

from spark_common.bus.identities import Identities
from spark_common.bus.nats import NatsBus, connect_bus
from spark_common.bus.port import Duplicate, Serving, Stored, Unknown
from spark_common.clock import SystemClock
from spark_common.contracts.swaps import LIST_SWAPS, ListSwaps, Swaps
from spark_common.embedded import NatsServer
from spark_common.errors import OutcomeUnknownError, ServiceUnavailableError, UnavailableError
from spark_common.events import MenuChanged, SwapProgress, SwapStart
from spark_common.settings import BusSettings, SettingsError
from spark_common.testing.hanging import hanging
from spark_common.testing.proxy import TcpProxy
from spark_common.testing.wait import PATIENCE_SECONDS, until, within

pytestmark = pytest.mark.connected

START = SwapStart(swap_id="x", model="m", requested_by="alice", lease_epoch=0)


def progress(n: int) -> SwapProgress:
    return SwapProgress(
        swap_id="s1", n=n, model="m", phase="loading", at=datetime(2026, 1, 1, tzinfo=UTC)
    )


async def swaps(request: ListSwaps) -> Swaps:
    return Swaps()


async def bounce(server: NatsServer, *buses: NatsBus) -> None:
    """kill -9, start again in the same folder, and wait until everybody is back."""
    await server.kill()
    for bus in buses:
        await until(lambda bus=bus: not bus.health().connected, "noticed")
    await server.start()
    for bus in buses:
        await until(lambda bus=bus: bus.health().connected, "connected again")


async def test_a_reader_loses_nothing_while_the_server_is_killed(nats_world) -> None:
    swapper, gateway = await nats_world.join("swapper"), await nats_world.join("gateway")
    found: list[tuple[str, int, str]] = []

    async def reader() -> None:
        async for message in gateway.tail("SC_PROGRESS", after_seq=0):
            found.append((message.epoch, message.seq, message.headers["Nats-Msg-Id"]))

    async def writer() -> None:
        for n in range(1, 601):
            while isinstance(
                await swapper.publish_durable("swap.progress.s1", progress(n), id=f"s1:{n}"),
                Unknown,
            ):
                pass

    reading, writing = asyncio.create_task(reader()), asyncio.create_task(writer())
    for enough in (100, 250, 400):
        await until(lambda enough=enough: len(found) >= enough, f"{enough} messages")
        await bounce(nats_world.server, swapper, gateway)
    await writing
    await until(lambda: len(found) >= 600, "everything was read")
    reading.cancel()
    assert [name for _, _, name in found] == [f"s1:{n}" for n in range(1, 601)]
    assert [seq for _, seq, _ in found] == list(range(1, 601))
    assert len({epoch for epoch, _, _ in found}) == 1


async def test_services_answer_again_after_a_restart(nats_world) -> None:
    swapper, gateway = await nats_world.join("swapper"), await nats_world.join("gateway")
    await swapper.serve("swapper", "1.0.0", "swaps models", [Serving(LIST_SWAPS, swaps)])
    assert await gateway.call(LIST_SWAPS, ListSwaps()) == Swaps()
    await bounce(nats_world.server, swapper, gateway)

    async def answered() -> bool:
        """Who is connected may have been heard before who will answer was."""
        with contextlib.suppress(ServiceUnavailableError):
            return await gateway.call(LIST_SWAPS, ListSwaps()) == Swaps()
        return False

    await until(answered, "it answers again")
    assert await gateway.discover() == ["swapper"]


@pytest.mark.parametrize("ack_wait_seconds", [1.0])
async def test_work_goes_on_soon_after_a_restart(nats_world) -> None:
    swapper, admission = await nats_world.join("swapper"), await nats_world.join("swapper")
    taken: list[str] = []

    async def worker() -> None:
        async for delivery in swapper.work("SC_SWAP_CMD", "swapper"):
            taken.append(delivery.message.subject)
            await delivery.done()

    working = asyncio.create_task(worker())
    await admission.publish_durable("swap.requested.a", START, id="a")
    await until(lambda: len(taken) == 1, "the first command")
    await bounce(nats_world.server, swapper, admission)
    assert await admission.publish_durable("swap.requested.b", START, id="b") == Stored(2)
    # A confirmed settlement may be forgotten by kill -9: then the first one comes again, after
    # its redelivery time of a second, before the second one.
    await until(lambda: "swap.requested.b" in taken, "the second command")
    working.cancel()


async def test_the_same_id_is_stored_once_over_kills(nats_world) -> None:
    swapper = await nats_world.join("swapper")
    assert await swapper.publish_durable("swap.requested.a", START, id="a") == Stored(1)
    assert await swapper.publish_durable("swap.progress.a", progress(1), id="a:1") == Stored(1)
    await bounce(nats_world.server, swapper)
    assert await swapper.publish_durable("swap.requested.a", START, id="a") == Duplicate(1)
    assert await swapper.publish_durable("swap.progress.a", progress(1), id="a:1") == Duplicate(1)


async def test_a_publish_in_the_middle_of_a_kill_ends_well(nats_world) -> None:
    swapper = await nats_world.join("swapper")
    await nats_world.server.kill()
    publishing = asyncio.create_task(swapper.publish_durable("swap.requested.a", START, id="a"))
    await asyncio.wait({publishing}, timeout=0.3)
    await nats_world.server.start()
    assert await publishing == Stored(1)


async def test_while_it_is_away_everybody_is_told_in_time(nats_world) -> None:
    swapper = await nats_world.join("swapper")
    await nats_world.server.kill()
    await until(lambda: not swapper.health().connected, "noticed")
    assert "event bus does not answer" in (swapper.health().last_error or "")
    with pytest.raises(UnavailableError):
        await swapper.publish("menu.changed", MenuChanged(reason="scan"), id="h")
    with pytest.raises(UnavailableError):
        await swapper.call(LIST_SWAPS, ListSwaps())
    with pytest.raises(UnavailableError):
        await swapper.bounds("SC_PROGRESS")

    async def published() -> float:
        began = time.monotonic()
        assert isinstance(await swapper.publish_durable("swap.requested.a", START, id="a"), Unknown)
        return time.monotonic() - began

    await within(6, published)
    await nats_world.server.start()
    await until(lambda: swapper.health().connected, "connected again")
    assert swapper.health().last_error is None


async def test_a_hung_server_holds_nobody_longer_than_the_limits(nats_world) -> None:
    swapper = await nats_world.join("swapper")
    with hanging(nats_world.server.pid):
        began = time.monotonic()
        result = await swapper.publish_durable("swap.requested.a", START, id="a")
        assert isinstance(result, Unknown)
        with pytest.raises(UnavailableError):
            await swapper.bounds("SC_PROGRESS")
        # Without limits of its own it would wait for as long as the server hangs: for ever.
        assert time.monotonic() - began < 30
    # The timed-out publish was stored after all; the same id says so.
    await until(lambda: swapper.health().connected, "connected")
    assert await swapper.publish_durable("swap.requested.a", START, id="a") == Duplicate(1)


async def test_a_silent_link_is_replaced(nats_world) -> None:
    gateway, swapper = await nats_world.join("gateway"), await nats_world.join("swapper")
    found: list[int] = []

    async def reader() -> None:
        async for message in gateway.tail("SC_PROGRESS", after_seq=0):
            found.append(message.seq)

    reading = asyncio.create_task(reader())
    await swapper.publish_durable("swap.progress.s1", progress(1), id="1")
    await until(lambda: found == [1], "the first message")
    with hanging(nats_world.server.pid):
        await asyncio.wait({reading}, timeout=3)
    await until(lambda: gateway.health().connected and swapper.health().connected, "connected")
    await swapper.publish_durable("swap.progress.s1", progress(2), id="2")
    await until(lambda: found == [1, 2], "the second message")
    reading.cancel()


async def test_a_new_stream_is_read_from_its_beginning(nats_world) -> None:
    gateway, swapper = await nats_world.join("gateway"), await nats_world.join("swapper")
    provisioner = await nats_world.join("provisioner")
    found: list[tuple[str, int]] = []

    async def reader() -> None:
        async for message in gateway.tail("SC_PROGRESS", after_seq=0):
            found.append((message.epoch, message.seq))

    reading = asyncio.create_task(reader())
    for n in (1, 2, 3):
        await swapper.publish_durable("swap.progress.s1", progress(n), id=f"old:{n}")
    await until(lambda: len(found) == 3, "three messages")
    config = (await provisioner._link.api("STREAM.INFO.SC_PROGRESS"))["config"]
    await provisioner._link.api("STREAM.DELETE.SC_PROGRESS")
    await provisioner._link.api("STREAM.CREATE.SC_PROGRESS", config)
    await swapper.publish_durable("swap.progress.s1", progress(1), id="new:1")
    await until(lambda: len(found) == 4, "the message of the new stream")
    reading.cancel()
    assert found[3][1] == 1
    assert found[3][0] != found[0][0]


async def test_an_identity_that_was_revoked_ends_the_process(nats_world, tmp_path) -> None:
    lost: list[str] = []
    server = nats_world.server
    bus = await connect_bus(
        server.settings("gateway"), "gateway", SystemClock(), on_lost=lambda: lost.append("lost")
    )
    mine = server.identities.public_keys["gateway"]
    fresh = Identities.load_or_create(tmp_path / "fresh").public_keys["gateway"]
    config = server.directory / "nats.conf"
    config.write_text(config.read_text().replace(mine, fresh))
    os.kill(server.pid, signal.SIGHUP)
    await until(lambda: lost == ["lost"], "the end of the process")
    assert not bus.health().connected


async def test_nobody_there_is_one_error_in_three_seconds(nats_world) -> None:
    await nats_world.server.kill()

    async def refused() -> float:
        began = time.monotonic()
        with pytest.raises(UnavailableError, match="event bus does not answer"):
            await connect_bus(nats_world.server.settings("gateway"), "gateway", SystemClock())
        return time.monotonic() - began

    await within(5, refused)


async def test_a_strange_identity_is_named(nats_world, tmp_path) -> None:
    other = NatsServer(tmp_path / "other")
    strange = BusSettings(
        url=nats_world.server.url, seed_file=other.identities.seed_file("gateway")
    )
    with pytest.raises(UnavailableError, match="NATS_SEED_FILE"):
        await connect_bus(strange, "gateway", SystemClock())
    with pytest.raises(UnavailableError, match="NATS_SEED_FILE"):
        await connect_bus(BusSettings(url=nats_world.server.url), "gateway", SystemClock())


async def test_a_missing_seed_file_names_the_setting(nats_world, tmp_path) -> None:
    settings = BusSettings(url=nats_world.server.url, seed_file=tmp_path / "nothing.nk")
    with pytest.raises(SettingsError, match="NATS_SEED_FILE"):
        await connect_bus(settings, "gateway", SystemClock())


async def test_a_settlement_survives_a_restart(nats_world) -> None:
    swapper, admission = await nats_world.join("swapper"), await nats_world.join("swapper")
    await admission.publish_durable("swap.requested.a", START, id="a")
    work = swapper.work("SC_SWAP_CMD", "swapper")
    delivery = await anext(work)
    await nats_world.server.terminate()
    settling = asyncio.create_task(delivery.done())
    await asyncio.wait({settling}, timeout=0.3)
    assert not settling.done()
    await nats_world.server.start()
    await settling
    await work.aclose()


async def test_a_settlement_nobody_confirms_is_unknown(nats_world) -> None:
    swapper = await nats_world.join("swapper")
    await swapper.publish_durable("swap.requested.a", START, id="a")
    work = swapper.work("SC_SWAP_CMD", "swapper")
    delivery = await anext(work)
    await nats_world.server.kill()
    with pytest.raises(OutcomeUnknownError, match=r"swap\.requested\.a is not settled"):
        await delivery.done()
    with pytest.raises(OutcomeUnknownError):
        await delivery.heartbeat()
    # Whoever gives back goes on: it comes again by itself.
    await delivery.retry(1.0)
    await work.aclose()


async def test_closing_without_a_server_ends_soon(nats_world) -> None:
    swapper = await nats_world.join("swapper")
    await swapper.serve("swapper", "1.0.0", "swaps models", [Serving(LIST_SWAPS, swaps)])
    worker = asyncio.create_task(anext(swapper.work("SC_SWAP_CMD", "swapper"), None))
    reader = asyncio.create_task(anext(swapper.tail("SC_PROGRESS"), None))
    await nats_world.server.kill()
    await until(lambda: not swapper.health().connected, "noticed")
    began = time.monotonic()
    await swapper.close()
    assert await worker is None
    assert await reader is None
    # NATS itself would try to drain for half a minute.
    assert time.monotonic() - began < 15


async def test_no_exception_text_leaves_the_service(nats_world) -> None:
    swapper, gateway = await nats_world.join("swapper"), await nats_world.join("gateway")

    async def broken(request: ListSwaps) -> Swaps:
        raise ValueError("only for the log")

    await swapper.serve("swapper", "1.0.0", "swaps models", [Serving(LIST_SWAPS, broken)])
    reply = await gateway._link.request(LIST_SWAPS.subject, b"{}", PATIENCE_SECONDS, None)
    assert reply.headers["Nats-Service-Error-Code"] == "internal"
    assert json.loads(reply.data)["error"]["code"] == "internal"
    assert "only for" not in f"{reply.headers} {reply.data!r}"


async def test_a_half_open_link_is_noticed_by_the_third_ping(nats_world) -> None:
    target = int(nats_world.server.url.rpartition(":")[2])
    async with TcpProxy(target) as proxy:
        settings = BusSettings(
            url=f"nats://127.0.0.1:{proxy.port}",
            seed_file=nats_world.server.identities.seed_file("gateway"),
        )
        gateway = await connect_bus(settings, "gateway", SystemClock())
        proxy.freeze()
        await until(lambda: not gateway.health().connected, "noticed", 40.0)
        proxy.thaw()
        await until(lambda: gateway.health().connected, "connected again")
        assert (await gateway.bounds("SC_PROGRESS"))[2] == 0
        await gateway.close()


async def test_closing_in_the_middle_of_a_reconnect_leaves_nobody_knocking(nats_world) -> None:
    buses = [await nats_world.join("swapper") for _ in range(12)]
    await nats_world.server.kill()
    for bus in buses:
        await until(lambda bus=bus: not bus.health().connected, "the loss to be noticed")
    await asyncio.gather(*(bus.close() for bus in buses))
    names = [task.get_coro().__qualname__ for task in asyncio.all_tasks()]
    assert "Client._attempt_reconnect" not in names
