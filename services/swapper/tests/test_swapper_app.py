"""The swapper starts, says what is missing, and is ready when it is."""

import asyncio
import os
import subprocess
import sys

import httpx
import pytest

from spark_common.bus.nats import connect_bus
from spark_common.clock import SystemClock
from spark_common.contracts.about import GetAbout, about_rpc
from spark_common.errors import UnavailableError
from spark_common.redis_access import connect_redis
from spark_common.remote.ssh import SshShell
from spark_common.settings import (
    BusSettings,
    ClusterSettings,
    HostSettings,
    HttpSettings,
    RedisSettings,
    load,
)
from spark_common.testing import FakeClock, MemoryBus
from spark_swapper.app import build, wire
from spark_swapper.settings import SwapperSettings, SwapTimings

ENVIRONMENT = {
    "NATS_URL": "nats://127.0.0.1:1",
    "REDIS_URL": "redis://127.0.0.1:1/0",
    "SPARK1_HOST": "127.0.0.11",
    "SPARK1_USER": "alice",
    "SSH_KEY_PATH": "key",
    "SSH_KNOWN_HOSTS": "known_hosts",
}


def test_the_timings_have_defaults_for_real_sparks():
    settings = load(SwapperSettings, ENVIRONMENT)
    assert settings.timings == SwapTimings()
    assert settings.http.bind_port == 9101
    scaled = load(SwapperSettings, {**ENVIRONMENT, "POLL_SECONDS": "0.1", "STALL_SECONDS": "x"})
    assert (scaled.timings.poll_seconds, scaled.timings.stall_seconds) == (0.1, 600)
    assert any("STALL_SECONDS" in warning for warning in scaled.warnings)


def test_a_missing_variable_is_one_line_that_names_it():
    environment = {key: value for key, value in ENVIRONMENT.items() if key != "SPARK1_HOST"}
    done = subprocess.run(
        [sys.executable, "-m", "spark_swapper"],
        env={**environment, "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert "SPARK1_HOST" in done.stderr


def settings_for(tmp_path, bus, redis):
    spark = HostSettings(name="spark1", label="Spark 1", address="127.0.0.11", user="alice")
    return SwapperSettings(
        bus=bus,
        redis=redis,
        http=HttpSettings(bind_port=0),
        cluster=ClusterSettings(
            hosts=(spark,), ssh_key_path=tmp_path / "key", known_hosts_path=tmp_path / "known"
        ),
        timings=SwapTimings(),
        data_dir=tmp_path,
    )


async def test_the_owners_recipes_come_from_the_documented_file(tmp_path):
    (tmp_path / "models.override.yaml").write_text("models: [")
    settings = settings_for(
        tmp_path, BusSettings(url="nats://127.0.0.1:1"), RedisSettings(url="redis://127.0.0.1:1/0")
    )
    clock = FakeClock()
    redis = connect_redis(settings.redis, "swapper")
    async with httpx.AsyncClient() as http, redis:
        shell = SshShell(settings.cluster, clock)
        swapper = wire(
            settings, bus=MemoryBus("swapper"), redis=redis, shell=shell, http=http, clock=clock
        )
        menu = await swapper.shelf.menu(refresh=False)
        await shell.close()
    assert [problem.split()[0] for problem in menu.problems] == ["models.override.yaml"]


@pytest.mark.connected
async def test_built_it_is_ready_and_answers(tmp_path, nats_server, redis_server):
    settings = settings_for(tmp_path, nats_server.settings("swapper"), redis_server.settings)
    service = await build(settings)
    try:
        assert [await check.ask() for check in service.checks] == [None] * len(service.checks)
        asker = await connect_bus(nats_server.settings("gateway"), "gateway", SystemClock())
        about = await asker.call(about_rpc("swapper"), GetAbout())
        await asker.close()
        assert (about.name, about.ready) == ("swapper", True)
        await redis_server.kill()
        reasons = await asyncio.gather(*(check.ask() for check in service.checks))
        assert any(reason and "Redis" in reason for reason in reasons)
    finally:
        await service.close()


@pytest.mark.connected
async def test_without_redis_the_start_is_tried_again_later(tmp_path, nats_server):
    redis = RedisSettings(url="redis://127.0.0.1:1/0")
    with pytest.raises(UnavailableError):
        await build(settings_for(tmp_path, nats_server.settings("swapper"), redis))
