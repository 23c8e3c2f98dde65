"""Callers of a speech server that breaks: who is told what, who waits, who is tried again."""

import asyncio
import json
from collections.abc import AsyncIterator

import pytest

from spark_audio_proxy.decoding.sound import Measures
from spark_audio_proxy.problems import SpeechError
from spark_audio_proxy.recovery.guard import Guard, trouble_of
from spark_audio_proxy.recovery.ports import DeepSight
from spark_audio_proxy.recovery.shared import Known
from spark_audio_proxy.recovery.standing import DeepState
from spark_audio_proxy.recovery.watching import Watch, shown_state
from spark_audio_proxy.testing.recovering import (
    Heralds,
    MemoryHealth,
    MemoryServer,
    MemoryStanding,
)
from spark_audio_proxy.upstreams.asking import Answer
from spark_audio_proxy.upstreams.faults import SpeechFaultError, fault_of
from spark_common.tasks import end
from spark_common.testing.clock import FakeClock

CUDA = SpeechFaultError("upstream_recovering", "it failed", status=500, cuda=True)
BARE = SpeechFaultError("upstream_recovering", "it failed", status=500)
SHORT, LONG = 33.0, 300.0


def _recording(name: str = "one") -> Measures:
    return Measures(10.0, -20.0, -3.0, 0.0, 0.9, name * 20, 1, 16_000, "pcm")


class Replica:
    """One process."""

    def __init__(self, scene: "Scene") -> None:
        self.idle = True
        self.watch = Watch(
            scene.server, scene.health, scene.heralds, scene.clock, lambda: self.idle
        )
        self.known = Known(scene.shared, scene.clock, self.watch.told)
        self.guard = Guard(self.known, scene.clock)
        self.running = asyncio.create_task(self.watch.run(self.known))


