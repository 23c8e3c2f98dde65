"""What is on disk after a run: streams, records and the journal of effects."""

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from chaos_lab.load import Answers, Wish
from chaos_lab.plant import SCALED_STREAMS, Plant
from chaos_lab.sandbox import Effect

from spark_common.bus import wire
from spark_common.bus.nats_link import ApiError, NatsLink, read_seed
from spark_common.clock import SystemClock
from spark_common.events import SwapComplete, SwapFailed
from spark_common.redis_access import connect_redis
from spark_swapper.adapters.redis_jobs import RedisJobs
from spark_swapper.records.jobs import SwapJob

Outcome = SwapComplete | SwapFailed
_NO_MESSAGE = 10037


@dataclass(frozen=True)
class Evidence:
    """Everything the checker judges from."""

    wishes: tuple[Wish, ...]
    answers: Answers
    commands: tuple[str, ...]
    """Ids of the stored commands, in order."""
    told_accepted: frozenset[str]
    told_rejected: frozenset[str]
    outcomes: tuple[Outcome, ...]
    effects: tuple[Effect, ...]
    records: dict[str, SwapJob]
    live: tuple[str, ...]
    unfinished: dict[str, int]
    """Durable consumer and how many messages it still holds or has not delivered."""


@asynccontextmanager
async def provisioner(plant: Plant) -> AsyncIterator[NatsLink]:
    """Connect as the one who may look at and change everything of JetStream."""
    settings = plant.nats.settings("provisioner")
    link = NatsLink("provisioner", SystemClock(), lambda: None)
    await link.connect(settings.url, read_seed(settings.seed_file))
    try:
        yield link
    finally:
        await link.close()


async def unfinished(link: NatsLink) -> dict[str, int]:
    """Return what every durable consumer has left to do."""
    left = {}
    for spec in SCALED_STREAMS:
        for consumer in spec.consumers:
            state = await link.api(f"CONSUMER.INFO.{spec.name}.{consumer.name}")
            left[consumer.name] = int(state["num_pending"]) + int(state["num_ack_pending"])
    return left


async def collect(plant: Plant, wishes: list[Wish], answers: Answers) -> Evidence:
    """Read it all."""
    async with provisioner(plant) as link:
        commands = [subject for subject, _ in await messages(link, "SC_SWAP_CMD")]
        told = [subject.split(".") for subject, _ in await messages(link, "SC_SWAP_ADM")]
        outcomes = [_outcome(*message) for message in await messages(link, "SC_SWAP_EVT")]
        left = await unfinished(link)
    redis = connect_redis(plant.redis.settings, "checker")
    try:
        store = RedisJobs(redis)
        records = {wish.swap_id: await store.get(wish.swap_id) for wish in wishes}
        live = [job.id for job in await store.live()]
    finally:
        await redis.aclose()
    prefix = "swap.requested."
    return Evidence(
        wishes=tuple(wishes),
        answers=answers,
        commands=tuple(one.removeprefix(prefix) for one in commands if one.startswith(prefix)),
        told_accepted=frozenset(swap_id for _, how, swap_id in told if how == "accepted"),
        told_rejected=frozenset(swap_id for _, how, swap_id in told if how == "rejected"),
        outcomes=tuple(outcomes),
        effects=tuple(plant.sandbox.effects()),
        records={swap_id: job for swap_id, job in records.items() if job is not None},
        live=tuple(live),
        unfinished=left,
    )


def _outcome(subject: str, payload: bytes) -> Outcome:
    envelope = wire.unseal(payload)
    assert envelope is not None, subject
    kind = SwapComplete if subject.startswith("swap.complete.") else SwapFailed
    return kind.model_validate(envelope.data)


async def messages(link: NatsLink, stream: str) -> list[tuple[str, bytes]]:
    """Return subject and body of everything in a stream, in order."""
    state = (await link.api(f"STREAM.INFO.{stream}"))["state"]
    found = []
    for seq in range(max(1, int(state["first_seq"])), int(state["last_seq"]) + 1):
        try:
            answer = await link.api(f"STREAM.MSG.GET.{stream}", {"seq": seq})
        except ApiError as error:
            if error.err_code != _NO_MESSAGE:
                raise
            continue
        message = answer["message"]
        found.append((message["subject"], base64.b64decode(message.get("data", ""))))
    return found
