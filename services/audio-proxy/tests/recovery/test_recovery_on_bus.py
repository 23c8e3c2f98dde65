"""What recovery says and asks on the bus, and what it hears of the server itself."""

import asyncio
import json
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from spark_audio_proxy.recovery.on_bus import AnnouncedOnBus, HealthOnBus, ServerOverHttp
from spark_audio_proxy.recovery.ports import DeepSight
from spark_audio_proxy.recovery.standing import Standing
from spark_audio_proxy.upstreams.asking import UpstreamHttp
from spark_common.bus.port import Serving
from spark_common.contracts.deep_health import (
    GET_DEEP_HEALTH,
    DeepHealth,
    DeepResult,
    DeepService,
    GetDeepHealth,
)
from spark_common.errors import ServiceUnavailableError
from spark_common.events import HealthProbeRequested
from spark_common.testing.broker import MemoryBroker
from spark_common.testing.bus import MemoryBus
from spark_common.testing.clock import FakeClock, settle

AT = datetime(2026, 11, 2, 8, 15, tzinfo=UTC)
SUSPECT = Standing(state="suspect", episode="e1", trouble="wedge", since=AT.timestamp())


async def test_a_check_is_ordered_once_an_episode_and_its_result_is_read() -> None:
    broker = MemoryBroker()
    ours, health = MemoryBus("audio-proxy", broker), MemoryBus("health", broker)
    desk = HealthOnBus(ours)
    with pytest.raises(ServiceUnavailableError):
        await desk.latest_check()
    for _ in range(2):
        await desk.order_check("e1", "a call failed")
    orders = list(broker.stream("SC_PROBES").messages.values())
    assert len(orders) == 1
    assert orders[0].envelope is not None
    order = HealthProbeRequested.model_validate(orders[0].envelope.data)
    assert (order.target, order.requested_by) == ("parakeet", "audio-proxy")

    last: list[DeepResult] = []

    async def answer(question: GetDeepHealth) -> DeepHealth:
        assert question.service == "parakeet"
        service = DeepService(name="parakeet", label="Speech", last=last[0] if last else None)
        return DeepHealth(services=[service], every_seconds=300, as_of=AT)

    await health.serve("health", "1", "health", [Serving(GET_DEEP_HEALTH, answer)])
    assert await desk.latest_check() is None
    last.append(DeepResult(state="wedged", sentence="stuck", at=AT))
    assert await desk.latest_check() == DeepSight("wedged", AT.timestamp())


async def test_others_hear_what_began_and_how_it_ended() -> None:
    broker, clock = MemoryBroker(), FakeClock(AT)
    somebody = MemoryBus("somebody", broker)

    async def first(subject: str) -> dict[str, Any]:
        async for _, body in somebody.listen(subject):
            return json.loads(body)["data"]
        raise AssertionError(subject)

    hearing = [asyncio.create_task(first(word)) for word in ("audio.suspect", "audio.state")]
    await settle()
    announced = AnnouncedOnBus(MemoryBus("audio-proxy", broker), clock)
    await announced.suspect(SUSPECT)
    await clock.advance(84)
    await announced.state(SUSPECT, Standing())
    suspect, state = await asyncio.gather(*hearing)
    assert (suspect["trouble"], suspect["episode"]) == ("wedge", "e1")
    assert datetime.fromisoformat(suspect["at"]) == AT
    assert (state["before"], state["state"]) == ("suspect", "ready")
    assert (state["episode"], state["seconds"]) == ("e1", 84)


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        (httpx.Response(200, json={"status": "ready"}), "ready"),
        (httpx.Response(200, json={"status": "loading"}), "loading"),
        (httpx.Response(503, json={"status": "failed"}), "failed"),
        (httpx.Response(200, json={"status": 5}), "silent"),
        (httpx.Response(200, json=[]), "silent"),
        (httpx.Response(200, text="not JSON"), "silent"),
        (httpx.ConnectError("refused"), "refused"),
        (httpx.ConnectTimeout("nobody"), "refused"),
        # It works, and does not answer meanwhile.
        (httpx.ReadTimeout("busy"), "silent"),
    ],
)
async def test_the_server_is_taken_at_its_word(answer: Any, word: str) -> None:
    def said(_: httpx.Request) -> httpx.Response:
        if isinstance(answer, Exception):
            raise answer
        return answer

    client = httpx.AsyncClient(transport=httpx.MockTransport(said))
    http = UpstreamHttp("parakeet", "the speech server", lambda: "http://server.example", client)
    assert await ServerOverHttp(http).word() == word
