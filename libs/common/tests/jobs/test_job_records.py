"""One exam for the records of jobs: in memory and in a real Redis."""

import asyncio

import pytest
import pytest_asyncio

from spark_common.contracts.jobs import JobState
from spark_common.errors import UnavailableError
from spark_common.jobs import RedisJobRecords, StaleWriterError, keys
from spark_common.jobs.store import Busy, Conflicting, Created, Known
from spark_common.redis_access import connect_redis
from spark_common.testing import FakeClock
from spark_common.testing.job_records import MemoryJobRecords

CLOCK = FakeClock()


def over(record, state=JobState.FAILED):
    return record.end(state, CLOCK.now(), "over", None)


class RecordsExam:
    """What every store of jobs has to do. Subclasses provide ``store``."""

    async def test_what_was_accepted_is_found_again(self, store, make):
        assert await store.create(make()) == Created()
        assert await store.get("one") == make()
        assert await store.get("two") is None
        assert [job.id for job in await store.live()] == ["one"]
        assert await store.holder("a/b") == "one"
        assert await store.holder("c/d") is None

    async def test_the_same_request_is_known_and_another_with_its_id_conflicts(self, store, make):
        await store.create(make())
        assert await store.create(make()) == Known(make())
        assert await store.create(make(body="other")) == Conflicting()

    async def test_of_one_exclusive_word_one_lives(self, store, make):
        await store.create(make())
        assert await store.create(make("two", at=1)) == Busy("one")
        assert await store.get("two") is None
        assert await store.create(make("three", exclusive="c/d", at=2)) == Created()
        assert [job.id for job in await store.live()] == ["one", "three"]

    async def test_of_many_at_once_one_is_accepted(self, store, make):
        answers = await asyncio.gather(*(store.create(make(f"job{n}")) for n in range(15)))
        assert answers.count(Created()) == 1
        assert sum(isinstance(answer, Busy) for answer in answers) == 14

    async def test_a_change_needs_the_revision_it_was_made_from(self, store, make):
        await store.create(make())
        moved = make().enter("pulling", CLOCK.now(), "x")
        await store.save(moved, 1, 5)
        assert await store.get("one") == moved
        with pytest.raises(StaleWriterError):
            await store.save(make().enter("building", CLOCK.now(), "x"), 1, 0)

    async def test_the_owner_may_write_late_and_repeat_but_never_go_back(self, store, make):
        await store.create(make())
        first = make().enter("pulling", CLOCK.now(), "x")
        await store.save(first, 1, 5)
        late = first.amend(n=1).amend(n=2).amend(n=3)
        await store.save(late, first.revision, 5)
        await store.save(late, first.revision, 5)
        with pytest.raises(StaleWriterError):
            await store.save(first, 1, 5)
        assert await store.get("one") == late

    async def test_a_newer_process_takes_over_and_the_older_one_is_out(self, store, make):
        await store.create(make())
        first = make().enter("pulling", CLOCK.now(), "x")
        await store.save(first, 1, 5)
        taken = first.amend(n=2)
        await store.save(taken, first.revision, 6)
        for write in (store.save, store.finish):
            with pytest.raises(StaleWriterError):
                await write(taken.amend(n=9), taken.revision, 5)
        assert await store.get("one") == taken

    async def test_the_end_lets_go_of_the_word_and_stays_in_the_history(self, store, make):
        await store.create(make())
        end = over(make())
        await store.finish(end, 1, 5)
        await store.finish(end, 1, 5)
        assert await store.live() == []
        assert await store.holder("a/b") is None
        assert await store.recent(10) == [end]
        with pytest.raises(StaleWriterError):
            await store.save(end.amend(n=5), end.revision, 5)
        assert await store.create(make("two", at=1)) == Created()
        await store.save(end, 1, 5)
        assert [job.id for job in await store.live()] == ["two"]
        assert await store.holder("a/b") == "two"

    async def test_the_history_is_newest_first_and_bounded(self, store, make):
        for number in range(5):
            job = make(f"job{number}", at=number)
            await store.create(job)
            await store.finish(over(job), 1, 1)
        assert [job.id for job in await store.recent(3)] == ["job4", "job3", "job2"]

    async def test_a_cancel_is_remembered_and_the_first_one_counts(self, store, make):
        await store.request_cancel("one", "Bob")
        assert await store.cancel_requested("one") is None
        await store.create(make())
        await store.request_cancel("one", "Bob")
        await store.request_cancel("one", "Carol")
        await store.save(make().enter("pulling", CLOCK.now(), "x"), 1, 5)
        assert await store.cancel_requested("one") == "Bob"

    async def test_a_lost_record_is_written_again_by_its_owner(self, store, make):
        job = make().enter("pulling", CLOCK.now(), "x")
        await store.save(job, 1, 5)
        assert await store.get("one") == job
        assert [found.id for found in await store.live()] == ["one"]
        assert await store.holder("a/b") == "one"

    async def test_whoever_takes_over_is_above_the_owners_of_records_that_were_lost(
        self, store, make
    ):
        job = make().enter("pulling", CLOCK.now(), "x")
        await store.save(job, 1, 5)
        assert await store.claim_writer() == 6
        await store.finish(over(job), job.revision, 9)
        assert await store.claim_writer() == 10

    async def test_writers_only_grow(self, store):
        assert [await store.claim_writer() for _ in range(3)] == [1, 2, 3]


