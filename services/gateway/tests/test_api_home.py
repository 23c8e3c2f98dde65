"""``GET /api/home``: what the coordinator says about the home model."""

from spark_common.bus import Serving
from spark_common.contracts.home import GET_HOME, HomeView
from spark_common.testing import MemoryBus


async def test_how_it_stands_is_passed_on(bench):
    async def answer(request):
        return HomeView(model="qwen", state="waiting", sentence="Alice has the cluster.")

    bus = MemoryBus("coordinator", bench.broker)
    await bus.serve("coordinator", "1.0.0", "home", [Serving(GET_HOME, answer)])
    answer_ = await bench.http.get("/api/home")
    assert answer_.status_code == 200
    assert answer_.json() == {
        "model": "qwen",
        "state": "waiting",
        "sentence": "Alice has the cluster.",
        "next_try_at": None,
    }


async def test_without_a_coordinator_it_is_503(bench):
    answer = await bench.http.get("/api/home")
    assert (answer.status_code, answer.json()["code"]) == (503, "service_unavailable")
