"""Dead letters: which message, why, what to do; never what it says."""

import json
from dataclasses import replace

import pytest
from pydantic import SecretStr

from spark_common.bus.nats import NatsBus, connect_bus
from spark_common.bus.provision import provision
from spark_common.bus.streams import STREAMS
from spark_common.clock import SystemClock
from spark_common.contracts.dead_letters import LIST_DEAD_LETTERS, ListDeadLetters
from spark_common.embedded import NatsServer
from spark_common.errors import UnavailableError
from spark_common.events import SwapRequested
from spark_common.testing import MemoryBroker, MemoryBus
from spark_common.testing.wait import until
from spark_coordinator.dead_letters import dead_letters
from spark_coordinator.dead_letters.advice import action, sentence
from spark_coordinator.dead_letters.desk import DeadLetterDesk

SECRET = "the-lock-token-of-alice"


def request() -> SwapRequested:
    return SwapRequested(model="m", requested_by="Alice", lock_token=SecretStr(SECRET))


async def dropped(bus, stream: str, durable: str, reason: str) -> None:
    async for delivery in bus.work(stream, durable):
        await delivery.drop(reason)
        return


async def test_a_message_that_was_put_away_is_shown_without_what_it_says(
    bus: MemoryBus, broker: MemoryBroker
) -> None:
    swapper = MemoryBus("swapper", broker)
    await swapper.publish_durable("swap.requested", request(), id="cron-7")
    assert SECRET in next(iter(broker.streams["SC_INGRESS"].messages.values())).payload.decode()
    await dropped(swapper, "SC_INGRESS", "swapper-ingress", "not a swap.requested")
    page = await DeadLetterDesk(bus).list(ListDeadLetters())
    (letter,) = page.letters
    assert (letter.stream, letter.consumer, letter.why) == (
        "SC_INGRESS",
        "swapper-ingress",
        "refused",
    )
    assert (letter.subject, letter.message_id) == ("swap.requested", "cron-7")
    assert letter.sentence == "swapper-ingress put it away: not a swap.requested."
    assert "docs/EVENTS.md" in letter.action
    assert letter.at == broker.clock.now()
    assert SECRET not in page.model_dump_json()
    assert page.older_before is None


async def test_pages_go_back_to_the_oldest(bus: MemoryBus, broker: MemoryBroker) -> None:
    swapper = MemoryBus("swapper", broker)
    for number in range(25):
        await swapper.publish_durable("swap.requested", request(), id=f"r{number}")
        await dropped(swapper, "SC_INGRESS", "swapper-ingress", "x")
    desk, before, seen = DeadLetterDesk(bus), None, []
    while True:
        page = await desk.list(ListDeadLetters(limit=12, before=before))
        seen += [letter.message_id for letter in page.letters]
        before = page.older_before
        if before is None:
            break
    assert seen == [f"r{number}" for number in reversed(range(25))]


async def test_what_is_not_kept_any_more_is_still_a_dead_letter(
    bus: MemoryBus, broker: MemoryBroker
) -> None:
    swapper = MemoryBus("swapper", broker)
    await swapper.publish_durable("swap.requested", request(), id="old")
    await dropped(swapper, "SC_INGRESS", "swapper-ingress", "x")
    broker.streams["SC_INGRESS"].messages.clear()
    letter = (await DeadLetterDesk(bus).list(ListDeadLetters())).letters[0]
    assert (letter.subject, letter.message_id, letter.message_number) == (None, None, 1)


@pytest.mark.parametrize(
    "payload",
    [b"", b"null", b"{}", b"\xff", b'{"stream": 1}', b'{"stream": "A", "consumer": "b"}', b"[]"],
)
async def test_an_advisory_nobody_can_read_hides_no_other(
    bus: MemoryBus, broker: MemoryBroker, payload: bytes
) -> None:
    place = "$JS.EVENT.ADVISORY.CONSUMER.MSG_TERMINATED.SC_INGRESS.swapper-ingress"
    swapper = MemoryBus("swapper", broker)
    await swapper.publish_durable("swap.requested", request(), id="seen")
    await dropped(swapper, "SC_INGRESS", "swapper-ingress", "x")
    broker.store(place, payload)
    page = await DeadLetterDesk(bus).list(ListDeadLetters())
    assert [letter.message_id for letter in page.letters] == ["seen"]


