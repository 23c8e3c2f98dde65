"""The shipped gateway meters what passes: head fields, numbers, a line per request."""

import asyncio
import signal

import pytest

from spark_common.bus import Serving
from spark_common.bus.nats import connect_bus
from spark_common.bus.provision import provision
from spark_common.clock import SystemClock
from spark_common.contracts.requests import APPEND_REQUESTS, Appended
from spark_common.embedded import NatsServer
from spark_common.plain_http import plain_client
from spark_common.testing.wait import until

pytestmark = pytest.mark.connected
CHAT = "/v1/chat/completions"


class Coordinator:
    """Takes lines on the real bus, as its own identity."""

    def __init__(self, nats: NatsServer) -> None:
        self.nats = nats
        self.lines = []

    async def serve(self):
        await provision(self.nats.settings("provisioner"), SystemClock())
        settings = self.nats.settings("coordinator")
        bus = await connect_bus(settings, "coordinator", SystemClock(), on_lost=lambda: None)
        verbs = [Serving(APPEND_REQUESTS, self.append)]
        await bus.serve("coordinator", "1.0.0", "a test", verbs)
        return bus

    async def append(self, request):
        self.lines += request.lines
        return Appended()


async def test_every_request_is_measured_counted_and_logged_once(gateway, nats):
    await gateway.start()
    headers = {"user-agent": "a test", "x-openwebui-user-id": "alice", "x-request-id": "mine-1"}
    usage = {"prompt_tokens": 7, "completion_tokens": 11}
    question = {"model": "org/model", "usage": usage, "secret": "a private matter"}
    async with plain_client(base_url=gateway.url, headers=headers, timeout=60) as http:
        # The upstream answers with what it is asked, and nobody takes lines yet.
        answer = await http.post(CHAT, json=question)
        assert answer.json() == question
        assert float(answer.headers["x-spark-overhead-ms"]) < 5000
        refused = await http.post("/v1" + CHAT, json={}, headers={"x-request-id": "mine-2"})
        assert refused.status_code == 404
        coordinator = Coordinator(nats)
        bus = await coordinator.serve()
        await until(lambda: len(coordinator.lines) >= 2, "the lines")
        shown = (await http.get("/metrics")).text
    first, second = sorted(coordinator.lines, key=lambda line: line.id)
    assert (first.id, first.model, first.status, first.end) == (
        *("mine-1", "org/model", 200, "complete"),
    )
    assert (first.prompt_tokens, first.completion_tokens, first.upstream) == (7, 11, "llm")
    assert (first.user, first.client, first.address) == ("alice", "a test", "127.0.0.1")
    assert first.bytes_in > 50
    assert (second.id, second.status, second.end) == ("mine-2", 404, "refused")
    labels = f'model="org/model",route="{CHAT}"'
    assert f"spark_gateway_requests_total{{{labels}}} 1.0" in shown
    assert f'spark_gateway_answers_total{{{labels},status="200"}} 1.0' in shown
    assert 'kind="completion",model="org/model",source="reported"} 11.0' in shown
    assert 'spark_gateway_busy_seconds_total{upstream="llm"}' in shown
    assert "private" not in gateway.said()
    assert not any("private" in line.model_dump_json() for line in coordinator.lines)
    await bus.close()


async def test_the_last_lines_are_sent_when_it_ends(gateway, nats):
    await gateway.start()
    coordinator = Coordinator(nats)
    bus = await coordinator.serve()
    async with plain_client(base_url=gateway.url, timeout=60) as http:
        await asyncio.gather(*(http.post(CHAT, json={}) for _ in range(20)))
    assert await gateway.end(signal.SIGTERM) == 0
    assert len(coordinator.lines) == 20
    await bus.close()
