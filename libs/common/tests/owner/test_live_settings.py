"""Settings are live: told or not, over every outage, as whole snapshots of one version."""

import asyncio
from collections.abc import AsyncIterator
from typing import Self

import pytest
import pytest_asyncio
from pydantic import SecretStr, model_validator

from spark_common.errors import UnavailableError
from spark_common.events import SettingsChanged
from spark_common.owner import LiveSettings, OwnerValues
from spark_common.settings import Settings
from spark_common.settings.groups import RuntimeSettings
from spark_common.settings.support import HubSettings
from spark_common.subjects import SETTINGS_CHANGED
from spark_common.tasks import end
from spark_common.testing import FakeClock, MemoryBroker, MemoryBus
from spark_common.testing.wait import until


class Store:
    """Somewhere the owner's values are; ``away`` as Redis or the coordinator may be."""

    def __init__(self) -> None:
        self.owner = OwnerValues()
        self.away = False
        self.reads = 0

    def set(self, **values: str) -> None:
        self.owner = OwnerValues(self.owner.version + 1, {**self.owner.values, **values})

    async def read(self, known: int | None) -> OwnerValues | None:
        self.reads += 1
        if self.away:
            raise UnavailableError("away")
        return None if known == self.owner.version else self.owner


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def bus(clock: FakeClock) -> MemoryBus:
    return MemoryBus("coordinator", MemoryBroker(clock=clock))


@pytest_asyncio.fixture
async def live(store: Store, bus: MemoryBus, clock: FakeClock) -> AsyncIterator[LiveSettings]:
    live = LiveSettings(store, bus, clock)
    running = asyncio.create_task(live.run())
    await until(lambda: live.version == 0, "it read once")
    yield live
    await end([running])


async def test_the_owner_wins_over_the_environment(live: LiveSettings, store: Store) -> None:
    runtime = live.of(RuntimeSettings(vllm_port=1000, vllm_image="mine"))
    assert runtime().vllm_port == 1000
    store.set(VLLM_PORT="8890")
    assert await live.refresh()
    assert (runtime().vllm_port, runtime().vllm_image) == (8890, "mine")


async def test_a_snapshot_never_changes(live: LiveSettings, store: Store) -> None:
    runtime = live.of(RuntimeSettings())
    before = runtime()
    assert runtime() is before
    store.set(VLLM_PORT="8890")
    await live.refresh()
    assert before.vllm_port == 8888
    assert runtime() is runtime()


async def test_a_value_that_was_taken_back_is_the_environments_again(
    live: LiveSettings, store: Store
) -> None:
    runtime = live.of(RuntimeSettings(vllm_port=1000))
    store.set(VLLM_PORT="8890")
    await live.refresh()
    store.owner = OwnerValues(7)
    await live.refresh()
    assert runtime().vllm_port == 1000


async def test_a_hint_is_followed_at_once(live: LiveSettings, store: Store, bus: MemoryBus) -> None:
    runtime = live.of(RuntimeSettings())
    await until(lambda: len(bus.broker.listeners) > 0, "it listens")
    store.set(VLLM_PORT="8890")
    hint = SettingsChanged(settings_version=1, names=["VLLM_PORT"])
    await bus.publish(SETTINGS_CHANGED, hint, id="1")
    await until(lambda: runtime().vllm_port == 8890, "it follows, though no time passed")


async def test_without_a_hint_it_takes_less_than_two_seconds(
    live: LiveSettings, store: Store, clock: FakeClock
) -> None:
    runtime = live.of(RuntimeSettings())
    store.set(VLLM_PORT="8890")
    await clock.advance(1.0)
    await until(lambda: runtime().vllm_port == 8890, "it looks by itself")


