"""Three gateways, and three audio-proxies, each behind one address: what holds for all together."""

import asyncio
import signal
import time
from contextlib import AsyncExitStack
from pathlib import Path

import httpx
import pytest
from replica_lab.balancer import Balancer
from replica_lab.place import COMING, LOADED, Place, open_place

from spark_common.bus.provision import provision
from spark_common.clock import SystemClock
from spark_common.embedded import NatsServer, RedisServer
from spark_common.testing.noting import note
from spark_common.testing.process import ServiceProcess
from spark_common.testing.service_exam import service_environment
from spark_common.testing.wait import until
from spark_sim.speakclock.mixing import in_a_row, mixed
from spark_sim.speakclock.sound_files import Kind, encoded
from spark_sim.speech.stands import parakeet_stand

pytestmark = [pytest.mark.chaos, pytest.mark.connected, pytest.mark.timeout(300)]
REPLICAS = 3
AT_ONCE = 2
"""Calls at the speech server at once, for all replicas together (docs/AUDIO_API.md)."""


def one_call_clients(url: str) -> httpx.AsyncClient:
    """Return a client whose every call is a connection of its own, and so meets another replica."""
    return httpx.AsyncClient(
        base_url=url,
        timeout=60,
        trust_env=False,
        limits=httpx.Limits(max_keepalive_connections=0),
    )


async def test_three_gateways_are_one_to_their_clients(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    async with open_place(tmp_path, gateways=REPLICAS) as place:
        ports = [side.process.port for side in place.sides]
        async with Balancer(ports) as front, one_call_clients(front.url) as http:
            key = await place.one.key("app")
            known_after = await place.known(key)
            shown = {"authorization": f"Bearer {key}"}

            async def chats(number: int) -> list[int]:
                body = {"model": LOADED}
                asked = (
                    http.post("/v1/chat/completions", json=body, headers=shown)
                    for _ in range(number)
                )
                return [answer.status_code for answer in await asyncio.gather(*asked)]

            assert await chats(30) == [200] * 30
            assert all(front.served[port] >= 8 for port in ports)

            heard_after = await swap_that_everybody_holds(place, http, shown)
            dead = place.sides[2]
            await dead.process.end(signal.SIGKILL)
            assert await chats(30) == [200] * 30
            listed = (await place.one.get("/api/keys")).json()["keys"]
            (mine,) = [one["id"] for one in listed if one["name"] == "app"]
            began = time.monotonic()
            await place.one.http.delete(f"/api/keys/{mine}", headers=place.one.admin)

            async def out() -> bool:
                return set(await chats(4)) == {401}

            await until(out, "a key taken back at one opens none")
            revoked_after = time.monotonic() - began
    note(
        request.node,
        {"kill gateway": 1},
        replicas=REPLICAS,
        key_known_everywhere_after_seconds=round(known_after, 2),
        outcome_heard_everywhere_after_seconds=round(heard_after, 2),
        key_out_everywhere_after_seconds=round(revoked_after, 2),
        failed=0,
    )


async def swap_that_everybody_holds(
    place: Place, http: httpx.AsyncClient, shown: dict[str, str]
) -> float:
    """Swap through the one address; return how long the outcome takes to reach every stream."""
    admin = {**place.one.admin, "idempotency-key": "s1"}
    for _ in range(REPLICAS):
        begun = await http.post("/api/swap", json={"model": COMING}, headers=admin)
        assert (begun.status_code, begun.json().get("id")) == (202, "s1"), begun.text
    await place.swapper.load("s1")
    key = shown["authorization"].removeprefix("Bearer ")
    for side in place.sides:
        await until(lambda side=side: side.lets(key, 503, "auto"), "it loads")
    held = [
        asyncio.create_task(
            http.post(
                "/v1/chat/completions",
                json={"model": COMING},
                headers={**shown, "prefer": "wait=60"},
            )
        )
        for _ in range(2 * REPLICAS)
    ]

    async def all_held() -> bool:
        numbers = [await side.number("spark_gateway_held_now") for side in place.sides]
        return numbers == [2] * REPLICAS

    await until(all_held, "each holds its share")
    heard = [asyncio.create_task(outcome(place, number)) for number in range(REPLICAS)]
    began = time.monotonic()
    await place.swapper.bring("s1")
    await asyncio.gather(*heard)
    took = time.monotonic() - began
    answers = [await one for one in held]
    assert [one.status_code for one in answers] == [200] * len(held)
    assert {one.json()["model"] for one in answers} == {COMING}
    place.swapper.begin("back", LOADED)
    await place.swapper.load("back")
    await place.swapper.bring("back")
    for side in place.sides:
        await until(lambda side=side: side.lets(key), "it is back")
    return took


async def outcome(place: Place, number: int) -> None:
    """Read a gateway's own stream of the swap until it is told the outcome."""
    side = place.sides[number]
    async with side.http.stream("GET", "/api/swap/s1/stream", headers=side.admin) as answer:
        async for line in answer.aiter_lines():
            if line == "event: swap.complete":
                return


async def test_three_audio_proxies_keep_one_line_for_one_speech_server(
    tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    nats, redis = NatsServer(tmp_path / "nats"), RedisServer(tmp_path / "redis")
    sound = encoded(Kind.FLAC, mixed(in_a_row("Good morning, this is Alice.", 0)))
    async with AsyncExitStack() as stack:
        stack.push_async_callback(nats.kill)
        stack.push_async_callback(redis.kill)
        await asyncio.gather(nats.start(), redis.start())
        await provision(nats.settings("provisioner"), SystemClock())
        parakeet = await stack.enter_async_context(parakeet_stand(1.0))
        replicas = []
        for number in range(REPLICAS):
            environment = service_environment("audio-proxy", nats, redis) | {
                "SPARK1_HOST": "127.0.0.1",
                "SPARK1_USER": "alice",
                "DATA_DIR": str(tmp_path / f"data-{number}"),
                "PARAKEET_URL": parakeet.url,
            }
            log = tmp_path / f"audio-{number}.log"
            replicas.append(ServiceProcess("spark_audio_proxy", environment, log))
        async with asyncio.TaskGroup() as starting:
            for one in replicas:
                starting.create_task(stack.enter_async_context(one))
        for one in replicas:
            await one.until_ready()
        ports = [int(one.url.rpartition(":")[2]) for one in replicas]
        front = await stack.enter_async_context(Balancer(ports))
        http = await stack.enter_async_context(one_call_clients(front.url))

        async def hears() -> int:
            answer = await http.post("/v1/audio/transcriptions", files={"file": ("a.flac", sound)})
            return answer.status_code

        first = await asyncio.gather(*(hears() for _ in range(12)))
        shares = [front.served[port] for port in ports]
        await replicas[2].kill()
        second = await asyncio.gather(*(hears() for _ in range(8)))
        at_once = parakeet.records.most_at_once
    note(
        request.node,
        {"kill audio-proxy": 1},
        replicas=REPLICAS,
        calls=len(first) + len(second),
        most_at_the_server_at_once=at_once,
        cap=AT_ONCE,
        failed=sum(code != 200 for code in [*first, *second]),
    )
    assert first == [200] * 12
    assert second == [200] * 8
    assert min(shares) >= 3
    assert at_once == AT_ONCE
