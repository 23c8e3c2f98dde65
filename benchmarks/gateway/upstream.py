"""A model server that costs almost nothing: canned answers from a bare asyncio protocol."""

import asyncio
import json
import sys
from typing import cast

import uvloop

CHUNKS = 40
CHUNK_SECONDS = 0.02

_BODY = json.dumps(
    {
        "id": "chatcmpl-bench",
        "object": "chat.completion",
        "created": 1,
        "model": "bench",
        "choices": [
            {
                "index": 0,
                "message": {"role": "assistant", "content": "word " * 60},
                "finish_reason": "stop",
            }
        ],
        "usage": {"prompt_tokens": 12, "completion_tokens": 60, "total_tokens": 72},
    }
).encode()
_COMMON = b"date: Sat, 21 Nov 2026 01:40:57 GMT\r\nserver: uvicorn\r\nvary: Origin\r\n"
_WHOLE = b"HTTP/1.1 200 OK\r\n%bcontent-length: %d\r\ncontent-type: application/json\r\n\r\n%b" % (
    _COMMON,
    len(_BODY),
    _BODY,
)
_LISTING = b'{"object":"list","data":[{"id":"bench","object":"model","created":1}]}'
_LISTED = b"HTTP/1.1 200 OK\r\n%bcontent-length: %d\r\n\r\n%b" % (_COMMON, len(_LISTING), _LISTING)
_STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\n%bcontent-type: text/event-stream; charset=utf-8\r\n"
    b"transfer-encoding: chunked\r\n\r\n" % _COMMON
)
_EVENT = b'data: {"id":"chatcmpl-bench","object":"chat.completion.chunk","created":1,' + (
    b'"model":"bench","choices":[{"index":0,"delta":{"content":"word "},"finish_reason":null}]}\n\n'
)
_CHUNK = b"%x\r\n%b\r\n" % (len(_EVENT), _EVENT)
_END = b"e\r\ndata: [DONE]\n\n\r\n0\r\n\r\n"


class ModelServer(asyncio.Protocol):
    """Answers each request when its body is complete; a body with ``"stream":true`` in chunks."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)
        self.buffer = b""
        self.loop = asyncio.get_running_loop()

    def data_received(self, data: bytes) -> None:
        self.buffer += data
        end = self.buffer.find(b"\r\n\r\n")
        if end < 0:
            return
        head = self.buffer[:end].lower()
        if b"chunked" in head:
            if not self.buffer.endswith(b"0\r\n\r\n"):
                return
        else:
            start = head.find(b"content-length:")
            length = int(head[start + 15 :].split(b"\r\n", 1)[0]) if start >= 0 else 0
            if len(self.buffer) < end + 4 + length:
                return
        streamed = b'"stream":true' in self.buffer
        listed = self.buffer.startswith(b"GET /v1/models")
        self.buffer = b""
        if listed:
            self.transport.write(_LISTED)
        elif streamed:
            self.transport.write(_STREAM_HEAD + _CHUNK)
            self.loop.call_later(CHUNK_SECONDS, self.next_chunk, CHUNKS - 1)
        else:
            self.transport.write(_WHOLE)

    def next_chunk(self, left: int) -> None:
        if self.transport.is_closing():
            return
        if left == 0:
            self.transport.write(_END)
            return
        self.transport.write(_CHUNK)
        self.loop.call_later(CHUNK_SECONDS, self.next_chunk, left - 1)


async def main(port: int) -> None:
    server = await asyncio.get_running_loop().create_server(
        ModelServer, "127.0.0.1", port, backlog=4096
    )
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1])))
