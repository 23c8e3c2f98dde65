"""Every container that is restarted by itself, on simulated Sparks: judged by their journal."""

from pathlib import Path

import pytest
from redis.asyncio import Redis

from spark_common.clock import SystemClock
from spark_common.contracts.deep_health import DeepResult
from spark_common.remote.ssh import SshShell
from spark_common.settings.policies import RemedySettings
from spark_common.settings.support import (
    EmbedSettings,
    KokoroSettings,
    ParakeetSettings,
    QdrantSettings,
)
from spark_health.deep.ports import Outcome, Place
from spark_health.remedies.book import RemedyBook
from spark_health.remedies.remedying import Remedies
from spark_health.remedies.ssh_containers import SshContainers
from spark_health.remedies.testing.fakes import FakeLeases, FakeScene
from spark_sim.two_sparks import two_sparks

pytestmark = pytest.mark.connected
GPU = Outcome("failing", "its GPU failed (HTTP 500)", 12.0, "gpu_error", evidence=("HTTP 500",))
CONTAINERS = {
    "parakeet": ("spark1", ParakeetSettings().parakeet_container),
    "kokoro": ("spark1", KokoroSettings().kokoro_container),
    "embeddings": ("spark2", EmbedSettings().embed_container),
    "qdrant": ("spark2", QdrantSettings().qdrant_container),
}


async def test_each_is_the_right_one_once_within_its_budget_and_never_beside_a_swap(
    tmp_path: Path, redis: Redis
) -> None:
    async with two_sparks(tmp_path, neighbours=True, service_containers=True, speed=2000) as sparks:
        clock, scene = SystemClock(), FakeScene()
        shell = SshShell(sparks.settings, clock)
        leases = FakeLeases(scene)
        book = RemedyBook(redis)
        remedies = Remedies(
            book=book, containers=SshContainers(shell), leases=leases, scene=scene,
            clock=clock, policy=RemedySettings, recheck=lambda _, __: None,
        )  # fmt: skip

        def restarted() -> list[tuple[str, object]]:
            rows = sparks.cluster.journal.of("container_restarted")
            return [(row.host, row.details["name"]) for row in rows]

        for service, (host, container) in CONTAINERS.items():
            place = Place(service, service, "http://127.0.0.9:1", host, container)
            before = restarted()
            result = DeepResult(state="failing", sentence="", at=clock.now())
            await remedies.heard(place, result, GPU)
            scene.swaps[host] = "a swap to Gemma runs on it"
            await remedies.turn()
            scene.swaps.clear()
            scene.about_to_begin = "a swap to Gemma waits for its turn"
            await remedies.turn()
            scene.about_to_begin = None
            assert restarted() == before, f"{service} was touched beside a swap"
            for _ in range(3):
                await remedies.turn()
            assert restarted() == [*before, (host, container)]
            # Started seconds ago, and restarted less than two minutes ago: it rests.
            await remedies.heard(place, result, GPU)
            await remedies.turn()
            assert restarted() == [*before, (host, container)]
            assert len(await book.tries(f"{host}/{container}")) == 1
            remedies.standing.clear()
        assert leases.held_now is None
        assert len(leases.log) == len(CONTAINERS)
        await shell.close()
