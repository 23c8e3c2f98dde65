"""Who waits for whom, and who notices when somebody is gone."""

import asyncio
import os
import socket
import struct
from pathlib import Path

import pytest

from spark_common.clock import SystemClock
from spark_common.service.open_files import make_room
from spark_common.testing.wait import within
from spark_gateway.dataplane.refusals import refuse
from spark_gateway.dataplane.reservation import Reservation
from spark_gateway.metering.metering import Metering

pytestmark = pytest.mark.connected

MEGABYTE = 1_000_000
GET = b"GET /v1/x HTTP/1.1\r\nHost: g\r\n\r\n"
STREAM = (
    Path(__file__)
    .parent.joinpath("captures/chat_stream.raw.txt")
    .read_bytes()
    .partition(b"\r\n\r\n")
)


def post(body: bytes, path: bytes = b"/v1/x") -> bytes:
    return b"POST %b HTTP/1.1\r\nHost: g\r\nContent-Length: %d\r\n\r\n%b" % (path, len(body), body)


@pytest.mark.parametrize("moment", ["waiting", "streaming", "uploading", "pipelining"])
async def test_the_upstream_notices_at_once_that_the_client_is_gone(plane, moment: str) -> None:
    loop = asyncio.get_running_loop()
    arrived, left = loop.create_future(), loop.create_future()

    async def script(peer) -> None:
        await peer.head()
        if moment == "streaming":
            await peer.send(STREAM[0] + STREAM[1] + STREAM[2][:700])
        arrived.set_result(None)
        await peer.closed()
        left.set_result(None)

    plane.upstream.script = script
    aborted = 0

    async def leave() -> float:
        nonlocal arrived, left, aborted
        arrived, left = loop.create_future(), loop.create_future()
        client = await plane.connect()
        if moment == "uploading":
            await client.send(b"POST /v1/x HTTP/1.1\r\nHost: g\r\nContent-Length: 900\r\n\r\nabc")
        else:
            await client.send(post(b"{}"))
        await arrived
        if moment == "streaming":
            await client.head()
        if moment == "pipelining":
            await client.send(post(b"x" * 1000))
        gone_at = loop.time()
        client.close()
        await left
        took = loop.time() - gone_at
        aborted += 1
        assert plane.meters.upstream("llm").aborted == aborted
        assert plane.meters.in_flight() == 0
        return took

    await within(0.1, leave)


async def test_a_client_that_leaves_while_its_upload_is_stuck_is_noticed(plane, eventually) -> None:
    never = asyncio.Event()

    async def script(peer) -> None:
        await peer.head()
        await never.wait()

    plane.upstream.script = script
    client = await plane.connect()
    client.write(b"POST /v1/x HTTP/1.1\r\nHost: g\r\nContent-Length: 90000000\r\n\r\n")
    client.write(b"x" * 30 * MEGABYTE)
    meter = plane.meters.upstream("llm")
    await settled(lambda: meter.bytes_up)
    assert meter.bytes_up < 20 * MEGABYTE
    # Without this the end of the connection would wait behind what nobody reads.
    sock = client.writer.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    client.reset()
    await eventually(lambda: meter.aborted == 1)
    never.set()


async def test_a_stuck_upload_is_not_held_against_the_client(make_plane) -> None:
    go = asyncio.Event()

    async def script(peer) -> None:
        await peer.head()
        await go.wait()
        await peer.exactly(30 * MEGABYTE)
        await peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")

    plane = await make_plane(stall_seconds=60.0)
    plane.upstream.script = script
    client = await plane.connect()
    client.write(b"POST /v1/x HTTP/1.1\r\nHost: g\r\nContent-Length: %d\r\n\r\n" % (30 * MEGABYTE))
    client.write(b"x" * (30 * MEGABYTE - 1))
    meter = plane.meters.upstream("llm")
    await settled(lambda: meter.bytes_up)
    await plane.later(61.0)
    go.set()
    await settled(lambda: meter.bytes_up)
    client.write(b"x")
    assert (await client.head()).startswith(b"HTTP/1.1 200")


async def test_a_client_that_leaves_while_the_upstream_is_dialled_leaves_nothing(
    plane, eventually
) -> None:
    for _ in range(20):
        client = await plane.connect()
        client.write(post(b"{}"))
        await asyncio.sleep(0)
        client.reset()
    await eventually(lambda: plane.meters.in_flight() == 0 and not plane.state.connections)


