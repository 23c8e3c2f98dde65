"""Reading a stream in order and without gaps, over every kind of interruption."""

from collections.abc import AsyncIterator, Sequence

import nats.errors
import structlog
from nats.aio.msg import Msg

from spark_common.bus.nats_inflow import Inflow
from spark_common.bus.nats_link import NatsLink
from spark_common.bus.nats_streams import NatsStreams
from spark_common.bus.nats_work import stored_message
from spark_common.bus.port import StoredMessage
from spark_common.errors import UnavailableError

_HEARTBEAT_SECONDS = 0.5
_SILENCE_SECONDS = 2.0
_NANO = 1_000_000_000
_QUEUE = 1024

log = structlog.get_logger(__name__)


async def tail(
    link: NatsLink,
    streams: NatsStreams,
    stream: str,
    subjects: Sequence[str],
    after_seq: int | None,
) -> AsyncIterator[StoredMessage]:
    """Yield messages behind ``after_seq`` until the link closes.

    Every short-lived consumer starts behind the last message that was yielded; when it falls
    silent, skips a number or the connection was renewed, the next one takes over. A stream that
    was created anew is read from its beginning: all of it is news.
    """
    position, epoch = after_seq, None
    while not link.closing:
        inflow = Inflow(link, _QUEUE)
        try:
            found, _, last = await streams.bounds(stream)
            position = _resume(position, last, is_new=epoch not in (None, found))
            epoch = found
            await _start_consumer(link, inflow, stream, subjects, position)
            async for message in _unbroken(link, inflow):
                stored = stored_message(stream, epoch, message)
                position = stored.seq
                yield stored
        except UnavailableError as error:
            if not link.closing:
                log.info("bus.tail_waits", stream=stream, reason=error.message)
                await link.pause()
        finally:
            await inflow.close()


def _resume(position: int | None, last: int, *, is_new: bool) -> int:
    if is_new:
        return 0
    # Behind the end is nothing: the numbers up to the end will be given to other messages.
    return last if position is None else min(position, last)


async def _start_consumer(
    link: NatsLink, inflow: Inflow, stream: str, subjects: Sequence[str], position: int
) -> None:
    inbox = link.client.new_inbox()
    await inflow.open(inbox)
    config: dict[str, object] = {
        "deliver_subject": inbox,
        "deliver_policy": "by_start_sequence",
        "opt_start_seq": position + 1,
        "ack_policy": "none",
        "max_deliver": 1,
        "flow_control": True,
        "idle_heartbeat": int(_HEARTBEAT_SECONDS * _NANO),
        "inactive_threshold": 30 * _NANO,
        "mem_storage": True,
        "num_replicas": 1,
    }
    if tuple(subjects) != (">",):
        config["filter_subjects"] = list(subjects)
    await link.api(f"CONSUMER.CREATE.{stream}", {"stream_name": stream, "config": config})


async def _unbroken(link: NatsLink, inflow: Inflow) -> AsyncIterator[Msg]:
    """Yield messages while their numbers follow each other; the end means: start anew."""
    delivered = 0
    while not link.closing:
        message = await inflow.next(_SILENCE_SECONDS)
        if message is None:
            return
        headers = message.headers or {}
        if not message.data and headers.get("Status") == "100":
            if not await _answer_control(link, message, headers, delivered):
                return
            continue
        if message.metadata.sequence.consumer != delivered + 1:
            return
        delivered += 1
        yield message


async def _answer_control(
    link: NatsLink, message: Msg, headers: dict[str, str], delivered: int
) -> bool:
    resume_on = message.reply or headers.get("Nats-Consumer-Stalled")
    if resume_on:
        try:
            await link.client.publish(resume_on)
        except nats.errors.Error:
            return False
    last = headers.get("Nats-Last-Consumer")
    return last is None or int(last) == delivered
