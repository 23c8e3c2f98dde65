"""A change over HTTP is what the next request follows, without a restart, whatever is away."""

import time

import pytest

from spark_common.redis_access import connect_redis
from spark_common.testing.wait import until

pytestmark = pytest.mark.connected
LIVE_SECONDS = 2.0


async def until_it_answers(product, gateway, name):
    async def reached():
        return await product.answers(gateway) == name

    began = time.monotonic()
    await until(reached, f"requests reach {name}")
    return time.monotonic() - began


async def test_new_requests_follow_a_change_over_http_and_outlive_all_control(product, servers):
    first, second = servers
    async with product.coordinator() as coordinator, product.gateway() as gateway:
        await product.until_served(gateway)
        await until_it_answers(product, gateway, first.name)
        assert (await product.set(gateway, VLLM_PORT=second.port)).status_code == 200
        assert await until_it_answers(product, gateway, second.name) < LIVE_SECONDS

        refused = await product.set(gateway, VLLM_PORT="any", HF_TOKEN="hush")
        assert refused.status_code == 422
        assert "hush" not in refused.text
        assert await product.answers(gateway) == second.name

        # As after a lost event: nobody is told.
        redis = connect_redis(product.redis.settings, "test")
        await redis.hset("sc:settings", "VLLM_PORT", str(first.port))
        await redis.incr("sc:settings:version")
        await redis.aclose()
        assert await until_it_answers(product, gateway, first.name) < LIVE_SECONDS

        assert (await product.set(gateway, VLLM_PORT=second.port)).status_code == 200
        await until_it_answers(product, gateway, second.name)
        await coordinator.terminate()
        await product.redis.kill()
        await product.nats.kill()
        for _ in range(3):
            assert await product.answers(gateway) == second.name


async def test_a_new_gateway_serves_without_the_coordinator_and_follows_when_it_comes(
    product, servers
):
    first, second = servers
    async with product.coordinator() as coordinator, product.gateway() as gateway:
        await product.until_served(gateway)
        await product.set(gateway, VLLM_PORT=second.port)
        await coordinator.terminate()
    async with product.gateway() as gateway:
        await until_it_answers(product, gateway, first.name)
        async with product.coordinator():
            await until_it_answers(product, gateway, second.name)


async def test_everybodys_warnings_and_an_old_install_are_shown_and_the_coordinator_follows(
    product, servers
):
    (product.folder / "app_settings.json").write_text('{"KOKORO_PORT": 8881, "THEME": "dark"}')
    async with product.coordinator(), product.gateway() as gateway:
        await product.until_served(gateway)

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

        assert (await product.set(gateway, HOME_MODEL="gemma-4-26b")).status_code == 200

        async def comes_home():
            answer = await product.http.get(f"{gateway.url}/api/home")
            return answer.status_code == 200 and "gemma-4-26b" in answer.text

        await until(comes_home, "the coordinator uses it itself", LIVE_SECONDS)
