"""Create and repair every stream and durable consumer; the coordinator runs it at its start."""

from collections.abc import Iterable
from typing import Any

import structlog

from spark_common.bus.nats_link import ApiError, NatsLink, end_process, read_seed
from spark_common.bus.nats_streams import NO_STREAM
from spark_common.bus.streams import STREAMS, ConsumerSpec, StreamSpec
from spark_common.clock import Clock
from spark_common.settings import BusSettings

_NANO = 1_000_000_000
NO_CONSUMER = 10014

log = structlog.get_logger(__name__)


async def provision(
    settings: BusSettings, clock: Clock, streams: Iterable[StreamSpec] = STREAMS
) -> None:
    """Make the server's streams and consumers what the specifications say; repeatable.

    ``settings.seed_file`` is the provisioner's: nobody else may create streams.
    Raises UnavailableError when the server does not answer or refuses a change.
    """
    link = NatsLink("provisioner", clock, end_process)
    await link.connect(settings.url, read_seed(settings.seed_file))
    try:
        for spec in streams:
            last_seq = await _provision_stream(link, spec)
            for consumer in spec.consumers:
                await _provision_consumer(link, spec, consumer, last_seq)
    finally:
        await link.close()


async def _provision_stream(link: NatsLink, spec: StreamSpec) -> int:
    config = stream_config(spec)
    try:
        standing = await link.api(f"STREAM.INFO.{spec.name}")
    except ApiError as error:
        if error.err_code != NO_STREAM:
            raise
        await link.api(f"STREAM.CREATE.{spec.name}", config)
        log.info("bus.stream_created", stream=spec.name)
        return 0
    # One server or three is the owner's choice, and a stream's copies with it.
    config["num_replicas"] = standing["config"].get("num_replicas", 1)
    if any(standing["config"].get(name) != value for name, value in config.items()):
        await link.api(f"STREAM.UPDATE.{spec.name}", standing["config"] | config)
        log.info("bus.stream_updated", stream=spec.name)
    return int(standing["state"]["last_seq"])


async def _provision_consumer(
    link: NatsLink, spec: StreamSpec, consumer: ConsumerSpec, last_seq: int
) -> None:
    try:
        standing = await link.api(f"CONSUMER.INFO.{spec.name}.{consumer.name}")
    except ApiError as error:
        if error.err_code != NO_CONSUMER:
            raise
    else:
        if int(standing["ack_floor"]["stream_seq"]) > last_seq:
            # Such a consumer never delivers again. Its messages may come a second time,
            # which every worker has to bear anyway.
            log.error("bus.consumer_ahead_of_stream", stream=spec.name, durable=consumer.name)
            await link.api(f"CONSUMER.DELETE.{spec.name}.{consumer.name}")
    config = consumer_config(consumer)
    await link.api(
        f"CONSUMER.DURABLE.CREATE.{spec.name}.{consumer.name}",
        {"stream_name": spec.name, "config": config},
    )


def stream_config(spec: StreamSpec) -> dict[str, Any]:
    """Return a stream in JetStream's own words; ages in nanoseconds."""
    config: dict[str, Any] = {
        "name": spec.name,
        "description": spec.description,
        "subjects": list(spec.subjects),
        "retention": "limits",
        "storage": "file",
        "num_replicas": 1,
        "max_age": int(spec.max_age_seconds * _NANO),
        "max_msgs": spec.max_messages,
        "max_bytes": spec.max_bytes,
        "max_msg_size": spec.max_message_bytes,
        "max_msgs_per_subject": 1 if spec.one_per_subject else spec.max_per_subject,
        "discard": "new" if spec.refuse_when_full or spec.one_per_subject else "old",
        "duplicate_window": int(spec.duplicate_window_seconds * _NANO),
    }
    if spec.one_per_subject:
        config["discard_new_per_subject"] = True
    if spec.permanent:
        config |= {"deny_delete": True, "deny_purge": True}
    if spec.republish is not None:
        config["republish"] = {"src": spec.republish.source, "dest": spec.republish.destination}
    return config


def consumer_config(consumer: ConsumerSpec) -> dict[str, Any]:
    """Return a durable pull consumer in JetStream's own words."""
    return {
        "durable_name": consumer.name,
        "deliver_policy": "all",
        "ack_policy": "explicit",
        "ack_wait": int(consumer.ack_wait_seconds * _NANO),
        "max_deliver": consumer.max_deliver,
        "max_ack_pending": consumer.max_ack_pending,
        "filter_subject": consumer.subject,
        "replay_policy": "instant",
    }
