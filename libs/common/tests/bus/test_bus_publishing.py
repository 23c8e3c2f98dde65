"""What both buses promise about telling and storing."""

import asyncio
import json
from datetime import UTC, datetime

import pytest

from spark_common.bus.port import Bus, Duplicate, Refused, Stored, StoredMessage
from spark_common.errors import UnavailableError
from spark_common.events import MenuChanged, SwapCancel, SwapComplete, SwapProgress, SwapRequested
from spark_common.testing.wait import until


def progress(n: int, swap_id: str = "s1") -> SwapProgress:
    return SwapProgress(
        swap_id=swap_id, n=n, model="m", phase="loading", at=datetime(2026, 1, 1, tzinfo=UTC)
    )


def complete(swap_id: str = "s1") -> SwapComplete:
    return SwapComplete(
        swap_id=swap_id,
        model="m",
        served_name="m",
        requested_by="alice",
        total_seconds=1,
        finished_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


def cancel(swap_id: str = "s1") -> SwapCancel:
    return SwapCancel(swap_id=swap_id, requested_by="alice")


async def newest(bus: Bus, stream: str, subject: str) -> StoredMessage:
    message = await bus.last_message(stream, subject)
    assert message is not None
    return message


async def test_the_same_id_is_stored_once(world) -> None:
    bus = await world.join("swapper")
    assert await bus.publish_durable("swap.progress.s1", progress(1), id="s1:1") == Stored(1)
    assert await bus.publish_durable("swap.progress.s1", progress(1), id="s1:1") == Duplicate(1)
    assert await bus.publish_durable("swap.progress.s1", progress(2), id="s1:2") == Stored(2)


async def test_a_command_subject_holds_one_command(world) -> None:
    bus = await world.join("swapper")
    assert await bus.publish_durable("swap.cancel.s1", cancel(), id="first") == Stored(1)
    assert await bus.publish_durable("swap.cancel.s1", cancel(), id="second") == Duplicate(1)
    assert (await bus.bounds("SC_SWAP_CMD"))[2] == 1


async def test_the_first_outcome_stands(world) -> None:
    bus = await world.join("swapper")

    async def tell(kind: str, id: str) -> object:
        return await bus.publish_durable(f"swap.{kind}.s1", complete(), id=id, first_on="swap.*.s1")

    assert await tell("complete", "s1:complete") == Stored(1)
    assert isinstance(await tell("failed", "s1:failed"), Refused)
    assert await tell("complete", "s1:complete") == Duplicate(1)
    other = await bus.publish_durable(
        "swap.failed.s2", complete("s2"), id="s2:failed", first_on="swap.*.s2"
    )
    assert other == Stored(2)


async def test_what_no_stream_keeps_is_refused(world) -> None:
    bus = await world.join("swapper")
    result = await bus.publish_durable("menu.changed", MenuChanged(reason="scan"), id="1")
    assert isinstance(result, Refused)


async def test_what_is_too_large_is_refused(world) -> None:
    bus = await world.join("swapper")
    huge = MenuChanged(reason="x" * 70_000)
    assert isinstance(await bus.publish_durable("swap.cancel.s1", huge, id="1"), Refused)
    assert await bus.last_message("SC_SWAP_CMD", "swap.cancel.s1") is None


async def test_the_newest_message_comes_back_in_its_envelope(world) -> None:
    bus = await world.join("swapper")
    for n in (1, 2):
        await bus.publish_durable(
            "swap.progress.s1",
            progress(n),
            id=f"s1:{n}",
            correlation_id="request-7",
            causation_id="s1",
        )
    message = await newest(bus, "SC_PROGRESS", "swap.progress.s1")
    assert (message.seq, message.subject) == (2, "swap.progress.s1")
    assert message.headers["Nats-Msg-Id"] == "s1:2"
    envelope = message.envelope
    assert envelope is not None
    assert (envelope.id, envelope.source, envelope.type) == (
        "s1:2",
        "swapper",
        "spark.swap.progress.v1",
    )
    assert (envelope.correlationid, envelope.causationid) == ("request-7", "s1")
    assert SwapProgress.model_validate(envelope.data) == progress(2)
    assert await bus.last_message("SC_PROGRESS", "swap.progress.other") is None


async def test_a_bare_message_is_kept_as_it_is(world) -> None:
    swapper = await world.join("swapper")
    await world.bare("swap.requested", b'{"model": "m"}', id="cron-1")
    await world.bare("swap.requested", b"not json")
    work = swapper.work("SC_INGRESS", "swapper-ingress")
    first = await anext(work)
    assert (first.message.payload, first.message.envelope) == (b'{"model": "m"}', None)
    assert first.message.headers["Nats-Msg-Id"] == "cron-1"
    await first.done()
    second = await anext(work)
    assert (second.message.payload, second.message.headers) == (b"not json", {})
    await second.done()
    await work.aclose()


async def test_bounds_name_the_stream_and_its_numbers(world) -> None:
    swapper, gateway = await world.join("swapper"), await world.join("gateway")
    epoch, _, last = await gateway.bounds("SC_PROGRESS")
    assert last == 0
    await swapper.publish_durable("swap.progress.s1", progress(1), id="1")
    await swapper.publish_durable("swap.progress.s1", progress(2), id="2")
    assert await gateway.bounds("SC_PROGRESS") == (epoch, 1, 2)
    assert epoch.isdigit()
    with pytest.raises(UnavailableError, match="does not exist"):
        await gateway.bounds("SC_NOWHERE")


async def test_an_outcome_is_told_on_the_short_subject_too(world) -> None:
    swapper, automation = await world.join("swapper"), await world.join("automation")
    heard: list[tuple[str, bytes]] = []

    async def listen() -> None:
        async for message in automation.listen("swap.complete"):
            heard.append(message)

    listening = asyncio.create_task(listen())
    told = 0

    async def tell_another() -> bool:
        nonlocal told
        told += 1
        await swapper.publish_durable(f"swap.complete.s{told}", complete(f"s{told}"), id=f"s{told}")
        return bool(heard)

    await until(tell_another, "the copy on swap.complete")
    listening.cancel()
    subject, payload = heard[0]
    assert subject == "swap.complete"
    assert json.loads(payload)["type"] == "spark.swap.complete.v1"


async def test_hints_reach_those_who_listen(world) -> None:
    swapper, gateway = await world.join("swapper"), await world.join("gateway")
    heard: list[tuple[str, bytes]] = []

    async def listen() -> None:
        async for message in gateway.listen("menu.changed"):
            heard.append(message)

    listening = asyncio.create_task(listen())

    async def hint() -> bool:
        await swapper.publish("menu.changed", MenuChanged(reason="scan"), id="h")
        return bool(heard)

    await until(hint, "the hint")
    listening.cancel()
    assert json.loads(heard[0][1])["data"] == {"reason": "scan"}


async def test_a_wildcard_hears_one_token(world) -> None:
    swapper, automation = await world.join("swapper"), await world.join("automation")
    heard: list[str] = []

    async def listen() -> None:
        async for subject, _ in automation.listen("swap.progress.*"):
            heard.append(subject)

    listening = asyncio.create_task(listen())
    n = 0

    async def tell() -> bool:
        nonlocal n
        n += 1
        await swapper.publish_durable("swap.accepted.s1", progress(n), id=f"a{n}")
        await swapper.publish_durable("swap.progress.s1", progress(n), id=f"p{n}")
        return bool(heard)

    await until(tell, "progress")
    listening.cancel()
    assert set(heard) == {"swap.progress.s1"}


async def test_a_request_carries_its_token_in_clear_to_the_one_who_compares_it(world) -> None:
    automation, swapper = await world.join("automation"), await world.join("swapper")
    request = SwapRequested(model="m", lock_token="only-for-the-lease")
    assert await automation.publish_durable("swap.requested", request, id="r1") == Stored(1)
    work = swapper.work("SC_INGRESS", "swapper-ingress")
    delivery = await anext(work)
    await work.aclose()
    assert delivery.message.envelope is not None
    received = SwapRequested.model_validate(delivery.message.envelope.data)
    assert received.lock_token is not None
    assert received.lock_token.get_secret_value() == "only-for-the-lease"


async def test_a_closed_bus_answers_nobody(world) -> None:
    bus = await world.join("swapper")
    assert bus.health().connected
    await bus.close()
    assert not bus.health().connected
    with pytest.raises(UnavailableError):
        await bus.publish("menu.changed", MenuChanged(reason="scan"), id="h")
    with pytest.raises(UnavailableError):
        await bus.bounds("SC_PROGRESS")
