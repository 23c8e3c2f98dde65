"""Connections that are there before they are needed: for several at once, and for nobody else."""

import asyncio
import gc
from typing import Any

import pytest

from spark_common.testing.ports import free_port
from spark_gateway.dataplane.limits import Limits
from spark_gateway.dataplane.ports import Upstream
from spark_gateway.dataplane.upstream import UpstreamPool

STREAM = (
    b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
    b'f\r\ndata: {"n":1}\n\n\r\n'
)
END = b"0\r\n\r\n"
BODY = b'{"model":"a-model","stream":true}'
POST = b"POST /v1/chat/completions HTTP/1.1\r\nhost: x\r\ncontent-length: %d\r\n\r\n%b" % (
    len(BODY),
    BODY,
)


class Streaming:
    """An upstream whose answers begin at once and go on until they are let go."""

    def __init__(self, plane: Any) -> None:
        self.over = asyncio.Event()
        self.plane = plane
        plane.upstream.script = self

    async def __call__(self, peer: Any) -> None:
        while (await peer.message())[0]:
            await peer.send(STREAM)
            await self.over.wait()
            await peer.send(END)

    async def open(self) -> Any:
        """Ask, and read what comes at first."""
        client = await self.plane.connect()
        await client.send(POST)
        head = await client.head()
        assert head.startswith(b"HTTP/1.1 200 ")
        assert b'{"n":1}' in await client.exactly(len(STREAM) - STREAM.index(b"\r\n\r\n") - 4)
        return client


def idle(plane: Any) -> int:
    return len(plane.shared.pool(plane.router.upstream, asyncio.get_running_loop()))


async def test_whoever_comes_while_others_stream_finds_a_connection(plane, eventually) -> None:
    upstream = Streaming(plane)
    await upstream.open()
    assert idle(plane) == 0
    for others in range(1, 5):
        await upstream.open()
        # Theirs, and one more.
        await eventually(lambda others=others: plane.upstream.connections == others + 2)
        await eventually(lambda: idle(plane) == 1)
    # It stays one, however long they stream, and what is not used is closed with the rest.
    await plane.later(61.0)
    await eventually(lambda: idle(plane) == 0)
    assert plane.upstream.connections == 6


async def test_one_after_the_other_needs_no_second_connection(plane, eventually) -> None:
    upstream = Streaming(plane)
    upstream.over.set()
    for _ in range(5):
        client = await upstream.open()
        assert await client.exactly(len(END)) == END
        await eventually(lambda: idle(plane) == 1)
    assert plane.upstream.connections == 1


async def test_answers_that_are_whole_at_once_dial_nothing_ahead(plane, eventually) -> None:
    clients = [await plane.connect() for _ in range(3)]
    for _ in range(10):
        for client in clients:
            await client.send(POST)
        for client in clients:
            assert (await client.message())[1] == b"{}"
    assert plane.upstream.connections <= 3


async def test_what_was_dialled_when_all_was_over_is_closed_in_time(plane, eventually) -> None:
    upstream = Streaming(plane)
    await upstream.open()
    pool = plane.shared.pool(plane.router.upstream, asyncio.get_running_loop())
    dial, answers = pool.dial, asyncio.Event()

    async def slowly() -> Any:
        await answers.wait()
        return await dial()

    pool.dial = slowly
    pool.dial_ahead()
    plane.upstream.reset_all()
    await eventually(lambda: plane.meters.in_flight() == 0)
    await plane.later(61.0)
    answers.set()
    await eventually(lambda: len(pool) == 1)
    await plane.later(61.0)
    await eventually(lambda: len(pool) == 0)


@pytest.mark.parametrize("host", ["127.0.0.1", "x\0"])
async def test_a_server_that_cannot_be_reached_disturbs_nobody(eventually, host) -> None:
    loop = asyncio.get_running_loop()
    complaints: list[Any] = []
    loop.set_exception_handler(lambda _, context: complaints.append(context))
    pool = UpstreamPool(Upstream(host, free_port()), Limits(), loop)
    for _ in range(2):
        pool.dial_ahead()
        await eventually(lambda: pool._ahead is None)
    gc.collect()
    assert (len(pool), complaints) == (0, [])
