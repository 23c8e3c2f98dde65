"""A server that is too old for our promises is not used."""

import asyncio
import json

import pytest

from spark_common.bus.nats import connect_bus
from spark_common.clock import SystemClock
from spark_common.errors import UnavailableError
from spark_common.settings import BusSettings


async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Say hello as nats-server 2.10 does, and answer pings."""
    greeting = {"version": "2.10.22", "max_payload": 1_048_576, "headers": True, "proto": 1}
    writer.write(b"INFO " + json.dumps(greeting).encode() + b"\r\n")
    while line := await reader.readline():
        if line.startswith(b"PING"):
            writer.write(b"PONG\r\n")
            await writer.drain()
    writer.close()


async def test_an_old_server_is_refused_with_its_version() -> None:
    server = await asyncio.start_server(greet, "127.0.0.1", 0)
    async with server:
        url = f"nats://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        with pytest.raises(UnavailableError, match=r"2\.12 or newer is needed, this one is 2\.10"):
            await connect_bus(BusSettings(url=url), "gateway", SystemClock())
