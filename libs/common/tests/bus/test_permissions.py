"""Who may do what on a real server: what is allowed works, what is not is refused and shows."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial

import nats
import pytest

from spark_common.bus.nats import NatsBus, connect_bus
from spark_common.bus.permissions import OPERATOR, PERMISSIONS
from spark_common.bus.port import Refused, Serving, Stored
from spark_common.clock import SystemClock
from spark_common.contracts.rpc import Reply, Request, Rpc
from spark_common.errors import DeadlineExceededError, UnavailableError
from spark_common.events import MenuChanged
from spark_common.settings import BusSettings
from spark_common.testing.wait import PATIENCE_SECONDS, until

pytestmark = pytest.mark.connected

NEWS = MenuChanged(reason="test")
SERVICES = tuple(name for name in PERMISSIONS if name not in ("provisioner", "automation"))


class Ask(Request):
    pass


class Told(Reply):
    by: str


PUBLISH_ALLOWED = [
    ("automation", "swap.requested"),
    *(
        ("swapper", subject)
        for subject in (
            "swap.requested.a",
            "swap.cancel.a",
            "swap.accepted.a",
            "swap.rejected.a",
            "swap.progress.a",
            "swap.complete.a",
        )
    ),
]
PUBLISH_REFUSED = [
    ("automation", "swap.requested.a"),
    ("automation", "swap.cancel.a"),
    ("automation", "swap.complete.a"),
    ("gateway", "swap.requested"),
    ("gateway", "swap.requested.a"),
    ("gateway", "swap.cancel.a"),
    ("gateway", "swap.complete.a"),
    ("gateway", "swap.progress.a"),
    ("swapper", "swap.requested"),
    ("health", "swap.requested.a"),
    ("health", "swap.failed.a"),
    ("coordinator", "swap.requested"),
    ("coordinator", "swap.complete.a"),
    ("audio-proxy", "swap.cancel.a"),
    ("redaction", "swap.accepted.a"),
    ("provisioner", "swap.requested.a"),
]
API_REFUSED = [
    ("gateway", "STREAM.DELETE.SC_SWAP_CMD"),
    ("gateway", "STREAM.PURGE.SC_PROGRESS"),
    ("gateway", "STREAM.CREATE.MINE"),
    ("gateway", "STREAM.MSG.GET.SC_INGRESS"),
    ("gateway", "CONSUMER.MSG.NEXT.SC_SWAP_CMD.swapper"),
    ("gateway", "CONSUMER.CREATE.SC_SWAP_CMD"),
    ("gateway", "CONSUMER.CREATE.SC_INGRESS"),
    ("swapper", "STREAM.UPDATE.SC_SWAP_CMD"),
    ("swapper", "STREAM.MSG.DELETE.SC_SWAP_CMD"),
    ("swapper", "CONSUMER.DELETE.SC_SWAP_CMD.swapper"),
    ("health", "CONSUMER.CREATE.SC_PROGRESS"),
    ("automation", "STREAM.INFO.SC_INGRESS"),
    ("automation", "STREAM.MSG.GET.SC_INGRESS"),
    ("automation", "CONSUMER.CREATE.SC_INGRESS"),
]
SUBSCRIBE_REFUSED = [
    ("health", "swap.>"),
    ("health", "_INBOX_gateway.>"),
    ("gateway", "_INBOX_swapper.>"),
    ("gateway", "swap.requested"),
    ("gateway", "rpc.swapper.>"),
    ("automation", "swap.requested"),
    ("automation", "rpc.coordinator.>"),
    ("automation", "_INBOX.>"),
    ("swapper", "rpc.coordinator.>"),
    ("redaction", "rpc.swapper.>"),
    ("coordinator", "$JS.API.>"),
]
ASK_ALLOWED = [
    ("gateway", "swapper"),
    ("gateway", "health"),
    ("gateway", "audio-proxy"),
    ("automation", "coordinator"),
]
ASK_REFUSED = [
    ("automation", "swapper"),
    ("health", "swapper"),
    ("swapper", "gateway"),
    ("redaction", "health"),
]


async def shows(bus: NatsBus, subject: str) -> None:
    await until(lambda: subject.lower() in (bus.health().last_error or "").lower(), "shown")
    assert "permissions violation" in (bus.health().last_error or "").lower()
    assert bus.health().connected


async def test_what_may_be_stored_is_stored(nats_world) -> None:
    for name, subject in PUBLISH_ALLOWED:
        bus = await nats_world.join(name)
        result = await bus.publish_durable(subject, NEWS, id=f"{name}:{subject}")
        assert isinstance(result, Stored), (name, subject)
        assert bus.health().last_error is None


async def test_what_may_not_be_stored_is_refused_and_shows(nats_world) -> None:
    async def attempt(name: str, subject: str) -> None:
        bus = await nats_world.join(name)
        result = await bus.publish_durable(subject, NEWS, id=f"{name}:{subject}")
        assert result == Refused(f"no permission to publish on {subject}"), (name, subject)
        await shows(bus, subject)

    await asyncio.gather(*(attempt(*case) for case in PUBLISH_REFUSED))
    swapper = await nats_world.join("swapper")
    for stream in ("SC_INGRESS", "SC_SWAP_CMD", "SC_SWAP_EVT", "SC_SWAP_ADM", "SC_PROGRESS"):
        assert (await swapper.bounds(stream))[2] == 0


async def test_the_machinery_of_streams_is_closed_to_services(nats_world) -> None:
    async def attempt(name: str, verb: str) -> None:
        bus = await nats_world.join(name)
        with pytest.raises(UnavailableError, match="no permission"):
            await bus._link.api(verb, {})
        await shows(bus, f"$JS.API.{verb}")

    await asyncio.gather(*(attempt(*case) for case in API_REFUSED))


async def test_nobody_listens_where_he_may_not(nats_world) -> None:
    async def attempt(name: str, subject: str) -> None:
        bus = await nats_world.join(name)
        listening = asyncio.create_task(anext(aiter(bus.listen(subject))))
        await shows(bus, subject)
        listening.cancel()

    await asyncio.gather(*(attempt(*case) for case in SUBSCRIBE_REFUSED))


async def is_refused(bus: NatsBus, verb: Rpc[Ask, Told]) -> bool:
    """The refusal comes beside the question, and not always before its time is over."""
    try:
        await bus.call(verb, Ask(), timeout_seconds=0.3)
    except DeadlineExceededError:
        return False
    except UnavailableError as error:
        return "no permission" in error.message
    raise AssertionError("it was answered")


async def test_questions_go_where_they_may(nats_world) -> None:
    verbs: dict[str, Rpc[Ask, Told]] = {}

    def named(name: str) -> Callable[[Ask], Awaitable[Told]]:
        async def answer(request: Ask) -> Told:
            return Told(by=name)

        return answer

    for name in SERVICES:
        bus = await nats_world.join(name)
        verbs[name] = Rpc(f"rpc.{name}.about.ask", Ask, Told)
        await bus.serve(name, "1.0.0", "a test", [Serving(verbs[name], named(name))])
    for asker, asked in ASK_ALLOWED:
        bus = await nats_world.join(asker)
        assert await bus.call(verbs[asked], Ask()) == Told(by=asked), (asker, asked)
    for asker, asked in ASK_REFUSED:
        bus = await nats_world.join(asker)
        await until(partial(is_refused, bus, verbs[asked]), f"{asker} may not ask {asked}")
        await shows(bus, verbs[asked].subject)


async def test_every_service_may_discover(nats_world) -> None:
    for name in SERVICES:
        bus = await nats_world.join(name)
        await bus.serve(name, "1.0.0", "a test", [])
    for name in SERVICES:
        bus = await nats_world.join(name)
        assert await bus.discover() == sorted(SERVICES)
        assert bus.health().last_error is None


async def test_nobody_answers_for_another_service(nats_world) -> None:
    async def answer(request: Ask) -> Told:
        return Told(by="impostor")

    impostor = await nats_world.join("health")
    verb = Rpc("rpc.swapper.test.ask", Ask, Told)
    await impostor.serve("swapper", "1.0.0", "not me", [Serving(verb, answer)])
    await shows(impostor, "rpc.swapper.test.ask")
    gateway = await nats_world.join("gateway")
    with pytest.raises(UnavailableError):
        await gateway.call(verb, Ask(), timeout_seconds=PATIENCE_SECONDS)


async def test_the_gateway_reads_what_the_dashboard_shows(nats_world) -> None:
    swapper, gateway = await nats_world.join("swapper"), await nats_world.join("gateway")
    told = {
        "SC_PROGRESS": "swap.progress.a",
        "SC_SWAP_EVT": "swap.complete.a",
        "SC_SWAP_ADM": "swap.accepted.a",
    }
    for stream, subject in told.items():
        await swapper.publish_durable(subject, NEWS, id=subject)
        assert (await anext(aiter(gateway.tail(stream, after_seq=0)))).subject == subject
        assert (await anext(aiter(gateway.tail(stream, (subject,), 0)))).subject == subject
        assert await gateway.last_message(stream, subject) is not None
        assert (await gateway.bounds(stream))[2] == 1
    assert gateway.health().last_error is None


async def test_without_an_identity_nobody_comes_in(nats_world) -> None:
    with pytest.raises(UnavailableError, match="refuses our identity"):
        await connect_bus(BusSettings(url=nats_world.server.url), "gateway", SystemClock())


async def test_the_operator_sees_the_server_and_no_message(nats_world) -> None:
    seed = nats_world.server.identities.seed_file(OPERATOR)
    client = await nats.connect(nats_world.server.url, nkeys_seed=str(seed))
    try:
        facts = await client.request("$SYS.REQ.SERVER.PING.VARZ", b"", timeout=PATIENCE_SECONDS)
        assert b"spark-control" in facts.data
        heard = await client.subscribe("swap.>")
        await client.flush()
        swapper = await nats_world.join("swapper")
        await swapper.publish_durable("swap.progress.a", NEWS, id="1")
        with pytest.raises(nats.errors.TimeoutError):
            await heard.next_msg(timeout=0.3)
    finally:
        await client.close()
