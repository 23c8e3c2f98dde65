"""The power fails right after a lease was given, or an event counted: it is there afterwards.

``LEASE_CUTS`` is how often.
"""

import os
import random
import signal
from collections.abc import AsyncIterator, Callable
from datetime import date
from pathlib import Path

import pytest
import pytest_asyncio
from chaos_lab.control_box import CarelessRedis
from chaos_lab.loop_disk import LoopDisk, why_not

from spark_common.clock import SystemClock
from spark_common.contracts.leases import AcquireLease, GetLease, LeaseGrant
from spark_common.embedded import RedisServer, ServerStartError
from spark_common.leasing import keys
from spark_common.redis_access import connect_redis
from spark_common.settings.policies import LeasePolicy
from spark_common.testing.noting import note
from spark_coordinator.accounts.book import AccountBook, Mark
from spark_coordinator.accounts.facts import Fact
from spark_coordinator.leasing.book import LeaseBook
from spark_coordinator.leasing.drain import Remaining
from spark_coordinator.leasing.draining import Draining
from spark_coordinator.leasing.leases import Leases

pytestmark = [pytest.mark.chaos, pytest.mark.connected, pytest.mark.timeout(300)]
CUTS = int(os.environ.get("LEASE_CUTS", "4"))
POLICY = LeasePolicy(lease_seen_within_seconds=3600)


class Nothing:
    """Nothing runs."""

    async def remaining(self, epoch: int) -> Remaining:
        return Remaining(swap=False, answers=False)


@pytest_asyncio.fixture
async def disk(tmp_path: Path) -> AsyncIterator[LoopDisk]:
    reason = why_not(tmp_path)
    if reason is not None:
        pytest.skip(reason)
    made = LoopDisk(tmp_path / "disk")
    made.mount()
    yield made
    made.umount()


async def cut_the_power(server: RedisServer, disk: LoopDisk) -> None:
    """Stop everything, keep what reached the disk, and start again from that."""
    assert server.pid is not None
    os.kill(server.pid, signal.SIGSTOP)
    image = await disk.what_reached_it()
    await server.kill()
    disk.come_back_as(image)
    await server.start()


async def _nobody_told() -> int:
    return 0


async def take(server: RedisServer, holder: str, *, force: bool) -> LeaseGrant:
    redis = connect_redis(server.settings, "test")
    try:
        return await leases_on(redis).acquire(AcquireLease(holder=holder, force=force, wait=True))
    finally:
        await redis.aclose()


def leases_on(redis) -> Leases:
    book = LeaseBook(redis, lambda: POLICY, SystemClock(), _nobody_told)
    return Leases(book, Draining(book, Nothing()), lambda: POLICY, SystemClock(), lambda: None)


async def test_what_was_given_is_there_after_a_power_cut(
    disk: LoopDisk, seed: int, say: Callable[[str], None], request: pytest.FixtureRequest
) -> None:
    rng = random.Random(seed)
    server = RedisServer(disk.place / "redis")
    await server.start()
    epochs = [0]
    try:
        for number in range(CUTS):
            # The latest write before the cut is a lease, or a place in line.
            last_is_place = rng.random() < 0.5
            held = await take(server, f"holder {number}", force=True)
            waiting = await take(server, f"waiter {number}", force=False) if last_is_place else None
            await cut_the_power(server, disk)
            redis = connect_redis(server.settings, "test")
            try:
                view = await leases_on(redis).get(GetLease.model_validate({"token": held.token}))
                assert (view.yours, view.holder, view.epoch) == (
                    "lease",
                    f"holder {number}",
                    held.epoch,
                )
                if waiting is not None:
                    assert waiting.ticket in [one.ticket for one in view.queue]
                told = await redis.lrange(keys.OUTBOX, 0, -1)
                assert any(f'"holder":"holder {number}"' in row for row in told)
            finally:
                await redis.aclose()
            assert held.epoch is not None
            assert held.epoch > epochs[-1]
            epochs.append(held.epoch)
    finally:
        await server.kill()
    note(request.node, {"power cut": CUTS}, seed=seed, leases_kept=len(epochs) - 1)
    say(f"CHAOS_SEED={seed}: {CUTS} power cuts, epochs {epochs[1:]}")


async def test_a_redis_that_syncs_when_it_likes_is_seen_to_lose(
    disk: LoopDisk, request: pytest.FixtureRequest
) -> None:
    server = CarelessRedis(disk.place / "redis")
    await server.start()
    lost = 0
    try:
        for number in range(3):
            await take(server, f"holder {number}", force=True)
            try:
                await cut_the_power(server, disk)
            except ServerStartError:
                # What is left of its file is none that it reads.
                lost += 1
                break
            redis = connect_redis(server.settings, "test")
            lost += await redis.hget(keys.LOCK, "holder") != f"holder {number}"
            await redis.aclose()
    finally:
        await server.kill()
    note(request.node, {"power cut": 3}, seen_to_lose=lost)
    assert lost


async def test_what_was_counted_is_there_though_its_message_comes_no_more(disk: LoopDisk) -> None:
    path, mark = disk.place / "accounts.sqlite", Mark("SC_LEASE_EVT", "epoch", 1, 60.0)
    book = AccountBook(path)
    book.record([Fact("lock-1", 60.0, "began", "Alice", 1, until=3600.0)], mark)
    image = await disk.what_reached_it()
    book.close()
    disk.come_back_as(image)
    book = AccountBook(path)
    found = book.mark(mark.stream), [who for _, who in book.tallies(date.min, 120.0)]
    book.close()
    assert found == (mark, ["Alice"])
