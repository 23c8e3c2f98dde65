"""A change over HTTP is what the next request follows, without a restart, whatever is away."""

import itertools
import time

import pytest
import pytest_asyncio

from spark_common.redis_access import connect_redis
from spark_common.testing.wait import until, within

pytestmark = [pytest.mark.connected, pytest.mark.asyncio(loop_scope="module")]
LIVE_SECONDS = 2.0


async def until_it_answers(product, gateway, name):
    async def reached():
        return await product.answers(gateway) == name

    began = time.monotonic()
    await until(reached, f"requests reach {name}")
    return time.monotonic() - began


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def coordinator(product):
    (product.folder / "app_settings.json").write_text('{"KOKORO_PORT": 8881, "THEME": "dark"}')
    return product.coordinator()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def gateway(product, coordinator):
    gateway = product.gateway()
    async with product.running(coordinator, gateway):
        await product.until_served(gateway)
        yield gateway


async def test_everybodys_warnings_and_an_old_install_are_shown_and_the_coordinator_follows(
    product, servers, gateway
):
    async def migrated():
        view = await product.settings(gateway)
        found = {one["name"]: one for one in view["settings"]}
        return found["KOKORO_PORT"]["source"] == "owner"

    await until(migrated, "the old settings came over")
    view = await product.settings(gateway)
    port = next(one for one in view["settings"] if one["name"] == "VLLM_PORT")
    assert (port["value"], port["source"]) == (servers[0].port, "environment")
    assert any("DRAIN_SECONDS is wrong" in one for one in view["warnings"])
    assert any("THEME" in one for one in view["warnings"])

    homes = itertools.cycle(["gemma-4-26b", "gpt-oss-120b"])

    async def set_home():
        home = next(homes)
        assert (await product.set(gateway, HOME_MODEL=home)).status_code == 200

        async def comes_home():
            answer = await product.http.get(f"{gateway.url}/api/home")
            return answer.status_code == 200 and home in answer.text

        began = time.monotonic()
        await until(comes_home, "the coordinator uses it itself")
        return time.monotonic() - began

    await within(LIVE_SECONDS, set_home)


async def test_new_requests_follow_a_change_over_http_and_after_a_lost_event(
    product, servers, gateway
):
    first, second = servers
    await until_it_answers(product, gateway, first.name)
    changes = itertools.cycle([second, first])
    answering = first

    async def changed():
        nonlocal answering
        answering = next(changes)
        assert (await product.set(gateway, VLLM_PORT=answering.port)).status_code == 200
        return await until_it_answers(product, gateway, answering.name)

    await within(LIVE_SECONDS, changed)

    refused = await product.set(gateway, VLLM_PORT="any", HF_TOKEN="hush")
    assert refused.status_code == 422
    assert "hush" not in refused.text
    assert await product.answers(gateway) == answering.name

    async def changed_without_a_word():
        # As after a lost event: nobody is told.
        other = next(changes)
        redis = connect_redis(product.redis.settings, "test")
        await redis.hset("sc:settings", "VLLM_PORT", str(other.port))
        await redis.incr("sc:settings:version")
        await redis.aclose()
        return await until_it_answers(product, gateway, other.name)

    await within(LIVE_SECONDS, changed_without_a_word)


async def test_requests_outlive_all_control_and_a_new_gateway_follows_the_coordinator_when_it_comes(
    product, servers, coordinator, gateway
):
    first, second = servers
    assert (await product.set(gateway, VLLM_PORT=second.port)).status_code == 200
    await until_it_answers(product, gateway, second.name)
    await coordinator.terminate()
    await product.redis.kill()
    await product.nats.kill()
    for _ in range(3):
        assert await product.answers(gateway) == second.name

    await product.redis.start()
    await product.nats.start()
    async with product.gateway() as new:
        await until_it_answers(product, new, first.name)
        async with product.coordinator():
            await until_it_answers(product, new, second.name)
