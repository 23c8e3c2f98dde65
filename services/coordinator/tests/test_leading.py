"""One leader at a time, a greater fence with every change, and no leading on a guess."""

import pytest

from spark_common.testing import FakeClock
from spark_coordinator.leading import Leadership

pytestmark = pytest.mark.connected


async def test_of_two_the_first_leads_and_stays(redis, clock):
    one, two = Leadership(redis, "schedules", clock), Leadership(redis, "schedules", clock)
    assert await one.claim()
    assert not await two.claim()
    assert await one.claim()
    assert (one.leads, two.leads) == (True, False)
    assert one.fence == 1


async def test_two_kinds_of_work_have_two_leaders(redis, clock):
    one, two = Leadership(redis, "schedules", clock), Leadership(redis, "webhooks", clock)
    assert await one.claim()
    assert await two.claim()


async def test_the_next_one_leads_when_the_claim_ran_out_and_with_a_greater_fence(redis, clock):
    one, two = Leadership(redis, "schedules", clock), Leadership(redis, "schedules", clock)
    await one.claim()
    await redis.delete("sc:leader:schedules")
    assert await two.claim()
    assert not await one.claim()
    assert two.fence == 2


async def test_who_could_not_renew_leads_no_more_after_its_time(redis, clock):
    leader = Leadership(redis, "schedules", clock)
    await leader.claim()
    await redis.aclose()
    await clock.advance(4.9)
    assert leader.leads
    await clock.advance(0.2)
    assert not leader.leads


async def test_redis_away_claims_nothing(redis_server, redis):
    leader = Leadership(redis, "schedules", FakeClock())
    await redis_server.kill()
    assert not await leader.claim()
    assert not leader.leads