async def test_a_stream_of_somebody_else_is_shown_without_its_message(
    bus: MemoryBus, broker: MemoryBroker
) -> None:
    advisory = {"stream": "ELSE", "consumer": "c", "stream_seq": 4, "reason": "a\x1b[31m\nb" * 99}
    broker.store("$JS.EVENT.ADVISORY.CONSUMER.MSG_TERMINATED.ELSE.c", json.dumps(advisory).encode())
    letter = (await DeadLetterDesk(bus).list(ListDeadLetters())).letters[0]
    assert letter.subject is None
    assert letter.sentence.isprintable()
    assert len(letter.sentence) < 250


async def test_without_the_bus_it_is_an_outage(bus: MemoryBus, broker: MemoryBroker) -> None:
    broker.down()
    with pytest.raises(UnavailableError):
        await DeadLetterDesk(bus).list(ListDeadLetters())


def test_everything_a_worker_may_drop_has_its_own_advice() -> None:
    general = action("X", "y", "refused")
    for spec in STREAMS:
        for consumer in spec.consumers:
            for why in ("refused", "given_up"):
                assert action(spec.name, consumer.name, why) != general
                assert sentence(spec.name, consumer.name, why, 5, "").endswith(".")
    assert "automation" in action("SC_SWAP_EVT", "auto_nightly", "refused")


@pytest.mark.connected
async def test_a_real_server_tells_both_kinds(nats_server: NatsServer) -> None:
    quick = tuple(
        replace(
            spec,
            consumers=tuple(
                replace(each, ack_wait_seconds=0.2, max_deliver=2) for each in spec.consumers
            ),
        )
        for spec in STREAMS
    )
    clock = SystemClock()
    await provision(nats_server.settings("provisioner"), clock, quick)
    buses: dict[str, NatsBus] = {
        name: await connect_bus(nats_server.settings(name), name, clock)
        for name in ("automation", "swapper", "coordinator", "gateway")
    }
    swapper, gateway = buses["swapper"], buses["gateway"]
    try:
        feature = dead_letters(buses["coordinator"])
        await buses["coordinator"].serve("coordinator", "1.0.0", "a test", feature.verbs)
        await buses["automation"].publish_durable("swap.requested", request(), id="forgotten")
        async for delivery in swapper.work("SC_INGRESS", "swapper-ingress"):
            # Never settled: the server gives up after the second time.
            if delivery.attempt == 2:
                break
        await buses["automation"].publish_durable("swap.requested", request(), id="refused")

        async def put_away() -> None:
            async for delivery in swapper.work("SC_INGRESS", "swapper-ingress"):
                if delivery.message.headers["Nats-Msg-Id"] == "refused":
                    await delivery.drop("not a swap.requested")
                    return

        await put_away()

        async def both() -> bool:
            page = await gateway.call(LIST_DEAD_LETTERS, ListDeadLetters())
            return {letter.why for letter in page.letters} == {"given_up", "refused"}

        await until(both, "both kinds are told")
        page = await gateway.call(LIST_DEAD_LETTERS, ListDeadLetters())
        by_id = {letter.message_id: letter for letter in page.letters}
        assert by_id["forgotten"].sentence == (
            "swapper-ingress was given it 2 times and never finished it."
        )
        assert by_id["refused"].sentence == "swapper-ingress put it away: not a swap.requested."
        assert by_id["refused"].subject == "swap.requested"
        assert SECRET not in page.model_dump_json()
        for bus in buses.values():
            assert bus.health().refused is None
    finally:
        for bus in buses.values():
            await bus.close()
