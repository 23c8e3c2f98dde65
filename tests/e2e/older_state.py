"""What a version leaves in its run folder, as one text file, and that put back into a folder.

Before a release, stop a product that has something of everything, and keep it for the tests of the
next one: ``.venv/bin/python tests/e2e/older_state.py .run/up tests/e2e/older/<name>.json``.
"""

import asyncio
import contextlib
import json
import re
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import nats
from nats.aio.client import Client
from redis.asyncio import Redis

from spark_common.bus.nats_streams import epoch_of
from spark_common.embedded import RedisServer
from spark_common.embedded.binaries import NATS, find_binary
from spark_common.embedded.child import Child
from spark_common.testing.ports import free_port

NEAR = 2 * 86_400.0
"""Moments that are so near to that of the capture (seconds) are moved with it."""
MOST_MESSAGES = 60
"""Of one stream; the newest."""
_ISO = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?=Z|\+00:00)")
_DAY = re.compile(r"(?<=['\"])\d{4}-\d\d-\d\d(?=['\"])")
_NUMBER = re.compile(r"(?<![\w.])1\d{9}(?:\d{3}){0,2}(?![\w])")
_REAL = re.compile(r"(?<![\w.])\d\.\d+e\+\d\d\b")
_KINDS: dict[str, tuple[Callable[..., Any], Callable[..., Any]]] = {
    "string": (Redis.get, lambda redis, key, value: redis.set(key, value)),
    "hash": (Redis.hgetall, lambda redis, key, value: redis.hset(key, mapping=value)),
    "list": (
        lambda redis, key: redis.lrange(key, 0, -1),
        lambda redis, key, value: redis.rpush(key, *value),
    ),
    "zset": (
        lambda redis, key: redis.zrange(key, 0, -1, withscores=True),
        lambda redis, key, value: redis.zadd(key, dict(value)),
    ),
}


def plant(file: Path, run: Path) -> dict[str, Any]:
    """Put what was captured into a folder that no product used yet, as if it were of just now.

    Returns what the capture was given to remember beside.
    """
    text = file.read_text(encoding="utf-8")
    state = json.loads(moved(text, json.loads(text)["at"], time.time()))
    asyncio.run(_plant(state, run))
    return dict(state["remembered"])


def moved(text: str, since: float, to: float) -> str:
    """Move the moments that are near ``since`` (epoch seconds), in whatever unit, to ``to``."""
    by = to - since
    days = datetime.fromtimestamp(to, UTC).date() - datetime.fromtimestamp(since, UTC).date()

    def iso(found: re.Match[str]) -> str:
        moment = datetime.fromisoformat(found[0]).replace(tzinfo=UTC)
        if abs(moment.timestamp() - since) > NEAR:
            return found[0]
        return (moment + timedelta(seconds=by)).replace(tzinfo=None).isoformat()

    def day(found: re.Match[str]) -> str:
        that = date.fromisoformat(found[0])
        near = abs(that - datetime.fromtimestamp(since, UTC).date()) <= timedelta(days=2)
        return (that + days).isoformat() if near else found[0]

    def number(found: re.Match[str]) -> str:
        unit = 10 ** (len(found[0]) - 10)
        near = abs(int(found[0]) / unit - since) <= NEAR
        return str(int(found[0]) + round(by * unit)) if near else found[0]

    return _NUMBER.sub(number, _DAY.sub(day, _ISO.sub(iso, text)))


async def capture(run: Path, remembered: dict[str, Any]) -> dict[str, Any]:
    """Return what is in the folder of a product that was stopped."""
    data = run / "data"
    books = sorted(data.rglob("*.sqlite"))
    state: dict[str, Any] = {
        "at": max(path.stat().st_mtime for path in run.rglob("*") if path.is_file()),
        "remembered": remembered,
        "files": {
            str(path.relative_to(data)): path.read_text() for path in sorted(data.rglob("*.yaml"))
        },
        "books": {str(path.relative_to(data)): _dumped(path) for path in books},
    }
    async with _bare_nats(run) as bus:
        state["streams"] = [await _stream(bus, name) for name in await _names(bus)]
    async with _redis(run) as redis:
        keys = sorted([key async for key in redis.scan_iter()])
        state["redis"] = {key: await _value(redis, key) for key in keys}
    return state


async def _plant(state: dict[str, Any], run: Path) -> None:
    epochs = {}
    async with _bare_nats(run) as bus:
        for stream in state["streams"]:
            epochs[stream["epoch"]] = await _restore(bus, stream)
    text = json.dumps([state["redis"], state["books"], state["files"]])
    for then, now in epochs.items():
        text = text.replace(then, now)
    values, books, files = json.loads(text)
    async with _redis(run) as redis:
        for key, (kind, value, milliseconds) in values.items():
            await _KINDS[kind][1](redis, key, value)
            if milliseconds > 0:
                await redis.pexpire(key, milliseconds)
    for name, content in files.items():
        path = run / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
    for name, statements in books.items():
        path = run / "data" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.closing(sqlite3.connect(path)) as book:
            book.executescript("\n".join(statements))


