"""Caps and limits on the data plane: how many go up at once, who waits, how much a body may be."""

import pytest
from gateway_stand.keyed_plane import CHAT, KeyedPlane, bearer

from spark_common.settings.policies import KeySettings, QueueSettings

pytestmark = pytest.mark.connected


@pytest.fixture
async def gateway(plane):
    made = KeyedPlane(plane)
    await made.keep_answering()
    return made


async def test_a_cap_lets_so_many_up_and_the_next_when_one_is_answered_or_leaves(
    gateway, eventually
):
    gateway.office.settings = KeySettings()
    gateway.queue = QueueSettings(model_requests_at_once=2)
    asked = []

    async def script(peer):
        await peer.message()
        asked.append(peer)
        await peer.closed()
        peer.close()

    gateway.plane.upstream.script = script
    clients = [await gateway.plane.connect() for _ in range(5)]
    for number, client in enumerate(clients):
        await client.send(gateway.request(f"x-openwebui-user-id: u{number}"))
    await eventually(lambda: len(asked) == 2 and gateway.turnstile.waiting("llm") == 3)
    inside = gateway.plane.upstream.connections
    assert inside == 2
    await asked[0].send(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}")
    await eventually(lambda: len(asked) == 3)
    clients[4].reset()
    await eventually(lambda: gateway.turnstile.waiting("llm") == 1)
    for client in clients[:4]:
        client.reset()
    await eventually(lambda: gateway.turnstile.inside("llm") == 0)
    assert gateway.turnstile.waiting("llm") == 0


async def test_a_stream_that_waits_is_told_its_place(make_plane, eventually):
    gateway = KeyedPlane(await make_plane(company_seconds=0.02))
    gateway.office.settings = KeySettings()
    gateway.queue = QueueSettings(model_requests_at_once=1)
    gateway.plane.upstream.script = lambda peer: peer.closed()
    first, second = await gateway.plane.connect(), await gateway.plane.connect()
    await first.send(gateway.request())
    await eventually(lambda: gateway.turnstile.inside("llm") == 1)
    await second.send(gateway.request(body=b'{"model":"a","stream":true}'))
    assert b"200 OK" in await second.head()
    assert b": waiting, number 1 in line\n\n" in await second.exactly(60)


async def test_a_key_with_one_at_once_waits_for_itself_alone(gateway, eventually):
    gateway.plane.upstream.script = lambda peer: peer.closed()
    key = gateway.office.issue("k", "infer", concurrency=1)
    free = gateway.office.issue("free", "infer")
    clients = [await gateway.plane.connect() for _ in range(3)]
    for client, shown in zip(clients, (key, key, free), strict=True):
        await client.send(gateway.request(bearer(shown)))
    await eventually(lambda: gateway.plane.upstream.connections == 2)
    assert gateway.turnstile.waiting("llm") == 1


@pytest.mark.parametrize(
    ("path", "size", "status"),
    [
        (CHAT, 10_000, 200),
        (CHAT, 20_000, 413),
        ("/v1/audio/transcriptions", 20_000, 200),
        ("/v1/audio/transcriptions", 30_000, 413),
    ],
)
async def test_each_route_has_a_limit_that_is_known_at_the_head(gateway, path, size, status):
    gateway.office.settings = KeySettings()
    gateway.queue = QueueSettings(request_limit_mb=0.015, upload_limit_mb=0.025)
    found, _, body = await gateway.ask(path=path, body=b"x" * size)
    assert found == status
    if status == 413:
        assert body["error"]["code"] == "request_too_large"
        assert gateway.plane.upstream.connections == 0
        peer = await gateway.plane.connect()
        await peer.send(
            f"POST {path} HTTP/1.1\r\nhost: a\r\ncontent-length: {size}\r\n\r\n".encode()
        )
        assert b" 413 " in await peer.head()
