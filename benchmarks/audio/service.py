"""What audio-proxy adds and what it withstands: latency, decoding, fairness, memory.

Run with ``python -m benchmarks.audio.service``; it starts audio-proxy and a simulated speech
server here. Every figure that depends on the machine is a ratio measured in the same run.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from statistics import median
from typing import Any

import av
from benchmarks.audio.process import audio_process

from spark_audio_proxy.decoding.pool import DecoderPool
from spark_audio_proxy.testing.stand import AudioStand, audio_stand
from spark_common.clock import SystemClock
from spark_common.plain_http import plain_client
from spark_sim.speakclock.mixing import in_a_row, mixed
from spark_sim.speakclock.sound_files import Kind, encoded
from spark_sim.speech.stands import ParakeetStand, parakeet_stand

PATH = "/v1/audio/transcriptions"
CLIP = encoded(Kind.WAV, mixed(in_a_row("Good morning, this is Alice.")))
MEGABYTE = 1024 * 1024
MUST_MEGABYTES = 150


async def timed(call: Callable[[], Awaitable[Any]]) -> float:
    """Return how long a call took, in seconds."""
    began = time.perf_counter()
    await call()
    return time.perf_counter() - began


async def latency(proxy: AudioStand, parakeet: ParakeetStand, times: int) -> dict[str, float]:
    """Ask directly and through audio-proxy, in turns."""
    async with plain_client(timeout=60) as client:

        async def ask(url: str) -> None:
            form = {"response_format": "verbose_json"}
            answer = await client.post(url + PATH, files={"file": CLIP}, data=form)
            answer.raise_for_status()

        both: dict[str, list[float]] = {parakeet.url: [], proxy.url: []}
        for _ in range(times + 2):
            for url, found in both.items():
                found.append(await timed(lambda url=url: ask(url)))  # type: ignore[misc]
    direct, through = (1000 * median(found[2:]) for found in both.values())
    return {"direct_ms": direct, "through_ms": through, "added_ms": through - direct,
            "ratio": through / direct}  # fmt: skip


async def decoding(folder: Path, seconds: int) -> dict[str, dict[str, float]]:
    """Decode as audio-proxy does, measuring and in a process, and with bare PyAV."""
    pool = DecoderPool(1, SystemClock())
    words = in_a_row("one two three four five six seven eight nine ten " * (seconds // 5))
    sound = mixed(words, float(seconds))
    found = {}
    for kind in (Kind.WAV, Kind.FLAC, Kind.LIVE_WEBM):
        source = folder / f"source.{kind}"
        source.write_bytes(encoded(kind, sound))
        bare, ours = [], []
        for _ in range(3):
            bare.append(await timed(lambda source=source: asyncio.to_thread(_bare, source)))  # type: ignore[misc]
            ours.append(
                await timed(
                    lambda source=source: pool.decode(source, folder / "out", max_seconds=1e5)  # type: ignore[misc]
                )
            )
        times = seconds / median(ours)
        found[str(kind)] = {"x_real_time": times, "x_bare": median(ours) / median(bare)}
    await pool.close()
    return found


def _bare(source: Path) -> None:
    resampler = av.AudioResampler(format="s16", layout="mono", rate=16_000)
    with av.open(str(source)) as container:
        for frame in container.decode(audio=0):
            resampler.resample(frame)


async def fairness(proxy: AudioStand) -> dict[str, float]:
    """One caller sends thirty clips at once, then another one two: when is who served?"""
    began = time.perf_counter()

    async def ask(caller: str) -> float:
        head = {"x-spark-caller": caller}
        (await proxy.client.post(PATH, files={"file": CLIP}, headers=head)).raise_for_status()
        return time.perf_counter() - began

    many = [asyncio.create_task(ask("many")) for _ in range(30)]
    while proxy.hearing.permits.standing()["waiting"]["interactive"] < 10:
        if all(task.done() for task in many):
            raise RuntimeError("the line was never long enough to tell")
        await asyncio.sleep(0.005)
    arrived = time.perf_counter() - began
    few = await asyncio.gather(*(ask("few") for _ in range(2)))
    all_done = max(await asyncio.gather(*many))
    return {"few_share_of_the_line": (max(few) - arrived) / (all_done - arrived)}


async def memory(folder: Path, megabytes: int) -> dict[str, float]:
    """Send a large body in chunks to the real process; return what it grew to, at most."""

    async def body() -> AsyncIterator[bytes]:
        yield b'--b\r\ncontent-disposition: form-data; name="file"; filename="a"\r\n\r\n'
        for _ in range(megabytes):
            yield bytes(MEGABYTE)
        yield b"\r\n--b--\r\n"

    head = {"content-type": "multipart/form-data; boundary=b"}
    async with audio_process(folder, {}) as service:
        async with plain_client(timeout=600) as client:
            answer = await client.post(service.url + PATH, content=body(), headers=head)
        peak = Path(f"/proc/{service.pid}/status").read_text().partition("VmHWM:")[2].split()[0]
    return {"status": answer.status_code, "peak_mb": int(peak) / 1024}


@asynccontextmanager
async def both(folder: Path, speed: float) -> AsyncIterator[tuple[AudioStand, ParakeetStand]]:
    """Run audio-proxy in front of a speech server so many times faster than a real one."""
    async with parakeet_stand(speed) as parakeet, audio_stand(parakeet.url, folder) as proxy:
        yield proxy, parakeet


async def measured(options: argparse.Namespace) -> dict[str, Any]:
    """Measure everything."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with both(folder / "fast", 1e6) as (proxy, parakeet):
            found: dict[str, Any] = {"latency": await latency(proxy, parakeet, options.times)}
        async with both(folder / "slow", 0.5) as (proxy, _):
            found["fairness"] = await fairness(proxy)
        found["decoding"] = await decoding(folder, options.seconds)
        found["memory"] = await memory(folder, options.megabytes)
    return found


def main() -> int:
    """Print the figures; 1 when the memory is more than it may be."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=30, help="calls each way")
    parser.add_argument("--seconds", type=int, default=120, help="of sound to decode")
    parser.add_argument("--megabytes", type=int, default=600, help="of the large upload")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    found = asyncio.run(measured(options))
    sys.stdout.write(json.dumps(found, indent=2) + "\n")
    if options.json is not None:
        options.json.write_text(json.dumps(found))
    return int(found["memory"]["peak_mb"] > MUST_MEGABYTES)


if __name__ == "__main__":
    sys.exit(main())
