"""One exam for the records: in memory and in a real Redis."""

import asyncio

import pytest
import pytest_asyncio

from spark_common.contracts.swaps import Phase
from spark_common.errors import UnavailableError
from spark_common.jobs.store import Busy, Conflicting, Known, StaleWriterError
from spark_common.leasing import LeaseGate
from spark_common.redis_access import connect_redis
from spark_common.testing import FakeClock
from spark_swapper import keys
from spark_swapper.adapters.redis_jobs import RedisJobs
from spark_swapper.records.jobs import first_job
from spark_swapper.records.store import Admitted
from spark_swapper.testing import MemoryJobs

CLOCK = FakeClock()


def a_job(swap_id="one", *, body="b", when_busy="reject", model="qwen", at=0):
    job = first_job(
        swap_id=swap_id,
        model=model,
        model_name=model,
        requested_by="Alice",
        at=CLOCK.now().replace(second=at),
    )
    return job.model_copy(update={"body_sha256": body, "when_busy": when_busy})


def ready(job, seconds=10):
    """Return a swap at its good end, some seconds after its admission."""
    for phase in list(Phase)[1:8]:
        job = job.enter(phase, job.created_at, "x")
    end = job.created_at.replace(second=job.created_at.second + seconds)
    return job.model_copy(update={"finished_at": end})


