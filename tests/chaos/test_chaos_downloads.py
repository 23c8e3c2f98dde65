"""Downloads and cancels while everything is killed at random: each ends once, nothing is left."""

import asyncio
import random
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from chaos_lab.downloads import (
    DownloadClients,
    collect_downloads,
    draw_downloads,
    judge_downloads,
)
from chaos_lab.faults import Fault, Killer
from chaos_lab.plant import Plant

from spark_common.redis_access import connect_redis
from spark_common.testing.noting import note
from spark_common.testing.wait import until

pytestmark = [pytest.mark.chaos, pytest.mark.connected]
DOWNLOADS = 30
FAULTS = {
    "kill swapper": 7,
    "freeze swapper": 3,
    "kill nats": 2,
    "kill redis": 2,
    "hang nats": 1,
    "hang redis": 1,
}


@pytest.mark.timeout(240)
async def test_every_accepted_download_ends_once_and_leaves_nothing_running(
    tmp_path: Path, seed: int, say: Callable[[str], None], request: pytest.FixtureRequest
) -> None:
    rng = random.Random(seed)
    wishes = draw_downloads(rng, DOWNLOADS)
    kinds = [kind for kind, count in FAULTS.items() for _ in range(count)]
    rng.shuffle(kinds)
    faults = [Fault(kind, 0, rng.uniform(0.1, 0.6), rng.uniform(0, 0.4)) for kind in kinds]
    began = time.monotonic()
    async with Plant(tmp_path).running() as plant:
        clients = DownloadClients(plant, wishes)
        killer = Killer(plant, faults)
        async with asyncio.TaskGroup() as storm:
            storm.create_task(clients.run())
            storm.create_task(killer.run(lambda: False))
        await _nothing_lives(plant)
        evidence = await collect_downloads(plant, wishes)
        ends = Counter(state for told in evidence.outcomes.values() for state in told)
        say(
            f"CHAOS_SEED={seed}: {dict(killer.counts)}, {len(clients.accepted)} downloads, "
            f"{len(clients.cancelled)} cancels, {dict(ends)}, {len(evidence.effects)} effects, "
            f"{time.monotonic() - began:.0f} s"
        )
        wrong = judge_downloads(evidence, clients, plant.sandbox)
        note(
            request.node,
            killer.counts,
            seed=seed,
            downloads=len(clients.accepted),
            cancels=len(clients.cancelled),
            effects=len(evidence.effects),
            wrong="; ".join(wrong) or "nothing",
        )
        assert wrong == []
        assert ends["complete"] >= DOWNLOADS / 4


async def _nothing_lives(plant: Plant) -> None:
    redis = connect_redis(plant.redis.settings, "checker")

    async def over() -> bool:
        return not await redis.zcard("sc:download:live")

    try:
        await until(over, "no download lives")
    finally:
        await redis.aclose()
