"""The whole matrix on a real server: every identity tries everything, both ways."""

import re
from collections.abc import Iterator
from contextlib import asynccontextmanager, suppress
from itertools import product

import nats
import pytest
from nats.aio.client import Client

from spark_common import schemas
from spark_common.bus.automations import AutomationFolder
from spark_common.bus.patterns import matches
from spark_common.bus.permissions import OPERATOR, PERMISSIONS, Permissions, automation
from spark_common.bus.streams import STREAMS
from spark_common.embedded import NatsServer

pytestmark = pytest.mark.connected

AUTOMATIONS = ("alpha", "alpha2")
"""One name begins with the other: a rule on beginnings would mix them up."""
IDENTITIES: dict[str, Permissions] = {
    **PERMISSIONS,
    **{f"auto_{name}": automation(name) for name in AUTOMATIONS},
}
STREAM_VERBS = (
    *("CREATE", "UPDATE", "DELETE", "PURGE", "SNAPSHOT", "RESTORE", "INFO"),
    *("MSG.GET", "MSG.DELETE", "LEADER.STEPDOWN"),
)
CONSUMER_VERBS = ("DURABLE.CREATE", "CREATE", "MSG.NEXT", "INFO", "DELETE", "PAUSE", "UNPIN")
QUESTIONS = ("about.get", "lock.acquire", "schedule.list", "accountability.get", "settings.set")
_REFUSAL = re.compile(r'violation for (?:publish|subscription) to "([^"]+)"', re.IGNORECASE)


def told() -> list[str]:
    return [channel.address.replace("{id}", "x") for channel in schemas.CHANNELS]


def asked() -> list[str]:
    return [f"rpc.{name}.{verb}" for name, verb in product(PERMISSIONS, QUESTIONS)]


def machinery() -> Iterator[str]:
    yield from ("$JS.API.INFO", "$JS.API.STREAM.LIST", "$JS.API.STREAM.NAMES")
    yield from ("$JS.API.STREAM.CREATE.MINE", "$JS.FC.x", "$SRV.PING", "$SYS.REQ.SERVER.PING")
    for spec in STREAMS:
        yield from (f"$JS.API.STREAM.{verb}.{spec.name}" for verb in STREAM_VERBS)
        yield f"$JS.API.CONSUMER.CREATE.{spec.name}"
        yield f"$JS.API.CONSUMER.LIST.{spec.name}"
        durables = [consumer.name for consumer in spec.consumers]
        for durable in (*durables, *(f"auto_{name}" for name in AUTOMATIONS)):
            yield from (f"$JS.API.CONSUMER.{v}.{spec.name}.{durable}" for v in CONSUMER_VERBS)
            yield f"$JS.API.CONSUMER.CREATE.{spec.name}.{durable}.swap.failed.*"
            yield f"$JS.ACK.{spec.name}.{durable}.1.1.1.1.1"


def inboxes() -> list[str]:
    return [f"_INBOX_{name}.x.y" for name in (*IDENTITIES, OPERATOR)] + ["_INBOX.x.y"]


PUBLISHED = [*told(), *asked(), *machinery(), *inboxes(), "anything.else"]
HEARD = [
    *told(),
    *asked(),
    *inboxes(),
    *(f"_INBOX_{name}.>" for name in IDENTITIES),
    *(f"rpc.{name}.>" for name in PERMISSIONS),
    *(">", "_INBOX.>", "*.>", "swap.>", "lock.>", "$JS.>", "$JS.API.>", "$JS.ACK.>", "$SYS.>"),
]


def allowed(patterns: tuple[str, ...], subject: str) -> bool:
    """As the server decides: it compares the words of a wildcard like those of a subject."""
    return any(matches(pattern, subject) for pattern in patterns)


@pytest.fixture
async def server(tmp_path):
    """A server without streams: what is allowed and tried can do no harm."""
    made = NatsServer(tmp_path / "nats")
    folder = AutomationFolder.below(made.identities.directory)
    for name in AUTOMATIONS:
        folder.add(name)
    await made.start()
    yield made
    await made.kill()


@asynccontextmanager
async def client_of(server: NatsServer, name: str):
    refused: set[str] = set()

    async def on_error(error: Exception) -> None:
        if found := _REFUSAL.search(str(error)):
            refused.add(found[1])

    folder = server.identities.directory
    short = name.removeprefix("auto_")
    seed = folder / f"{name}.nk" if name in PERMISSIONS else folder / f"automations/{short}.nk"
    client = await nats.connect(
        server.url, nkeys_seed=str(seed), inbox_prefix=f"_INBOX_{name}", error_cb=on_error
    )
    try:
        yield client, refused
    finally:
        await client.close()


async def handled(client: Client) -> None:
    """Wait until the server has handled everything: the first ping may overtake what is queued."""
    await client.flush(10)
    await client.flush(10)


@pytest.mark.parametrize("name", IDENTITIES)
class TestEveryIdentity:
    async def test_says_what_it_may_and_nothing_else(self, server, name: str) -> None:
        patterns = IDENTITIES[name].publish
        async with client_of(server, name) as (client, refused):
            for subject in PUBLISHED:
                await client.publish(subject, b"{}")
            await handled(client)
            expected = {each.lower() for each in PUBLISHED if not allowed(patterns, each)}
            assert refused == expected
            assert client.is_connected

    async def test_hears_what_it_may_and_nothing_else(self, server, name: str) -> None:
        patterns = IDENTITIES[name].subscribe
        async with client_of(server, name) as (client, refused):
            for subject in HEARD:
                await client.subscribe(subject)
            await handled(client)
            expected = {each.lower() for each in HEARD if not allowed(patterns, each)}
            assert refused == expected
            assert client.is_connected


def test_the_matrix_tries_what_matters() -> None:
    assert len(PUBLISHED) > 300
    for name, identity in IDENTITIES.items():
        may = [subject for subject in PUBLISHED if allowed(identity.publish, subject)]
        assert may, name
        assert len(may) < len(PUBLISHED), name


async def test_anonymous_is_refused(server) -> None:
    async def silent(error: Exception) -> None:
        return

    client = Client()
    with pytest.raises((nats.errors.Error, OSError)):
        await client.connect(
            server.url, allow_reconnect=False, max_reconnect_attempts=0, error_cb=silent
        )
    with suppress(nats.errors.Error):
        await client.close()


async def test_an_unknown_key_is_refused(server, tmp_path) -> None:
    stranger = AutomationFolder.below(tmp_path / "elsewhere").add("alpha")
    client = Client()
    with pytest.raises((nats.errors.Error, OSError)):
        await client.connect(
            server.url,
            nkeys_seed=str(stranger.seed_file),
            allow_reconnect=False,
            max_reconnect_attempts=0,
        )
    with suppress(nats.errors.Error):
        await client.close()
