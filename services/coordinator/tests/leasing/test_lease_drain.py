"""What still runs of a lease that is over, as the swapper and the gateway say."""

from datetime import UTC, datetime

import pytest

from spark_common.bus.port import Serving
from spark_common.contracts.swaps import LIST_SWAPS, Phase, Swaps, SwapView
from spark_common.contracts.traffic import GET_TRAFFIC, Traffic
from spark_common.errors import UnavailableError
from spark_common.testing import MemoryBus
from spark_coordinator.leasing.drain import Remaining, WorkOnTheBus

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def a_swap(epoch, *, over=False):
    return SwapView(
        id=f"s{epoch}",
        model="m",
        model_name="M",
        requested_by="Alice",
        phase=Phase.READY if over else Phase.LOADING,
        lease_epoch=epoch,
        created_at=NOW,
        finished_at=NOW if over else None,
    )


async def serve(broker, service, rpc, answer):
    async def said(_):
        if isinstance(answer, Exception):
            raise answer
        return answer

    await MemoryBus(service, broker).serve(service, "1.0.0", service, [Serving(rpc, said)])


@pytest.mark.parametrize(
    ("swaps", "runs"),
    [
        (Swaps(), False),
        (Swaps(current=a_swap(7)), True),
        (Swaps(current=a_swap(7, over=True)), False),
        (Swaps(current=a_swap(6)), False),
        (Swaps(current=a_swap(6), queue=[a_swap(7)]), True),
        (Swaps(recent=[a_swap(7, over=True)]), False),
        (UnavailableError("Redis is away"), True),
        (None, True),
    ],
    ids=["none", "runs", "over", "older", "queued", "past", "cannot say", "silent"],
)
async def test_a_swap_of_its_time_runs_or_nobody_can_say(bus, broker, swaps, runs):
    if swaps is not None:
        await serve(broker, "swapper", LIST_SWAPS, swaps)
    assert await WorkOnTheBus(bus).remaining(7) == Remaining(swap=runs, answers=False)


@pytest.mark.parametrize(
    ("traffic", "answers"),
    [(Traffic(in_flight=0), False), (Traffic(in_flight=3), True), (UnavailableError("x"), False)],
)
async def test_answers_are_what_the_gateway_counts(bus, broker, traffic, answers):
    await serve(broker, "swapper", LIST_SWAPS, Swaps())
    await serve(broker, "gateway", GET_TRAFFIC, traffic)
    assert (await WorkOnTheBus(bus).remaining(7)).answers is answers