async def test_what_is_away_leaves_the_last_known(
    live: LiveSettings, store: Store, clock: FakeClock
) -> None:
    runtime = live.of(RuntimeSettings())
    store.set(VLLM_PORT="8890")
    await live.refresh()
    store.away = True
    await clock.advance(30)
    assert runtime().vllm_port == 8890
    store.away = False
    store.set(VLLM_PORT="8891")
    await clock.advance(1.0)
    await until(lambda: runtime().vllm_port == 8891, "and goes on when it is back")


async def test_a_store_that_was_emptied_is_believed(live: LiveSettings, store: Store) -> None:
    runtime = live.of(RuntimeSettings())
    store.set(VLLM_PORT="8890")
    await live.refresh()
    store.owner = OwnerValues(0)
    await live.refresh()
    assert runtime().vllm_port == 8888


async def test_a_value_of_another_version_of_the_product_is_left_out_and_told(
    live: LiveSettings, store: Store
) -> None:
    runtime = live.of(RuntimeSettings())
    store.set(VLLM_PORT="any", VLLM_IMAGE="mine", OF_TOMORROW="x")
    await live.refresh()
    assert (runtime().vllm_port, runtime().vllm_image) == (8888, "mine")
    [warning] = live.warnings
    assert warning.startswith("VLLM_PORT: ")
    store.set(VLLM_PORT="8890")
    await live.refresh()
    assert live.warnings == ()


async def test_values_that_do_not_fit_together_leave_the_group_as_it_was(
    live: LiveSettings, store: Store
) -> None:
    class Pair(Settings):
        low: int = 1
        high: int = 2

        @model_validator(mode="after")
        def _in_order(self) -> Self:
            if self.low > self.high:
                raise ValueError("LOW must not be above HIGH")
            return self

    pair = live.of(Pair())
    store.set(LOW="5")
    await live.refresh()
    assert (pair().low, pair().high) == (1, 2)
    assert live.warnings == (
        "LOW: the value set under the gear is not valid (LOW must not be above HIGH); "
        "it is left out",
    )


async def test_a_secret_is_live_and_in_no_text(live: LiveSettings, store: Store) -> None:
    hub = live.of(HubSettings())
    store.owner = OwnerValues(3, {}, {"HF_TOKEN": "hf_hush"})
    await live.refresh()
    token = hub().hf_token
    assert isinstance(token, SecretStr)
    assert token.get_secret_value() == "hf_hush"
    assert "hush" not in repr(store.owner) + repr(hub()) + hub().model_dump_json()


async def test_a_group_that_comes_later_is_up_to_date_at_once(
    live: LiveSettings, store: Store
) -> None:
    store.set(VLLM_PORT="8890")
    await live.refresh()
    assert live.of(RuntimeSettings())().vllm_port == 8890


async def test_a_job_keeps_what_it_began_with_and_the_next_one_does_not(
    live: LiveSettings, store: Store
) -> None:
    runtime = live.of(RuntimeSettings())
    seen: list[int] = []
    changed = asyncio.Event()

    async def part() -> None:
        await changed.wait()
        seen.append(runtime().vllm_port)

    async def job() -> None:
        with live.one_version():
            seen.append(runtime().vllm_port)
            await asyncio.gather(part(), part())

    running = asyncio.create_task(job())
    await until(lambda: bool(seen), "it began")
    store.set(VLLM_PORT="8890")
    await live.refresh()
    changed.set()
    await running
    assert seen == [8888, 8888, 8888]
    assert runtime().vllm_port == 8890
    with live.one_version():
        assert runtime().vllm_port == 8890


async def test_a_bus_that_is_away_does_not_keep_it_from_looking(
    store: Store, bus: MemoryBus, clock: FakeClock
) -> None:
    bus.broker.down()
    live = LiveSettings(store, bus, clock)
    runtime = live.of(RuntimeSettings())
    running = asyncio.create_task(live.run())
    store.set(VLLM_PORT="8890")
    await clock.advance(1.0)
    await until(lambda: runtime().vllm_port == 8890, "Redis is asked all the same")
    await end([running])