def _dumped(path: Path) -> list[str]:
    """Return the statements that make it, moments among them in plain digits."""
    with contextlib.closing(sqlite3.connect(path)) as book:
        return [_REAL.sub(lambda one: repr(float(one[0])), line) for line in book.iterdump()]


@contextlib.asynccontextmanager
async def _redis(run: Path) -> AsyncIterator[Redis]:
    server = RedisServer(run / "redis")
    await server.start()
    password = server.password_file.read_text().strip()
    redis = Redis.from_url(
        server.url, username=server.user, password=password, decode_responses=True
    )
    try:
        yield redis
    finally:
        await redis.aclose()
        await server.terminate()


async def _value(redis: Redis, key: str) -> list[Any]:
    kind = str(await redis.type(key))
    return [kind, await _KINDS[kind][0](redis, key), await redis.pttl(key)]


@contextlib.asynccontextmanager
async def _bare_nats(run: Path) -> AsyncIterator[Client]:
    """Serve the streams of a folder to one user who may do everything."""
    folder = run / "nats"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    port = free_port()
    config = folder / "bare.conf"
    config.write_text(
        f"listen: 127.0.0.1:{port}\n"
        f"jetstream {{ store_dir: {json.dumps(str((folder / 'jetstream').absolute()))} }}\n"
        "accounts { SPARK { jetstream: enabled, users: [{user: all, password: all}] } }\n"
        "no_auth_user: all\n"
    )
    server = Child(NATS.program, folder)
    url = f"nats://127.0.0.1:{port}"

    async def answers() -> bool:
        try:
            async with await nats.connect(url, error_cb=_quiet, allow_reconnect=False) as bus:
                await _ask(bus, "INFO")
        except (OSError, nats.errors.Error):
            return False
        return True

    await server.start([await find_binary(NATS), "-c", config.absolute()], answers)
    try:
        async with await nats.connect(url) as bus:
            yield bus
    finally:
        await server.terminate()
        config.unlink()


async def _quiet(_: Exception) -> None:
    """Nobody listens yet: asked again by the caller."""


async def _ask(bus: Client, verb: str, body: dict[str, Any] | None = None) -> dict[str, Any]:
    answer = await bus.request(f"$JS.API.{verb}", json.dumps(body).encode() if body else b"", 10)
    told: dict[str, Any] = json.loads(answer.data)
    if "error" in told:
        raise RuntimeError(f"{verb}: {told['error']}")
    return told


async def _names(bus: Client) -> list[str]:
    return sorted((await _ask(bus, "STREAM.NAMES"))["streams"])


async def _stream(bus: Client, name: str) -> dict[str, Any]:
    info = await _ask(bus, f"STREAM.INFO.{name}")
    listed = (await _ask(bus, f"CONSUMER.LIST.{name}"))["consumers"]
    first, last = info["state"]["first_seq"], info["state"]["last_seq"]
    messages = []
    for sequence in range(max(1, first, last + 1 - MOST_MESSAGES), last + 1):
        kept = await bus.jetstream().get_msg(name, sequence)
        messages.append([kept.subject, dict(kept.headers or {}), (kept.data or b"").decode()])
    return {
        "config": info["config"],
        "epoch": epoch_of(info),
        "messages": messages,
        "consumers": [
            {"config": one["config"], "left": one["num_pending"] + one["num_ack_pending"]}
            for one in listed
        ],
    }


async def _restore(bus: Client, stream: dict[str, Any]) -> str:
    """Make a stream and its consumers as they stood; return its epoch."""
    name = stream["config"]["name"]
    made = await _ask(bus, f"STREAM.CREATE.{name}", stream["config"])
    for subject, headers, text in stream["messages"]:
        await bus.jetstream().publish(subject, text.encode(), headers=headers or None)
    for consumer in stream["consumers"]:
        durable = consumer["config"]["durable_name"]
        place = {"stream_name": name, "config": consumer["config"]}
        await _ask(bus, f"CONSUMER.DURABLE.CREATE.{name}.{durable}", place)
        worker = await bus.jetstream().pull_subscribe_bind(durable, name)
        info = await worker.consumer_info()
        for _ in range(max(0, info.num_pending - consumer["left"])):
            [message] = await worker.fetch(1, 5)
            await message.ack_sync()
        await worker.unsubscribe()
    return epoch_of(made)


def main() -> None:
    run, file, *remembered = sys.argv[1:]
    told = json.loads(Path(remembered[0]).read_text()) if remembered else {}
    with tempfile.TemporaryDirectory() as folder:
        copy = Path(shutil.copytree(run, Path(folder) / "run", ignore_dangling_symlinks=True))
        Path(file).write_text(json.dumps(asyncio.run(capture(copy, told)), indent=1) + "\n")


if __name__ == "__main__":
    main()
