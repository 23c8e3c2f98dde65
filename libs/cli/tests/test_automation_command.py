"""``sparkctl automation`` at a real server: let in, kept apart, put out at once."""

import asyncio
import json
import stat
from collections.abc import AsyncIterator
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import nats
import pytest
from click.testing import CliRunner, Result
from nats.aio.client import Client
from nats.js.api import AckPolicy, ConsumerConfig

from spark_cli.__main__ import main
from spark_common.bus.nats import NatsBus, connect_bus
from spark_common.bus.port import Stored
from spark_common.bus.provision import provision
from spark_common.bus.steward import Steward
from spark_common.clock import SystemClock
from spark_common.embedded import NatsServer
from spark_common.events import SwapComplete
from spark_common.testing.wait import until

pytestmark = pytest.mark.connected

STREAM = "SC_SWAP_EVT"


class Place:
    """The folder of a local run with a real server in it, and sparkctl beside it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.server = NatsServer(folder / "nats")
        self.identities = folder / "nats" / "identities"

    async def run(self, *words: str) -> Result:
        """Run sparkctl as its own thread: it has a loop of its own."""
        arguments = ["automation", *words, "--run-dir", str(self.folder)]
        return await asyncio.to_thread(CliRunner().invoke, main, arguments)

    async def add(self, name: str, *more: str) -> Result:
        result = await self.run("add", name, *more)
        assert result.exit_code == 0, result.output
        return result

    @property
    def steward(self) -> Steward:
        return Steward(self.server.url, self.server.identities, SystemClock())

    def seed_file(self, name: str) -> Path:
        return self.identities / "automations" / f"{name}.nk"

    async def connect(self, name: str, refused: list[str] | None = None) -> Client:
        async def on_error(error: Exception) -> None:
            if refused is not None:
                refused.append(str(error))

        client = Client()
        try:
            await client.connect(
                self.server.url,
                nkeys_seed=str(self.seed_file(name)),
                inbox_prefix=f"_INBOX_auto_{name}",
                allow_reconnect=False,
                error_cb=on_error,
            )
        except (nats.errors.Error, OSError):
            await client.close()
            raise
        return client


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    made = Place(tmp_path / "run")
    await made.server.start()
    await provision(made.server.settings("provisioner"), SystemClock())
    yield made
    await made.server.kill()


@pytest.fixture
async def swapper(place: Place) -> AsyncIterator[NatsBus]:
    bus = await connect_bus(place.server.settings("swapper"), "swapper", SystemClock())
    yield bus
    await bus.close()


def complete(swap_id: str) -> SwapComplete:
    return SwapComplete(
        swap_id=swap_id,
        n=1,
        model="m",
        requested_by="Alice",
        served_name="org/m",
        total_seconds=1.0,
        finished_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


async def tell(swapper: NatsBus, *ids: str) -> None:
    for swap_id in ids:
        told = await swapper.publish_durable(
            f"swap.complete.{swap_id}", complete(swap_id), id=swap_id
        )
        assert isinstance(told, Stored)


async def take(client: Client, name: str, count: int) -> list[str]:
    """Fetch from the automation's own durable consumer and acknowledge, as its owner would."""
    js = client.jetstream()
    own = await js.pull_subscribe_bind(durable=f"auto_{name}", stream=STREAM)
    found = []
    for message in await own.fetch(count, timeout=60):
        found.append(message.subject)
        await message.ack_sync(timeout=60)
    return found


async def test_one_that_is_let_in_hears_asks_and_misses_nothing(place: Place, swapper) -> None:
    before = swapper._link.client.stats["reconnects"]
    await tell(swapper, "before")
    result = await place.add("nightly")
    assert swapper._link.client.stats["reconnects"] == before, "the others stay connected"
    assert "let in" in result.stderr
    assert stat.S_IMODE(place.seed_file("nightly").stat().st_mode) == 0o600
    client = await place.connect("nightly")
    try:
        heard = await client.subscribe("swap.complete")
        await client.flush()
        await client.flush()
        await client.publish("swap.requested", b'{"model": "m"}')
        await tell(swapper, "a", "b")
        assert json.loads((await heard.next_msg(5)).data)["data"]["swap_id"] == "a"
        # What was told before it was let in is not for it; what it was away for is.
        assert await take(client, "nightly", 2) == ["swap.complete.a", "swap.complete.b"]
    finally:
        await client.close()
    await tell(swapper, "c")
    again = await place.connect("nightly")
    try:
        assert await take(again, "nightly", 1) == ["swap.complete.c"]
    finally:
        await again.close()
    ingress = (await swapper.bounds("SC_INGRESS"))[2]
    assert ingress == 1


