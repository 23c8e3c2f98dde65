"""The whole way on simulated Sparks: a fault, a check, a restart over SSH, the journal."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest
from health_stand.on_sparks import BOX, stand
from redis.asyncio import Redis

from spark_common.clock import SystemClock
from spark_common.contracts.swaps import Phase, SwapView
from spark_common.events import HealthChecked, HealthProbeRequested, HealthReport
from spark_common.remote.ssh import SshShell
from spark_common.subjects import HEALTH_PROBE, HEALTH_REPORT, health_checked
from spark_common.tasks import end
from spark_common.testing.wait import until
from spark_health.remedies.ssh_containers import SshContainers
from spark_health.watching.reports import Reports
from spark_sim.two_sparks import two_sparks

pytestmark = pytest.mark.connected


async def test_a_fault_is_seen_healed_once_and_told(tmp_path: Path, redis: Redis) -> None:
    async with stand(tmp_path, redis) as sparks:
        found = {name: await sparks.check(name) for name in sparks.part.runner.checked()}
        assert {name: one.state for name, one in found.items()} == {
            "vllm": "idle",
            "parakeet": "ok",
            "kokoro": "ok",
            "embeddings": "ok",
            "qdrant": "ok",
        }
        assert found["parakeet"].facts == {"words_heard": 9, "words_said": 9}

        for behaviour, state in (("voice_silent", "failing"), ("voice_errors", "wedged")):
            await sparks.cluster.behave("spark1", behaviour)
            assert (await sparks.check("kokoro")).state == state
        await sparks.cluster.behave("spark1", "ok")
        assert (await sparks.check("kokoro")).state == "ok"

        # Stuck while a swap runs there, then while somebody holds the cluster: nothing happens.
        await sparks.cluster.behave("spark1", "speech_wedge")
        stuck = await sparks.check("parakeet")
        assert stuck.state == "wedged"
        assert "CUDA error: an illegal memory access was encountered" in stuck.evidence
        sparks.age(seconds=5)
        await sparks.turn()
        assert sparks.restarts == [], "it was started seconds ago"
        sparks.age(seconds=3600)
        sparks.others.swap = SwapView(
            id="s", model="gemma", model_name="Gemma", requested_by="Bob", phase=Phase.LOADING,
            created_at=datetime.now(UTC),
        )  # fmt: skip
        await sparks.turn()
        assert (await sparks.check("parakeet")).state == "skipped"
        sparks.others.swap, sparks.others.holder = None, "Bob"
        await sparks.turn()
        assert (sparks.restarts, sparks.others.held) == ([], [])

        # Nor while a job replaces what is in the container.
        sparks.others.holder = None
        await redis.zadd("sc:overlay:live", {"job": 1})
        await sparks.turn()
        assert (sparks.restarts, sparks.others.held) == ([], [])
        await redis.delete("sc:overlay:live")

        # Now it may: the right container, once, under the lease, with its reason.
        await sparks.cluster.behave("spark1", "ok")
        await sparks.turn()
        await sparks.turn()
        assert sparks.restarts == [BOX]
        assert len(sparks.others.held) == 1
        assert not sparks.others.holds
        [event] = [one for one in await sparks.told() if one.decision == "acted"]
        assert (event.service, event.container, event.ok) == ("parakeet", BOX, True)
        assert event.reason
        assert any("illegal memory access" in line for line in event.evidence)
        await sparks.until_loaded()
        assert (await sparks.check("parakeet")).state == "ok"


async def test_what_an_app_reports_as_broken_is_checked_confirmed_and_restarted_once(
    tmp_path: Path, redis: Redis
) -> None:
    """As the audio proxy does it: it tells what it met, asks for a check, and hears the end."""
    async with stand(tmp_path, redis) as sparks:
        part, clock = sparks.part, SystemClock()
        reports = Reports(sparks.bus, clock, part.runner.checked, part.suspicions.heard)
        orders = [asyncio.create_task(one()) for one in (reports.run, part.orders.run)]
        await sparks.cluster.behave("spark1", "speech_wedge")
        met = HealthReport(
            service="stt", ok=False, source="audio-proxy", error="HTTP 500 CUFFT_INTERNAL_ERROR"
        )
        asked = HealthProbeRequested(target="parakeet", requested_by="audio-proxy")
        for number in range(4):
            await sparks.bus.publish_durable(HEALTH_REPORT, met, id=f"met {number}")
            await sparks.bus.publish_durable(HEALTH_PROBE, asked, id=f"asked {number}")

        async def checked() -> HealthChecked | None:
            last = await sparks.bus.last_message("SC_HEALTH", health_checked("parakeet"))
            if last is None or last.envelope is None:
                return None
            return HealthChecked.model_validate(last.envelope.data)

        async def wedged() -> bool:
            found = await checked()
            return found is not None and found.state == "wedged"

        await until(wedged, "the check says that it is stuck")
        found = await checked()
        assert found is not None
        assert (found.target, found.trigger, found.requested_by) == (
            "parakeet", "event", "audio-proxy",
        )  # fmt: skip
        assert any("CUDA" in line for line in found.evidence)
        await sparks.cluster.behave("spark1", "ok")
        for _ in range(3):
            await sparks.turn()
        assert sparks.restarts == [BOX]
        assert [one.decision for one in await sparks.told()] == ["acted"]
        await end(orders)


async def test_the_spark_itself_restarts_one_run_only_once(tmp_path: Path) -> None:
    async with two_sparks(tmp_path, neighbours=True, speed=2000) as sparks:
        shell = SshShell(sparks.settings, SystemClock())
        containers = SshContainers(shell)
        sight = await containers.look("spark1", BOX)
        assert sight is not None
        assert sight.running
        assert sight.age_seconds > 3600, "it was there before anybody looked"
        late = await containers.restart("spark1", BOX, sight.started_at, sight.seen_at - 60)
        assert late == "late"
        last = sight.seen_at + 60
        answers = await asyncio.gather(
            *(containers.restart("spark1", BOX, sight.started_at, last) for _ in range(3))
        )
        assert sorted(answers) == ["already", "already", "restarted"]
        assert len(sparks.cluster.journal.of("container_restarted", "spark1")) == 1
        assert await containers.look("spark1", "nobody") is None
        assert await containers.recent_lines("spark1", "nobody", 60) == []
        await shell.close()