class StoreExam:
    """What every store has to do. Subclasses provide ``store``."""

    async def test_an_admission_is_found_again(self, store):
        assert await store.admit(a_job()) == Admitted(behind=None)
        assert await store.get("one") == a_job()
        assert [job.id for job in await store.live()] == ["one"]
        assert await store.get("two") is None

    async def test_the_same_request_is_known_and_another_with_its_id_conflicts(self, store):
        await store.admit(a_job())
        assert await store.admit(a_job()) == Known(a_job())
        assert await store.admit(a_job(body="other")) == Conflicting()

    async def test_a_second_swap_is_refused_or_queued(self, store):
        await store.admit(a_job())
        assert await store.admit(a_job("two", at=1)) == Busy("one")
        assert await store.get("two") is None
        assert await store.admit(a_job("three", when_busy="queue", at=2)) == Admitted("one")
        assert await store.admit(a_job("four", when_busy="queue", at=3)) == Admitted("three")
        assert [job.id for job in await store.live()] == ["one", "three", "four"]

    async def test_of_many_at_once_one_is_admitted(self, store):
        answers = await asyncio.gather(*(store.admit(a_job(f"job{n}")) for n in range(15)))
        assert sum(isinstance(answer, Admitted) for answer in answers) == 1
        assert sum(isinstance(answer, Busy) for answer in answers) == 14

    async def test_a_step_needs_the_revision_it_was_made_from(self, store):
        job = a_job()
        await store.admit(job)
        moved = job.enter(Phase.PREFLIGHT, CLOCK.now(), "x")
        await store.save(moved, 1, 5)
        assert await store.get("one") == moved
        with pytest.raises(StaleWriterError):
            await store.save(job.enter(Phase.FAILED, CLOCK.now(), "x"), 1, 0)

    async def test_the_owner_may_write_late_and_repeat_but_never_go_back(self, store):
        job = a_job()
        await store.admit(job)
        first = job.enter(Phase.PREFLIGHT, CLOCK.now(), "x")
        await store.save(first, 1, 5)
        late = first.amend(n=1).amend(n=2).amend(n=3)
        await store.save(late, first.revision, 5)
        await store.save(late, first.revision, 5)
        with pytest.raises(StaleWriterError):
            await store.save(first, 1, 5)
        assert await store.get("one") == late

    async def test_a_newer_worker_takes_over_and_the_older_one_is_out(self, store):
        job = a_job()
        await store.admit(job)
        first = job.enter(Phase.PREFLIGHT, CLOCK.now(), "x")
        await store.save(first, 1, 5)
        taken = first.amend(attempt=2)
        await store.save(taken, first.revision, 6)
        for write in (store.save, store.finish):
            with pytest.raises(StaleWriterError):
                await write(taken.amend(n=9), taken.revision, 5)
        assert await store.get("one") == taken

    async def test_the_end_leaves_the_queue_and_stays_in_the_history(self, store):
        job = a_job()
        await store.admit(job)
        await store.save(job.amend(n=1), 1, 5)
        end = ready(job.amend(n=1))
        await store.finish(end, 2, 5)
        await store.finish(end, 2, 5)
        assert await store.live() == []
        assert [swap.phase for swap in await store.recent(10)] == [Phase.READY]
        assert await store.usual_seconds("qwen") == 10
        with pytest.raises(StaleWriterError):
            await store.save(end.amend(n=5), end.revision, 5)
        assert await store.admit(a_job("two", at=1)) == Admitted(None)

    async def test_a_queued_swap_can_be_ended_by_nobody_in_particular_only_once(self, store):
        job = a_job()
        await store.admit(job)
        end = job.enter(Phase.CANCELLED, CLOCK.now(), "x")
        await store.finish(end, 1, 0)
        assert (await store.get("one")).phase is Phase.CANCELLED
        with pytest.raises(StaleWriterError):
            await store.save(job.enter(Phase.PREFLIGHT, CLOCK.now(), "x"), 1, 5)

    async def test_only_good_ends_teach_how_long_it_takes(self, store):
        assert await store.usual_seconds("qwen") is None
        for number, seconds in enumerate((10, 30, 20)):
            job = a_job(f"job{number}", at=number)
            await store.admit(job)
            await store.finish(ready(job, seconds), 1, 5)
        job = a_job("bad", at=5)
        await store.admit(job)
        await store.finish(job.enter(Phase.FAILED, CLOCK.now(), "x"), 1, 5)
        assert await store.usual_seconds("qwen") == 20
        assert await store.usual_seconds("gemma") is None

    async def test_how_long_it_takes_is_kept_per_pair_and_falls_back(self, store):
        for number, (previous, seconds) in enumerate(
            ((None, 10), ("gemma", 30), ("gemma", 40), ("gemma", 20))
        ):
            job = a_job(f"job{number}", at=number).model_copy(update={"previous": previous})
            await store.admit(job)
            await store.finish(ready(job, seconds), 1, 5)
        assert await store.usual_pair_seconds("gemma", "qwen") == 30
        assert await store.usual_pair_seconds(None, "qwen") == 10
        assert await store.usual_pair_seconds("minimax", "qwen") == 25
        assert await store.usual_pair_seconds("qwen", "gemma") is None
        assert await store.usual_seconds("qwen") == 25

    async def test_the_history_is_paged_by_time_and_filtered_by_model(self, store):
        jobs = [a_job(f"job{n}", at=n, model="gemma" if n % 3 else "qwen") for n in range(9)]
        for job in jobs:
            await store.admit(job)
            await store.finish(ready(job), 1, 5)
        first = await store.recent(4)
        assert [job.id for job in first] == ["job8", "job7", "job6", "job5"]
        second = await store.recent(4, before=first[-1].created_at)
        assert [job.id for job in second] == ["job4", "job3", "job2", "job1"]
        assert [job.id for job in await store.recent(4, before=second[-1].created_at)] == ["job0"]
        assert [job.id for job in await store.recent(9, model="qwen")] == ["job6", "job3", "job0"]
        page = await store.recent(1, before=jobs[6].created_at, model="qwen")
        assert [job.id for job in page] == ["job3"]
        assert await store.recent(5, model="other") == []

    async def test_gibberish_is_remembered_until_it_is_forgotten(self, store):
        assert await store.degraded() is None
        await store.keep_degraded("org/qwen", "it is empty")
        await store.keep_degraded("org/gemma", "it is noise")
        assert await store.degraded() == ("org/gemma", "it is noise")
        await store.keep_degraded("", "")
        assert await store.degraded() is None

    async def test_the_history_is_newest_first_and_bounded(self, store):
        for number in range(5):
            job = a_job(f"job{number}", at=number)
            await store.admit(job)
            await store.finish(job.enter(Phase.FAILED, CLOCK.now(), "x"), 1, 0)
        assert [job.id for job in await store.recent(3)] == ["job4", "job3", "job2"]

    async def test_a_cancel_is_remembered_the_first_one_counts(self, store):
        await store.request_cancel("one", "Bob")
        assert await store.cancel_requested("one") is None
        await store.admit(a_job())
        await store.request_cancel("one", "Bob")
        await store.request_cancel("one", "Carol")
        assert await store.cancel_requested("one") == "Bob"

    async def test_a_cancel_does_not_disturb_the_worker(self, store):
        job = a_job()
        await store.admit(job)
        await store.request_cancel("one", "Bob")
        await store.save(job.enter(Phase.PREFLIGHT, CLOCK.now(), "x"), 1, 5)
        assert await store.cancel_requested("one") == "Bob"

    async def test_fences_only_grow_and_pass_what_the_sparks_have_seen(self, store):
        assert await store.raise_fence(0) == 1
        assert await store.raise_fence(0) == 2
        assert await store.raise_fence(40) == 41
        assert await store.raise_fence(7) == 42

    async def test_a_lost_record_is_written_again_by_its_worker(self, store):
        job = a_job().enter(Phase.PREFLIGHT, CLOCK.now(), "x")
        await store.save(job, 1, 5)
        assert await store.get("one") == job
        assert [swap.id for swap in await store.live()] == ["one"]