async def test_the_seed_is_printed_only_when_asked_and_then_alone(place: Place) -> None:
    silent = await place.add("silent")
    seed = place.seed_file("silent").read_text().strip()
    assert seed not in silent.output
    assert silent.stdout == ""
    shown = await place.add("shown", "--print")
    assert shown.stdout.strip() == place.seed_file("shown").read_text().strip()
    listed = await place.run("list")
    assert "SU" not in listed.output
    assert seed not in (place.folder / "nats" / "nats.conf").read_text()


async def test_two_cannot_touch_each_other(place: Place, swapper) -> None:
    await place.add("alice")
    await place.add("bob")
    await tell(swapper, "a")
    refused: list[str] = []
    bob = await place.connect("bob", refused)
    try:
        await bob.subscribe("_INBOX_auto_alice.>")
        for verb in ("MSG.NEXT", "INFO", "DELETE", "DURABLE.CREATE"):
            await bob.publish(f"$JS.API.CONSUMER.{verb}.{STREAM}.auto_alice", b"")
        await bob.publish(f"$JS.ACK.{STREAM}.auto_alice.1.1.1.1.0", b"+ACK")
        await bob.publish(f"$JS.API.STREAM.PURGE.{STREAM}", b"")
        await bob.publish("swap.complete.forged", b"{}")
        await bob.flush()
        await bob.flush()
        assert len(refused) == 8
    finally:
        await bob.close()
    alice = await place.connect("alice")
    try:
        assert await take(alice, "alice", 1) == ["swap.complete.a"]
    finally:
        await alice.close()


async def test_it_may_make_and_delete_its_own_consumer(place: Place, swapper) -> None:
    """As libraries do it: gone after thirty days away, it is made again by its automation."""
    await place.add("nightly")
    await tell(swapper, "a")
    refused: list[str] = []
    client = await place.connect("nightly", refused)
    try:
        js = client.jetstream()
        assert await js.delete_consumer(STREAM, "auto_nightly")
        for subject in (None, "swap.failed.*"):
            made = await js.add_consumer(
                STREAM,
                ConsumerConfig(
                    durable_name="auto_nightly",
                    ack_policy=AckPolicy.EXPLICIT,
                    filter_subject=subject,
                    inactive_threshold=30 * 24 * 3600,
                ),
            )
            assert made.num_pending == (0 if subject else 1)
            await js.delete_consumer(STREAM, "auto_nightly")
        assert refused == []
        assert (await place.run("add", "nightly")).exit_code == 0
        info = await js.consumer_info(STREAM, "auto_nightly")
        assert info.config.inactive_threshold == 30 * 24 * 3600
    finally:
        await client.close()


async def test_one_that_is_put_out_is_cut_off_at_once(place: Place, swapper) -> None:
    await place.add("alice")
    await place.add("bob")
    alice, bob = await place.connect("alice"), await place.connect("bob")
    try:
        seed = place.seed_file("bob").read_bytes()
        result = await place.run("rm", "bob")
        assert result.exit_code == 0, result.output
        await until(lambda: bob.is_closed, "the connection of the one who is out has ended")
        assert alice.is_connected
        assert swapper.health().connected
        place.seed_file("bob").write_bytes(seed)
        with pytest.raises((nats.errors.Error, OSError)):
            await place.connect("bob")
        assert not place.identities.joinpath("automations/bob.pub").exists()
        swept = await place.run("list", "--json")
        assert [row["name"] for row in json.loads(swept.stdout)] == ["alice"]
        link = await connect_bus(place.server.settings("provisioner"), "provisioner", SystemClock())
        consumers = await link._link.api(f"CONSUMER.NAMES.{STREAM}")
        await link.close()
        assert "auto_bob" not in consumers["consumers"]
        assert "auto_alice" in consumers["consumers"]
    finally:
        for client in (alice, bob):
            with suppress(nats.errors.Error):
                await client.close()


