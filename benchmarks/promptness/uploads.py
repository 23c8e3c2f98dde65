"""What an upload of 50 MB takes of the gateway's memory, however slowly it is taken."""

import asyncio
from functools import partial
from pathlib import Path
from typing import Final

from benchmarks.gateway.contenders import Arena
from benchmarks.promptness.figures import Row
from benchmarks.promptness.memory import forget_peak, peak, resident
from benchmarks.promptness.peer import Taker, listen

_BYTES: Final = 50_000_000
_TIMES: Final = 5
_PIECE: Final = 1 << 20
_WAYS: Final = {"fast": 0.0, "slow": 0.05}
"""Seconds that the server pauses after each piece of a MiB."""
_BOUNDARY: Final = b"a-boundary-of-a-form"


async def measure(folder: Path) -> list[Row]:
    """Return how much the memory grew, at its peak, for each upload."""
    rows = []
    for way, pause_seconds in _WAYS.items():
        server, port = await listen(partial(Taker, _PIECE, pause_seconds))
        place = folder / f"upload-{way}"
        place.mkdir()
        with Arena(place) as arena:
            gateway = await arena.product("gateway", port, AUDIO_PROXY_PORT=str(port))
            assert gateway.process is not None
            await _upload(gateway.port, 1_000_000)  # What the first request reads in is no upload.
            grew = [await _grown(gateway.process.pid, gateway.port) for _ in range(_TIMES)]
        server.close()
        title = f"memory for an upload of 50 MB, {way} upstream"
        rows.append(Row(title, "MB", grew, "most", must=10, aim=2))
    return rows


async def _grown(pid: int, port: int) -> float:
    forget_peak(pid)
    before = resident(pid)
    await _upload(port, _BYTES)
    return max(0, peak(pid) - before) / 1e6


async def _upload(port: int, size: int) -> None:
    """Send a form with a file in it, as a client of the speech API does."""
    begin = (
        b'--%b\r\nContent-Disposition: form-data; name="model"\r\n\r\nwhisper-1\r\n'
        b'--%b\r\nContent-Disposition: form-data; name="file"; filename="talk.wav"\r\n'
        b"Content-Type: audio/wav\r\n\r\n"
    ) % (_BOUNDARY, _BOUNDARY)
    end = b"\r\n--%b--\r\n" % _BOUNDARY
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(
        b"POST /v1/audio/transcriptions HTTP/1.1\r\nHost: gateway:9999\r\n"
        b"Content-Type: multipart/form-data; boundary=%b\r\nContent-Length: %d\r\n\r\n"
        % (_BOUNDARY, len(begin) + size + len(end))
    )
    writer.write(begin)
    piece = bytes(100_000)
    for _ in range(size // len(piece)):
        writer.write(piece)
        await writer.drain()
    writer.write(end)
    status = await reader.readline()
    writer.close()
    if b" 200 " not in status:
        raise SystemExit(f"the upload was answered with {status!r}")