class TestMemoryJobs(StoreExam):
    @pytest.fixture
    def store(self):
        return MemoryJobs()


@pytest_asyncio.fixture
async def redis(redis_server):
    client = connect_redis(redis_server.settings, "test", idempotent_reads=True)
    yield client
    await client.aclose()


@pytest.mark.connected
class TestRedisJobs(StoreExam):
    @pytest_asyncio.fixture
    async def store(self, redis):
        return RedisJobs(redis)


@pytest.mark.connected
async def test_redis_away_is_unavailable_everywhere(redis, redis_server):
    store, gate = RedisJobs(redis), LeaseGate(redis)
    await redis_server.kill()
    calls = (
        lambda: store.admit(a_job()),
        lambda: store.get("one"),
        store.live,
        lambda: store.recent(3),
        lambda: store.save(a_job(), 1, 1),
        lambda: store.finish(a_job(), 1, 1),
        lambda: store.request_cancel("one", "Bob"),
        lambda: store.usual_seconds("qwen"),
        lambda: store.raise_fence(0),
        lambda: gate.for_caller("x"),
        lambda: gate.for_epoch(1),
    )
    for call in calls:
        with pytest.raises(UnavailableError):
            await call()


@pytest.mark.connected
async def test_records_and_fences_survive_a_kill_of_redis(redis, redis_server):
    store = RedisJobs(redis)
    await store.admit(a_job())
    assert await store.raise_fence(9) == 10
    await redis_server.kill()
    await redis_server.start()
    assert await store.get("one") == a_job()
    assert await store.raise_fence(0) == 11


@pytest.mark.connected
async def test_the_epoch_is_lifted_to_what_the_sparks_have_seen_and_never_lowered(redis):
    store = RedisJobs(redis)
    await store.raise_fence(0, 7)
    assert await redis.get(keys.FENCE_LOCK) == "7"
    await store.raise_fence(0, 3)
    assert await redis.get(keys.FENCE_LOCK) == "7"
    assert (await LeaseGate(redis).for_caller(None)).epoch == 7


@pytest.mark.connected
async def test_records_expire_and_counters_do_not(redis):
    store = RedisJobs(redis)
    await store.admit(a_job())
    await store.raise_fence(0)
    assert 89 * 86400 < await redis.ttl(keys.swap("one")) <= 90 * 86400
    assert await redis.ttl(keys.FENCE_SWAPPER) == -1
