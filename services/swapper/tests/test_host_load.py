"""When a host is called dead: not because vLLM is slow to be seen, at once when it is told."""

from collections.abc import Sequence

import pytest

from spark_common.testing import FakeClock
from spark_swapper.loads.host_load import HostLoad
from spark_swapper.loads.loadlog import LoadLog
from spark_swapper.runtime import LAUNCH, Glance, Order
from spark_swapper.testing import FakeRuntime

ORDER = Order(fence=1, epoch=0, swap_id="s1", step=LAUNCH)
EMPTY = Glance("running", launcher="ended", launcher_exit=0)
ALIVE = Glance("running", processes=3, launcher="ended", launcher_exit=0)


class Scripted(FakeRuntime):
    """Shows one glance after another, the last one for ever."""

    def __init__(self, clock: FakeClock, glances: Sequence[Glance]) -> None:
        super().__init__(clock)
        self._glances = list(glances)

    async def glance(
        self, order: Order, host: str, log_offset: int, *, deep: bool = False
    ) -> Glance:
        return self._glances.pop(0) if len(self._glances) > 1 else self._glances[0]


async def _look(glances: Sequence[Glance], seconds: int) -> HostLoad:
    clock = FakeClock()
    runtime = Scripted(clock, glances)
    load = HostLoad(runtime, "spark1", LoadLog(), clock, head=True, appear_seconds=30)
    for _ in range(seconds):
        await load.look(ORDER)
        await clock.advance(1)
    return load


async def test_a_container_whose_vllm_is_not_seen_yet_gets_its_time() -> None:
    load = await _look([EMPTY], seconds=29)
    assert load.cause("Qwen") is None


async def test_a_container_in_which_vllm_never_appears_is_a_failed_launch() -> None:
    cause = (await _look([EMPTY], seconds=32)).cause("Qwen")
    assert cause is not None
    assert cause.code == "launch_failed"


async def test_seeing_vllm_starts_the_time_anew() -> None:
    load = await _look([*[EMPTY] * 25, ALIVE, EMPTY], seconds=27)
    assert load.cause("Qwen") is None


@pytest.mark.parametrize(
    ("glance", "code"),
    [
        (Glance("missing", launcher="ended", launcher_exit=0), "launch_failed"),
        (
            Glance(
                "running",
                launcher="ended",
                launcher_exit=0,
                launcher_output="docker: Error response from daemon: no space left on device",
            ),
            "disk_full",
        ),
    ],
)
async def test_what_is_certain_is_said_without_waiting(glance: Glance, code: str) -> None:
    cause = (await _look([glance], seconds=6)).cause("Qwen")
    assert cause is not None
    assert cause.code == code


async def test_the_cause_names_the_spark_once_when_there_are_several() -> None:
    full = "docker: Error response from daemon: no space left on device"
    glance = Glance("running", launcher="ended", launcher_exit=0, launcher_output=full)
    cause = (await _look([glance], seconds=6)).cause("Qwen")
    assert cause is not None
    assert cause.sentence == "Spark 1: The disk of the Spark is full."
    unsaid = (await _look([EMPTY], seconds=32)).cause("Qwen")
    assert unsaid is not None
    assert unsaid.sentence.count("Spark 1") == 1


STALL = b"(EngineCore pid=9) INFO 11-21 00:31:05 [shm_broadcast.py:681] No available shared memory \
broadcast block found in 60 seconds.\n"
WORD = b"(EngineCore pid=9) INFO 11-21 00:31:05 [core.py:133] Initializing\n"
MIB = 1024 * 1024


def reads(amount: int | None, log: bytes = b"", cpu: float | None = None) -> Glance:
    return Glance("running", processes=3, log=log, read_bytes=amount, cpu_seconds=cpu)


@pytest.mark.parametrize(
    ("first", "second", "goes_on", "cores"),
    [
        (reads(0), reads(0), False, None),
        (reads(0), reads(MIB), True, None),
        (reads(0), reads(4096), False, None),
        (reads(5 * MIB), reads(0), False, None),
        (reads(None), reads(None), False, None),
        (reads(None), reads(9 * MIB), False, None),
        (reads(0), reads(0, WORD), True, None),
        (reads(0), reads(0, STALL), False, None),
        (reads(0), reads(0, STALL + WORD), True, None),
        (reads(0), reads(MIB, STALL), True, None),
        (reads(0, cpu=1.0), reads(0, cpu=3.5), False, 2.5),
        (reads(0, cpu=9.0), reads(0, cpu=1.0), False, None),
    ],
)
async def test_a_load_goes_on_when_something_new_was_said_or_read(
    first: Glance, second: Glance, goes_on: bool, cores: float | None
) -> None:
    load = await _look([first, second], seconds=2)
    assert load.went_on is goes_on
    assert load.cores == cores


async def test_a_host_that_does_not_answer_is_no_stall() -> None:
    load = await _look([ALIVE, Glance("unclear", detail="exit 124")], seconds=2)
    assert load.went_on


async def test_a_rank_that_ray_runs_elsewhere_is_blamed_on_the_other_spark() -> None:
    said = b"(RayWorkerWrapper pid=812, ip=192.0.2.12) torch.OutOfMemoryError: CUDA out of memory\n"
    glance = Glance("running", processes=3, log=said)
    cause = (await _look([glance, *[ALIVE] * 4], seconds=5)).cause("Qwen")
    assert cause is not None
    assert cause.sentence.startswith("Spark 2: The GPU ran out of memory")


async def test_a_worker_that_came_and_went_between_two_looks_is_dead() -> None:
    clock = FakeClock()
    said = b"(EngineCore pid=9) INFO 11-21 00:19:55 [parallel_state.py:1906] world_size=2 rank=1\n"
    runtime = Scripted(clock, [Glance("running"), Glance("running", log=said), Glance("running")])
    load = HostLoad(runtime, "spark2", LoadLog(), clock, head=False, appear_seconds=30)
    for _ in range(3):
        await load.look(ORDER)
        await clock.advance(1)
    assert load.failing


OOM = b"(EngineCore pid=9) ERROR 11-21 00:21:05 [core.py:1] torch.OutOfMemoryError: CUDA out of m\n"
NEXT = b"(EngineCore pid=9) INFO 11-21 00:22:05 [core.py:1] GPU KV cache size: 3,076,565 tokens\n"


@pytest.mark.parametrize(("later", "code"), [(ALIVE, "out_of_gpu_memory"), (reads(0, NEXT), None)])
async def test_an_error_that_was_handled_ends_no_load(later: Glance, code: str | None) -> None:
    load = await _look([reads(0, OOM), ALIVE, later, ALIVE], seconds=8)
    cause = load.cause("Qwen")
    assert (cause.code if cause else None) == code


async def test_after_a_handled_error_the_next_one_is_confirmed_anew() -> None:
    glances = [reads(0, OOM), ALIVE, ALIVE, reads(0, NEXT), reads(0, OOM), ALIVE]
    assert (await _look(glances, seconds=6)).cause("Qwen") is None
    assert (await _look(glances, seconds=7)).cause("Qwen") is not None
