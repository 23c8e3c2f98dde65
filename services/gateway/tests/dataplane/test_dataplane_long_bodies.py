"""Bodies with pictures, which name their model last: read, renamed and held like all others."""

import json

import pytest
from gateway_stand.held import asked, error_of
from gateway_stand.holding import EVENT, Cluster

pytestmark = pytest.mark.connected


PICTURE = b"data:image/png;base64," + b"iVBORw0KGgo/" * ((20 << 20) // 12)


def with_picture(model, more=b""):
    """A body of twenty megabytes that names its model last, as a client's code words it."""
    return (
        b'{"messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"%b"}}]}]'
        b'%b,"model":"%b"}' % (PICTURE, more, model)
    )


def request_with(body):
    head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: g\r\nContent-Length: %d\r\n\r\n"
    return head % len(body) + body


async def test_a_model_behind_a_picture_is_read_and_renamed_and_waited_for(plane, eventually):
    cluster, bodies = Cluster(plane, plane.meters), plane.upstream.bodies

    async def ask(model, more=b""):
        return await asked(cluster, eventually, request_with(with_picture(model, more)))

    for name, sent in ((b"old-served", b"old-served"), (b"gpt-4o", b"old-served")):
        head, _ = await (await ask(name))[1]
        assert head.startswith(b"HTTP/1.1 200")
        assert bodies.pop() == with_picture(sent)
    head, body = await (await ask(b"newt"))[1]
    assert head.startswith(b"HTTP/1.1 404")
    assert "new" in json.loads(body)["near_matches"]
    cluster.begin()
    _, whole = await ask(b"quick")
    _, events = await ask(b"new-served", b',"stream":true')
    assert len(cluster.holding.room) == 2
    assert plane.shared.kept_bytes > 40 << 20
    head, body = await (await ask(b"third"))[1]
    assert head.startswith(b"HTTP/1.1 503")
    assert error_of(body)["code"] == "model_loading"
    assert not bodies
    cluster.end()
    assert (await whole)[0].startswith(b"HTTP/1.1 200")
    head, said = await events
    assert b"text/event-stream" in head
    assert EVENT in said
    sent = (with_picture(b"new-served"), with_picture(b"new-served", b',"stream":true'))
    assert len(bodies) == 2
    assert all(each in bodies for each in sent)
    assert plane.shared.kept_bytes == 0


async def test_long_bodies_leave_half_of_the_memory_to_others(make_plane):
    plane = await make_plane(kept_bytes=20 << 20)
    Cluster(plane, plane.meters)
    body = with_picture(b"old-served")
    for _ in range(2):
        head, _ = await plane.ask(request_with(body))
        assert head.startswith(b"HTTP/1.1 200")
        assert plane.upstream.bodies.pop() == body
    head, said = await plane.ask(request_with(with_picture(b"gpt-4o")))
    assert head.startswith(b"HTTP/1.1 413")
    assert "first" in error_of(said)["message"]
    assert plane.shared.kept_bytes == 0
