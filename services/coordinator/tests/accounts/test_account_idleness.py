"""Idle is what was seen idle, from one look to the next, and nothing else."""

import pytest

from spark_common.contracts.leases import LeaseView
from spark_common.contracts.swaps import Phase, Swaps, SwapView
from spark_common.contracts.traffic import Traffic
from spark_common.testing import FakeClock
from spark_coordinator.accounts.idleness import IdleWatch, Stretch, idle_between
from spark_coordinator.sight import ClusterSight, Sight

HELD = LeaseView(state="held", holder="Alice", epoch=3)
QUIET = Traffic(in_flight=0, taken_on=7)


NO_SWAPS = Swaps()


def sight(at, lease=HELD, swaps=NO_SWAPS, traffic=QUIET):
    return Sight(at, lease, swaps, traffic)


def a_swap():
    return SwapView(
        id="s",
        model="m",
        model_name="M",
        requested_by="Alice",
        phase=Phase.LOADING,
        created_at=FakeClock().now(),
    )


@pytest.mark.parametrize(
    ("second", "idle"),
    [
        (sight(10), 10),
        (sight(30), 30),
        (sight(31), None),
        (sight(0), None),
        (sight(-5), None),
        (sight(10, lease=None), None),
        (sight(10, lease=LeaseView(state="free", epoch=3)), None),
        (sight(10, lease=LeaseView(state="draining", holder="Alice", epoch=3)), None),
        (sight(10, lease=LeaseView(state="held", holder="Alice", epoch=4)), None),
        (sight(10, traffic=None), None),
        (sight(10, traffic=Traffic(in_flight=1, taken_on=8)), None),
        (sight(10, traffic=Traffic(in_flight=0, taken_on=8)), None),
        (sight(10, swaps=None), None),
        (sight(10, swaps=Swaps(current=a_swap())), None),
    ],
    ids=[
        "nothing happened",
        "the longest stretch",
        "too long to know",
        "no time passed",
        "time ran backwards",
        "nobody answers about the lease",
        "released meanwhile",
        "ended meanwhile",
        "another lease",
        "the gateway is away",
        "a request is answered",
        "a request came and went",
        "the swapper is away",
        "a swap runs",
    ],
)
def test_what_counts_as_idle(second, idle):
    expected = None if idle is None else Stretch("Alice", idle)
    assert idle_between(sight(0), second) == expected


class Claim:
    """Leads or does not, as the test says."""

    leads = True


async def test_an_hour_with_ten_busy_minutes_and_a_pause_of_the_coordinator(
    cluster, teller, follower, keeper, bus, clock, broker
):
    claim = Claim()
    watch = IdleWatch(ClusterSight(bus, clock), keeper, claim, clock)
    await teller.lease(1, "Alice", 0, 60)
    await follower.catch_up("SC_LEASE_EVT")
    cluster.held_by("Alice")

    async def minutes(count):
        for _ in range(count * 6):
            await watch.look()
            await clock.advance(10)

    await minutes(20)
    cluster.traffic = Traffic(in_flight=2, taken_on=5)
    await minutes(10)
    cluster.traffic = Traffic(in_flight=0, taken_on=5)
    await minutes(10)
    claim.leads = False
    await minutes(10)
    claim.leads = True
    await clock.advance(300)
    await minutes(5)
    (account,) = (await keeper.report(1)).holders
    assert account.held_minutes == 60
    # 20 min, 10 min and 5 min, less the look that found something else at each edge.
    assert account.idle_minutes == pytest.approx(35, abs=0.7)
    assert account.idle_minutes <= 35


async def test_idle_time_is_never_more_than_was_held(cluster, teller, follower, keeper, clock):
    await teller.lease(1, "Alice", 0, 1)
    await follower.catch_up("SC_LEASE_EVT")
    await clock.advance(3600)
    await keeper.idle("Alice", 1800)
    await keeper.idle("Bob", 1800)
    (account,) = (await keeper.report(1)).holders
    assert (account.held_minutes, account.idle_minutes) == (1, 1)
