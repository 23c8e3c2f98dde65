"""The client path on the bus: any gateway that answers, and none."""

import pytest

from spark_common.bus.port import Serving
from spark_common.contracts.traffic import (
    FIRST_TOKEN,
    GET_TRAFFIC,
    AskFirstToken,
    FirstToken,
    GetTraffic,
    Traffic,
)
from spark_common.errors import UnavailableError
from spark_common.testing import MemoryBroker, MemoryBus
from spark_swapper.adapters.gateway_path import GatewayPath


@pytest.fixture
async def gateway():
    """A gateway that answers what the test puts into ``replies``, in order."""
    broker = MemoryBroker()
    bus = MemoryBus("gateway", broker)

    class Gateway:
        path = GatewayPath(MemoryBus("swapper", broker))
        replies: list[FirstToken] = []
        asked: list[AskFirstToken] = []

        async def start(self):
            verbs = (Serving(GET_TRAFFIC, self.traffic), Serving(FIRST_TOKEN, self.token))
            await bus.serve("gateway", "1.0.0", "a gateway of tests", verbs)

        async def traffic(self, request: GetTraffic) -> Traffic:
            return Traffic(in_flight=3, held_off_by="one")

        async def token(self, request: AskFirstToken) -> FirstToken:
            self.asked.append(request)
            return self.replies.pop(0)

    yield Gateway()
    await bus.close()


async def test_without_a_gateway_nobody_counts_and_nobody_asks(gateway):
    assert await gateway.path.traffic() is None
    with pytest.raises(UnavailableError):
        await gateway.path.first_token("m", pooling=False)


async def test_what_the_gateway_carries(gateway):
    await gateway.start()
    assert await gateway.path.traffic() == Traffic(in_flight=3, held_off_by="one")


@pytest.mark.parametrize(
    ("last", "problem"),
    [
        (FirstToken(state="came"), None),
        (FirstToken(state="missing", problem="HTTP 500: x"), "HTTP 500: x"),
        (FirstToken(state="missing"), "no token came"),
    ],
)
async def test_a_question_that_takes_long_is_asked_for_again(gateway, last, problem):
    await gateway.start()
    gateway.replies[:] = [FirstToken(state="waiting"), FirstToken(state="waiting"), last]
    gateway.asked.clear()
    assert await gateway.path.first_token("m", pooling=True) == problem
    assert [(one.served_name, one.pooling) for one in gateway.asked] == [("m", True)] * 3
