"""Ordinary requests through the data plane."""

import pytest

pytestmark = pytest.mark.connected

POST = b'POST /v1/chat/completions HTTP/1.1\r\nHost: gateway\r\nContent-Length: 7\r\n\r\n{"a":1}'


async def test_a_request_and_its_answer_pass(plane) -> None:
    head, body = await plane.ask(POST)
    assert head.startswith(b"HTTP/1.1 200 OK\r\n")
    assert body == b"{}"