class Scene:
    """Replicas in one world."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.shared = MemoryStanding()
        self.health = MemoryHealth()
        self.server = MemoryServer()
        self.heralds = Heralds()
        self.replicas: list[Replica] = []

    def replica(self) -> Replica:
        self.replicas.append(Replica(self))
        return self.replicas[-1]

    async def checked(self, state: DeepState) -> None:
        await self.clock.advance(0.5)
        self.health.check = DeepSight(state, self.clock.now().timestamp())
        await self.clock.advance(2)


@pytest.fixture
async def scene() -> AsyncIterator[Scene]:
    scene = Scene()
    yield scene
    await end([replica.running for replica in scene.replicas])


async def _refusal(guard: Guard, name: str = "other") -> SpeechError:
    with pytest.raises(SpeechError) as refused:
        await guard.arrive(_recording(name))
    return refused.value


async def test_one_wedge_is_one_check_whoever_and_however_many_saw_it(scene: Scene) -> None:
    one, two = scene.replica(), scene.replica()
    for number in range(10):
        replica = (one, two)[number % 2]
        await replica.guard.failed(CUDA, _recording(), last=False)
        assert not await replica.guard.again(CUDA, _recording(), SHORT)
    await scene.clock.advance(5)
    assert len(scene.health.orders) == 1
    assert scene.heralds.suspects == scene.health.orders
    assert not one.guard.open
    assert not two.guard.open
    await scene.checked("wedged")
    assert scene.heralds.states == ["suspect", "recovering"]
    for replica in (one, two):
        refused = await _refusal(replica.guard)
        assert refused.code == "upstream_recovering"
        assert refused.retry_after is not None
        assert 1 <= refused.retry_after <= 60
    await scene.checked("ok")
    assert one.guard.open
    assert two.guard.open
    assert scene.heralds.states == ["suspect", "recovering", "ready"]


async def test_the_check_waits_for_calls_under_way(scene: Scene) -> None:
    replica = scene.replica()
    replica.idle = False
    await replica.guard.failed(CUDA, _recording(), last=False)
    await scene.clock.advance(10)
    assert scene.health.orders == []
    replica.idle = True
    await scene.clock.advance(1)
    assert len(scene.health.orders) == 1


async def test_who_is_in_line_waits_and_goes_on(scene: Scene) -> None:
    replica = scene.replica()
    await replica.guard.failed(CUDA, _recording(), last=False)
    held = [asyncio.create_task(replica.guard.hold(120)) for _ in range(5)]
    await scene.checked("wedged")
    scene.server.says = "refused"
    await scene.clock.advance(10)
    scene.server.says = "loading"
    await scene.clock.advance(30)
    assert not any(task.done() for task in held)
    scene.server.says = "ready"
    await scene.clock.advance(2)
    assert [await task for task in held] == [False] * 5


async def test_who_cannot_wait_so_long_is_told_when_to_come_back(scene: Scene) -> None:
    replica = scene.replica()
    await replica.guard.failed(CUDA, _recording(), last=False)
    await scene.checked("wedged")
    held = asyncio.create_task(replica.guard.hold(20))
    await scene.clock.advance(25)
    with pytest.raises(SpeechError) as refused:
        await held
    assert refused.value.code == "upstream_recovering"


async def test_a_long_recording_is_tried_once_more_after_the_recovery(scene: Scene) -> None:
    replica = scene.replica()
    await replica.guard.failed(CUDA, _recording(), last=False)
    again = asyncio.create_task(replica.guard.again(CUDA, _recording(), LONG))
    await scene.checked("wedged")
    assert not again.done()
    await scene.checked("ok")
    assert await again is True


async def test_a_recording_that_broke_it_twice_is_not_sent_again(scene: Scene) -> None:
    one, two = scene.replica(), scene.replica()
    for _ in range(2):
        await one.guard.arrive(_recording("poison"))
        await one.guard.failed(CUDA, _recording("poison"), last=False)
        await scene.checked("wedged")
        await scene.checked("ok")
    for replica in (one, two):
        assert (await _refusal(replica.guard, "poison")).code == "audio_rejected"
    assert await two.guard.arrive(_recording("innocent")) is False
    assert len(scene.health.orders) == 2


async def test_poison_is_not_replayed_even_with_patience(scene: Scene) -> None:
    replica = scene.replica()
    scene.shared.counts[_recording("poison").sha256] = 1
    await replica.guard.failed(CUDA, _recording("poison"), last=False)
    again = asyncio.create_task(replica.guard.again(CUDA, _recording("poison"), LONG))
    await scene.checked("wedged")
    await scene.checked("ok")
    with pytest.raises(SpeechError) as refused:
        await again
    assert refused.value.code == "audio_rejected"


async def test_what_the_check_disproves_is_held_against_nobody(scene: Scene) -> None:
    replica = scene.replica()
    for _ in range(3):
        await replica.guard.failed(BARE, _recording("odd"), last=False)
        await scene.checked("ok")
    assert await replica.guard.arrive(_recording("odd")) is False
    assert "recovering" not in scene.heralds.states


async def test_a_suspicion_turns_nobody_away(scene: Scene) -> None:
    replica = scene.replica()
    await replica.guard.failed(BARE, _recording(), last=False)
    assert await replica.guard.arrive(_recording("other")) is False
    assert not replica.guard.open


@pytest.mark.parametrize(
    ("error", "state", "code"),
    [
        (SpeechError("upstream_down", "nobody"), "down", "upstream_down"),
        (SpeechFaultError("upstream_loading", "loads", status=503), "recovering",
         "upstream_loading"),
        (SpeechError("upstream_timeout", "late"), "suspect", None),
        (SpeechFaultError("upstream_bad_response", "refused", status=400), "ready", None),
        (SpeechError("empty_timestamps", "no words"), "ready", None),
    ],
)  # fmt: skip
async def test_other_failures_are_told_apart(
    scene: Scene, error: SpeechError, state: str, code: str | None
) -> None:
    replica = scene.replica()
    await replica.guard.failed(error, _recording(), last=False)
    assert replica.known.standing.state == state
    if code is not None:
        assert (await _refusal(replica.guard)).code == code


@pytest.mark.parametrize(
    ("words", "trouble"),
    [
        ("CUDA error: an illegal memory access was encountered", "wedge"),
        ("cuFFT error: CUFFT_INTERNAL_ERROR", "wedge"),
        ("CUBLAS_STATUS_EXECUTION_FAILED", "wedge"),
        # Fails one job, and the next one may do.
        ("CUDA out of memory. Tried to allocate 2.00 GiB", "error"),
        ("CUBLAS_STATUS_ALLOC_FAILED", "error"),
        ("list index out of range", "error"),
    ],
)
def test_only_a_broken_gpu_is_one(words: str, trouble: str) -> None:
    answer = Answer(500, {}, json.dumps({"detail": f"Transcription failed: {words}"}).encode())
    assert trouble_of(fault_of(answer, "the speech server")) == trouble


async def test_calls_that_met_at_the_gpu_are_made_once_more(scene: Scene) -> None:
    replica = scene.replica()
    words = json.dumps({"detail": "Diarization failed: cuFFT error: CUFFT_INTERNAL_ERROR"})
    crowded = fault_of(Answer(503, {}, words.encode()), "the speech server")
    await replica.guard.failed(crowded, _recording(), last=False)
    again = asyncio.create_task(replica.guard.again(crowded, _recording(), SHORT))
    await scene.clock.advance(2)
    assert await again is True
    assert replica.guard.open
    # Alone it cannot have been that.
    await replica.guard.failed(crowded, _recording(), last=True)
    assert not replica.guard.open


async def test_a_server_that_comes_back_is_noticed(scene: Scene) -> None:
    replica = scene.replica()
    scene.server.says = "refused"
    await replica.guard.failed(SpeechError("upstream_down", "nobody"), _recording(), last=False)
    await scene.clock.advance(100)
    assert not replica.guard.open
    scene.server.says = "ready"
    await scene.clock.advance(2)
    assert replica.guard.open


async def test_busy_is_well_and_shown_as_busy(scene: Scene) -> None:
    replica = scene.replica()
    scene.server.says = "silent"
    replica.idle = False
    await scene.clock.advance(1200)
    assert replica.guard.open
    assert shown_state(replica.known.standing, idle=False) == "busy"
    assert scene.health.orders == []
    assert scene.heralds.states == []


async def test_without_health_and_redis_a_trial_finds_out(scene: Scene) -> None:
    replica = scene.replica()
    scene.shared.away = scene.health.away = True
    await replica.guard.failed(CUDA, _recording(), last=False)
    await scene.clock.advance(31)
    assert replica.known.standing.state == "recovering"
    assert (await _refusal(replica.guard)).code == "upstream_recovering"
    await scene.clock.advance(60)
    assert await replica.guard.arrive(_recording("other")) is True
    assert (await _refusal(replica.guard)).code == "upstream_recovering"
    await replica.guard.succeeded(1.0)
    assert replica.guard.open