def resident_bytes() -> int:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


def a_body(kind: str) -> tuple[bytes, bytes, bytes]:
    """Path, beginning and end of a body whose middle may be as long as one likes."""
    if kind == "json":
        return b"/v1/chat/completions", b'{"model":"any","messages":[{"content":"', b'"}]}'
    part = b"--cut\r\nContent-Disposition: form-data; name="
    start = part + b'"file"; filename="a.wav"\r\n\r\n'
    end = b"\r\n" + part + b'"model"\r\n\r\nany\r\n--cut--\r\n'
    return (b"/v1/audio/transcriptions" if kind == "speech" else b"/v1/files"), start, end


@pytest.mark.parametrize("kind", ["json", "speech", "form"])
async def test_an_upload_waits_for_a_slow_upstream_and_takes_no_memory(plane, kind: str) -> None:
    path, start, end = a_body(kind)
    size = len(start) + 50 * MEGABYTE + len(end)
    go = asyncio.Event()
    received = 0

    async def script(peer) -> None:
        nonlocal received
        await peer.head()
        await go.wait()
        last = b""
        while received < size:
            data = await peer.reader.read(65536)
            assert data, "cut off"
            received += len(data)
            last = (last + data)[-len(end) :]
        assert last == end
        await peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n")

    plane.upstream.script = script
    plane.chooser = plane.choose_with(Reservation(lambda: None, frozenset, SystemClock()))
    client = await plane.connect()
    before = resident_bytes()
    head = b"POST %b HTTP/1.1\r\nHost: g\r\nContent-Length: %d\r\n" % (path, size)
    await client.send(
        head + b"Content-Type: multipart/form-data; boundary=cut\r\n" * (kind != "json")
    )
    await client.send(b"\r\n")
    piece, sent = b"x" * 65536, 0

    async def upload() -> None:
        nonlocal sent
        await client.send(start)
        while sent < 50 * MEGABYTE:
            part = piece[: 50 * MEGABYTE - sent]
            await client.send(part)
            sent += len(part)
        await client.send(end)

    uploading = asyncio.ensure_future(upload())
    stalled_at = await settled(lambda: sent)
    peak = resident_bytes()
    assert stalled_at < 30 * MEGABYTE
    go.set()
    while not uploading.done():
        peak = max(peak, resident_bytes())
        await asyncio.sleep(0.005)
    assert (await client.head()).startswith(b"HTTP/1.1 200")
    assert peak - before < 10 * MEGABYTE
    assert sum(meter.bytes_up for _, meter in plane.meters.upstreams()) == size
    assert plane.shared.kept_bytes == 0


async def settled(value) -> int:
    """The value once it has stopped growing."""
    last, same = -1, 0
    while same < 10:
        await asyncio.sleep(0.01)
        now = value()
        same = same + 1 if now == last else 0
        last = now
    return last


async def test_an_answer_waits_for_a_slow_client_byte_for_byte(plane) -> None:
    size = 30 * MEGABYTE
    block = bytes(range(256)) * 256
    sent = 0

    async def script(peer) -> None:
        nonlocal sent
        await peer.message()
        await peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % size)
        while sent < size:
            part = block[: size - sent]
            await peer.send(part)
            sent += len(part)

    plane.upstream.script = script
    client = await plane.connect()
    await client.send(post(b"{}"))
    assert await settled(lambda: sent) < 20 * MEGABYTE
    await client.head()
    read = 0
    while read < size:
        part = await client.reader.read(50_000)
        offset = read % len(block)
        assert part == (block + block)[offset : offset + len(part)]
        read += len(part)
    assert plane.meters.in_flight() == 0


async def test_a_stream_reaches_a_client_with_a_tiny_window_unchanged(plane) -> None:
    head, _, body = STREAM
    body = body.removesuffix(b"0\r\n\r\n") * 200 + b"0\r\n\r\n"

    async def script(peer) -> None:
        await peer.message()
        await peer.send(head + b"\r\n\r\n" + body)

    plane.upstream.script = script
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
    sock.setblocking(False)
    loop = asyncio.get_running_loop()
    await loop.sock_connect(sock, ("127.0.0.1", plane.port))
    await loop.sock_sendall(sock, post(b"{}"))
    raw = b""
    while not raw.endswith(b"0\r\n\r\n"):
        raw += await loop.sock_recv(sock, 4096)
    sock.close()
    assert raw.partition(b"\r\n\r\n")[2] == body