class TestMemoryRecords(RecordsExam):
    @pytest.fixture
    def store(self):
        return MemoryJobRecords()


@pytest_asyncio.fixture
async def redis(redis_server):
    client = connect_redis(redis_server.settings, "test", idempotent_reads=True)
    yield client
    await client.aclose()


@pytest.mark.connected
class TestRedisRecords(RecordsExam):
    @pytest_asyncio.fixture
    async def store(self, redis, kind):
        return RedisJobRecords(redis, kind)

    async def test_a_record_is_kept_for_ninety_days(self, store, redis, make):
        await store.create(make())
        seconds = await redis.ttl(keys.job("update", "one"))
        assert 89 * 86_400 < seconds <= 90 * 86_400

    async def test_a_record_of_an_unknown_version_hides_no_other(self, store, redis, make):
        """As after going back to an older version of the product."""
        await store.create(make())
        await store.create(make("two", exclusive="c/d", at=1))
        await redis.hset(keys.job("update", "one"), "record", '{"version": 2, "id": "one"}')
        assert [job.id for job in await store.live()] == ["two"]
        assert [job.id for job in await store.recent(5)] == ["two"]
        assert await store.get("one") is None
        assert await store.create(make()) == Conflicting()

    async def test_the_history_goes_on_behind_records_that_expired(self, store, redis, make):
        for number in range(5):
            await store.create(make(f"job{number}", exclusive=f"{number}", at=number))
        for number in (2, 3, 4):
            await redis.delete(keys.job("update", f"job{number}"))
        assert [job.id for job in await store.recent(2)] == ["job1", "job0"]

    async def test_an_id_may_be_any_word(self, store, make):
        """The names of the other keys among them."""
        for number, word in enumerate(("live", "index", "busy", "writer", "job")):
            job = make(word, exclusive=word, at=number)
            assert await store.create(job) == Created()
            assert await store.get(word) == job
        assert len(await store.live()) == 5


@pytest.mark.connected
async def test_redis_that_is_away_is_unavailable_everywhere(redis, redis_server, kind, make):
    store = RedisJobRecords(redis, kind)
    await redis_server.kill()
    for call in (
        lambda: store.create(make()),
        lambda: store.get("one"),
        store.live,
        lambda: store.recent(3),
        lambda: store.holder("a/b"),
        lambda: store.save(make(), 1, 1),
        lambda: store.finish(make(), 1, 1),
        lambda: store.request_cancel("one", "Bob"),
        lambda: store.cancel_requested("one"),
        store.claim_writer,
    ):
        with pytest.raises(UnavailableError):
            await call()
