"""When a host is called dead: not because vLLM is slow to be seen, at once when it is told."""

from collections.abc import Sequence

import pytest

from spark_common.testing import FakeClock
from spark_swapper.host_load import HostLoad
from spark_swapper.loadlog import LoadLog
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