PIPELINE = [
    (post(b"first"), b"first"),
    (b"GET /v1/models HTTP/1.1\r\nHost: g\r\n\r\n", b'{"object":"list"}'),
    (post(b"second"), b"second"),
    (post(b"12345", b"/api/echo"), b'{"bytes":5}'),
    (
        b"POST /api/echo HTTP/1.1\r\nHost: g\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"3\r\nabc\r\n0\r\n\r\n",
        b'{"bytes":3}',
    ),
    (
        b"POST /v1/x HTTP/1.1\r\nHost: g\r\nTransfer-Encoding: chunked\r\n\r\n"
        b"5\r\nthird\r\n0\r\n\r\n",
        b"third",
    ),
    (GET, b""),
]


@pytest.mark.parametrize("step", [1, 7, 100_000])
async def test_pipelined_requests_are_answered_in_order(plane, step: int) -> None:
    async def script(peer) -> None:
        while True:
            head, body = await peer.message()
            if not head:
                return
            await asyncio.sleep(0.005)
            await peer.send(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body))

    plane.upstream.script = script
    client = await plane.connect()
    raw = b"".join(request for request, _ in PIPELINE)
    for start in range(0, len(raw), step):
        client.write(raw[start : start + step])
        if step < 1000:
            await asyncio.sleep(0)
    for _, expected in PIPELINE:
        head, body = await client.message()
        assert head.startswith(b"HTTP/1.1 200")
        assert body == expected


async def test_thousands_of_pipelined_requests_are_served_with_reading_paused(plane) -> None:
    client = await plane.connect()
    sending = asyncio.ensure_future(client.send(GET * 3000))
    for _ in range(3000):
        assert (await client.message())[1] == b"{}"
    await sending
    assert plane.upstream.connections <= 2


async def test_thousands_of_pipelined_refusals_do_not_recurse(plane) -> None:
    plane.router.refusal = refuse(b"/v1/x", 503, "no_model_loaded", "nothing")
    client = await plane.connect()
    sending = asyncio.ensure_future(client.send(GET * 3000))
    for _ in range(3000):
        assert (await client.message())[0].startswith(b"HTTP/1.1 503")
    await sending


class Reader(asyncio.Protocol):
    """A client that keeps what it gets; a thousand of them cost little."""

    def __init__(self, request: bytes) -> None:
        self.request = request
        self.raw = bytearray()
        self.over = asyncio.get_running_loop().create_future()

    def connection_made(self, transport) -> None:
        self.transport = transport
        transport.write(self.request)

    def data_received(self, data: bytes) -> None:
        self.raw += data
        if self.raw.endswith(b"0\r\n\r\n"):
            self.transport.close()

    def connection_lost(self, exc) -> None:
        self.over.set_result(bytes(self.raw))


async def test_a_thousand_streams_at_once(plane) -> None:
    make_room()
    head, _, body = STREAM
    half = len(body) // 2
    all_here = asyncio.Event()
    meter = plane.meters.upstream("llm")

    async def script(peer) -> None:
        await peer.message()
        peer.write(head + b"\r\n\r\n" + body[:half])
        await all_here.wait()
        await peer.send(body[half:])

    over = []
    metering = Metering(SystemClock(), lambda: "loaded", over.extend)
    plane.upstream.script = script
    plane.watching = metering.watch
    plane.chooser = plane.choose_with(Reservation(lambda: None, frozenset, SystemClock()))
    request = post(b'{"messages":[],"model":"any","stream":true}', b"/v1/chat/completions")
    loop = asyncio.get_running_loop()
    readers = [
        (await loop.create_connection(lambda: Reader(request), "127.0.0.1", plane.port))[1]
        for _ in range(1000)
    ]
    async with asyncio.timeout(120):
        while not all(len(reader.raw) > len(head) for reader in readers):
            await asyncio.sleep(0.01)
        assert meter.in_flight == 1000
        all_here.set()
        answers = await asyncio.gather(*(reader.over for reader in readers))
    assert {answer.partition(b"\r\n\r\n")[2] for answer in answers} == {body}
    assert (meter.total, meter.in_flight, meter.by_class[2]) == (1000, 0, 1000)
    metering.settle()
    assert {(each.status, each.how, each.model, each.completion is None) for each in over} == {
        (200, "complete", "any", False)
    }
