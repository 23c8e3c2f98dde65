"""Streams and consumers on a real server: made, kept, changed, repaired."""

import shutil
from dataclasses import dataclass, replace

import pytest
import structlog

from spark_common.bus.nats import connect_bus
from spark_common.bus.nats_link import ApiError
from spark_common.bus.port import Duplicate, Refused, Stored
from spark_common.bus.provision import (
    _provision_consumer,
    _provision_stream,
    consumer_config,
    provision,
    stream_config,
)
from spark_common.bus.server_config import MAX_FILE_BYTES
from spark_common.bus.streams import STREAMS, ConsumerSpec, StreamSpec, stream_of
from spark_common.clock import SystemClock
from spark_common.embedded import NatsServer
from spark_common.errors import UnavailableError
from spark_common.events import SwapStart

START = SwapStart(swap_id="x", model="m", requested_by="alice", lease_epoch=0)


def test_every_subject_has_one_home() -> None:
    for subject, stream in {
        "swap.requested": "SC_INGRESS",
        "swap.requested.a": "SC_SWAP_CMD",
        "swap.cancel.a": "SC_SWAP_CMD",
        "swap.complete.a": "SC_SWAP_EVT",
        "swap.failed.a": "SC_SWAP_EVT",
        "swap.accepted.a": "SC_SWAP_ADM",
        "swap.rejected.a": "SC_SWAP_ADM",
        "swap.progress.a": "SC_PROGRESS",
    }.items():
        owners = [spec.name for spec in STREAMS if spec.owns(subject)]
        assert owners == [stream]
    for homeless in ("swap.complete", "swap.failed", "menu.changed", "swap.requested.a.b"):
        assert stream_of(homeless) is None


def test_all_streams_together_fit_on_the_disk_they_are_given() -> None:
    assert all(spec.max_bytes > 0 and spec.max_age_seconds > 0 for spec in STREAMS)
    assert sum(spec.max_bytes for spec in STREAMS) < 0.7 * MAX_FILE_BYTES


@pytest.mark.connected
async def test_the_server_has_what_the_specifications_say(nats_server) -> None:
    await provision(nats_server.settings("provisioner"), SystemClock())
    bus = await connect_bus(nats_server.settings("provisioner"), "provisioner", SystemClock())
    for spec in STREAMS:
        standing = (await bus._link.api(f"STREAM.INFO.{spec.name}"))["config"]
        wanted = stream_config(spec)
        assert {name: standing.get(name) for name in wanted} == wanted
        for consumer in spec.consumers:
            path = f"CONSUMER.INFO.{spec.name}.{consumer.name}"
            standing = (await bus._link.api(path))["config"]
            wanted = consumer_config(consumer)
            assert {name: standing.get(name) for name in wanted} == wanted
    await bus.close()


@pytest.mark.connected
async def test_a_changed_limit_is_carried_over(nats_server) -> None:
    changed = tuple(
        replace(spec, max_messages=spec.max_messages - 1, description="changed") for spec in STREAMS
    )
    await provision(nats_server.settings("provisioner"), SystemClock(), changed)
    bus = await connect_bus(nats_server.settings("provisioner"), "provisioner", SystemClock())
    for spec in changed:
        standing = (await bus._link.api(f"STREAM.INFO.{spec.name}"))["config"]
        assert (standing["max_msgs"], standing["description"]) == (spec.max_messages, "changed")
    await bus.close()


def of_older_versions() -> tuple[StreamSpec, ...]:
    """Streams as versions before wrote them: fewer, with other subjects, limits and readers."""
    older = {
        "SC_SWAP_CMD": {"consumers": (ConsumerSpec("swapper", "swap.requested.*"),)},
        "SC_SWAP_EVT": {
            "consumers": (ConsumerSpec("webhook", ">", 30.0, max_deliver=-1, max_ack_pending=16),)
        },
        "SC_HEALTH": {"subjects": ("health.transition.*", "service.action")},
        "SC_PROBES": {"max_age_seconds": 86_400.0, "max_bytes": 5_000_000, "consumers": ()},
    }
    return tuple(replace(spec, **older[spec.name]) for spec in STREAMS if spec.name in older)


@pytest.mark.connected
async def test_streams_of_older_versions_are_brought_up_to_date_without_loss(tmp_path) -> None:
    server = NatsServer(tmp_path)
    await server.start()
    await provision(server.settings("provisioner"), SystemClock(), of_older_versions())
    bus = await connect_bus(server.settings("swapper"), "swapper", SystemClock())
    for name in ("done", "owed"):
        assert await bus.publish_durable(f"swap.requested.{name}", START, id=name) is not None
    work = bus.work("SC_SWAP_CMD", "swapper")
    await (await anext(work)).done()
    await work.aclose()
    bounds = await bus.bounds("SC_SWAP_CMD")

    await provision(server.settings("provisioner"), SystemClock())

    assert await bus.bounds("SC_SWAP_CMD") == bounds
    work = bus.work("SC_SWAP_CMD", "swapper")
    delivery = await anext(work)
    assert delivery.message.subject == "swap.requested.owed"
    await delivery.done()
    await work.aclose()
    assert isinstance(await bus.publish_durable("swap.requested.done", START, id="x"), Duplicate)
    await bus.close()
    bus = await connect_bus(server.settings("provisioner"), "provisioner", SystemClock())
    for spec in STREAMS:
        standing = (await bus._link.api(f"STREAM.INFO.{spec.name}"))["config"]
        assert stream_config(spec).items() <= standing.items()
        listed = (await bus._link.api(f"CONSUMER.LIST.{spec.name}"))["consumers"] or []
        found = {one["name"]: one["config"] for one in listed}
        assert found.keys() == {one.name for one in spec.consumers}
        for one in spec.consumers:
            assert consumer_config(one).items() <= found[one.name].items()
    await bus.close()
    await server.terminate()