async def test_everything_survives_a_restart_of_the_server(place: Place, swapper) -> None:
    await place.add("nightly")
    await tell(swapper, "a")
    url = place.server.url
    await place.server.terminate()
    # As the next `sparkctl up`: another process, the same folder.
    place.server = NatsServer(place.folder / "nats")
    await place.server.start()
    assert place.server.url == url, "automations wrote it down"
    client = await place.connect("nightly")
    try:
        assert await take(client, "nightly", 1) == ["swap.complete.a"]
    finally:
        await client.close()


async def test_without_a_running_server_it_is_let_in_at_the_next_start(place: Place) -> None:
    await place.server.terminate()
    result = await place.add("nightly")
    assert "as soon as NATS starts" in result.stderr
    listed = json.loads((await place.run("list", "--json")).stdout)
    assert listed[0]["connections"] is None
    await place.server.start()
    client = await place.connect("nightly")
    await client.close()
    gone = await place.run("rm", "nightly")
    assert gone.exit_code == 0


async def test_the_list_shows_who_is_connected_and_what_waits(place: Place, swapper) -> None:
    nobody = await place.run("list")
    assert nobody.stdout.startswith("nobody")
    await place.add("nightly")
    client = await place.connect("nightly")
    try:
        await tell(swapper, "a", "b")
        row = json.loads((await place.run("list", "--json")).stdout)[0]
        assert (row["connections"], row["unread"], row["unsettled"]) == (1, 2, 0)
        shown = (await place.run("list")).stdout.splitlines()
        assert shown[0].split() == ["NAME", "CONNECTED", "UNREAD", "UNSETTLED", "SEED"]
        assert shown[1].split()[:4] == ["nightly", "1", "2", "0"]
    finally:
        await client.close()


async def test_a_configuration_that_nats_refuses_lets_nobody_in(place: Place) -> None:
    """Somebody broke it by hand elsewhere: what was added is taken back, the reason is told."""
    config = place.folder / "nats" / "nats.conf"
    blocked = config.with_name("nats.conf.draft")
    await place.add("alice")
    blocked.mkdir()
    result = await place.run("add", "bob")
    assert result.exit_code == 1
    assert "Traceback" not in result.output
    blocked.rmdir()
    assert [row["name"] for row in json.loads((await place.run("list", "--json")).stdout)] == [
        "alice"
    ]


@pytest.mark.parametrize("name", ["A", "a.b", "../x", ">"])
async def test_a_bad_name_is_one_line(place: Place, name: str) -> None:
    for verb in ("add", "rm"):
        result = await place.run(verb, name)
        assert result.exit_code == 1
        assert result.stderr.startswith("Error: ")
        assert "cannot be the name" in result.stderr


async def test_putting_out_a_stranger_is_one_line(place: Place) -> None:
    result = await place.run("rm", "nobody")
    assert (result.exit_code, result.stderr) == (1, "Error: there is no automation 'nobody'\n")


def test_without_a_folder_it_says_what_to_do(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("NATS_IDENTITIES", "NATS_CONFIG", "NATS_URL"):
        monkeypatch.delenv(name, raising=False)
    result = CliRunner().invoke(main, ["automation", "list"])
    assert result.exit_code == 1
    assert "sparkctl up" in result.stderr
    assert not list(tmp_path.iterdir())


async def test_in_containers_the_files_of_init_are_used(place: Place, tmp_path: Path) -> None:
    """``init`` makes them, the command changes them, NATS is asked over the network."""
    words = ["--identities", str(place.identities), "--nats-config", str(place.server.config_file)]
    runner = CliRunner()
    made = await asyncio.to_thread(
        runner.invoke, main, ["automation", "add", "n8n", *words, "--nats-url", place.server.url]
    )
    assert made.exit_code == 0, made.output
    client = await place.connect("n8n")
    await client.close()