@pytest.mark.connected
async def test_only_the_provisioner_makes_streams(nats_server) -> None:
    with pytest.raises(UnavailableError):
        await provision(nats_server.settings("swapper"), SystemClock())


@pytest.mark.connected
async def test_a_full_command_stream_refuses_loudly(nats_server) -> None:
    """The server's number for "full" is also its number for "already there"."""
    small = tuple(replace(spec, max_bytes=4_000) for spec in STREAMS if spec.one_per_subject)
    await provision(nats_server.settings("provisioner"), SystemClock(), small)
    bus = await connect_bus(nats_server.settings("swapper"), "swapper", SystemClock())
    results = [
        await bus.publish_durable(f"swap.requested.s{n}", START, id=f"s{n}") for n in range(20)
    ]
    assert isinstance(results[0], Stored)
    assert isinstance(results[-1], Refused)
    assert await bus.last_message("SC_SWAP_CMD", "swap.requested.s19") is None
    await bus.close()


@pytest.mark.connected
async def test_work_goes_on_when_the_disk_lost_messages(nats_server) -> None:
    """The server of today heals this by itself, older ones need the repair below."""
    bus = await connect_bus(nats_server.settings("swapper"), "swapper", SystemClock())
    work = bus.work("SC_SWAP_CMD", "swapper")
    [messages] = nats_server.directory.glob("jetstream/jetstream/*/streams/SC_SWAP_CMD/msgs")
    older = nats_server.directory / "older"
    for name in ("a", "b", "c"):
        await bus.publish_durable(f"swap.requested.{name}", START, id=name)
        await (await anext(work)).done()
        if name == "a":
            shutil.copytree(messages, older)
    await work.aclose()
    await bus.close()
    await nats_server.terminate()
    # A power cut on a disk that lies: the messages are those of before, the consumer is not.
    shutil.rmtree(messages)
    older.rename(messages)
    await nats_server.start()
    await provision(nats_server.settings("provisioner"), SystemClock())
    bus = await connect_bus(nats_server.settings("swapper"), "swapper", SystemClock())
    assert await bus.publish_durable("swap.requested.d", START, id="d") == Stored(2)
    work = bus.work("SC_SWAP_CMD", "swapper")
    delivery = await anext(work)
    assert delivery.message.subject == "swap.requested.d"
    await delivery.done()
    await work.aclose()
    await bus.close()


@dataclass
class OlderServer:
    """The part of the JetStream API that keeps consumers, with one that is ahead."""

    floors: dict[str, int]

    async def api(self, verb: str, body: dict[str, object] | None = None) -> dict[str, object]:
        name = verb.rpartition(".")[2]
        if verb.startswith("CONSUMER.DELETE."):
            del self.floors[name]
        elif verb.startswith("CONSUMER.DURABLE.CREATE."):
            self.floors.setdefault(name, 0)
        elif name not in self.floors:
            raise ApiError(10014, "consumer not found")
        return {"ack_floor": {"stream_seq": self.floors.get(name, 0)}}


async def test_a_consumer_ahead_of_its_stream_is_made_anew() -> None:
    spec = stream_of("swap.requested.a")
    assert spec is not None
    server = OlderServer({"swapper": 5, "swapper-cancel": 3})
    with structlog.testing.capture_logs() as logs:
        for consumer in spec.consumers:
            await _provision_consumer(server, spec, consumer, last_seq=3)
    assert server.floors == {"swapper": 0, "swapper-cancel": 3}
    assert [(entry["event"], entry["durable"]) for entry in logs] == [
        ("bus.consumer_ahead_of_stream", "swapper")
    ]


@pytest.mark.parametrize("limit", [STREAMS[0].max_messages, 1])
async def test_the_number_of_copies_is_the_owners(limit: int) -> None:
    """Three servers keep what one cannot: asked of a server that is played."""
    spec = STREAMS[0]
    standing = stream_config(spec) | {"num_replicas": 3, "max_msgs": limit}
    updates: list[dict[str, object]] = []

    class Link:
        async def api(self, path: str, config: dict[str, object] | None = None):
            if path.startswith("STREAM.UPDATE"):
                assert config is not None
                updates.append(config)
            return {"config": standing, "state": {"last_seq": 7}}

    assert await _provision_stream(Link(), spec) == 7
    assert updates == ([] if limit != 1 else [standing | {"max_msgs": spec.max_messages}])
