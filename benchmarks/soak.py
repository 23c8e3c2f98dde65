"""``python -m benchmarks.soak``: an hour of mixed traffic; memory, files and tasks stay flat.

``SOAK_SECONDS`` makes it shorter. Exits 1 when something grew or a request failed.
"""

import asyncio
import os
import sys
import tempfile
import time
from pathlib import Path
from typing import Final

import uvloop
from benchmarks.flat import Sample, slope, verdict
from benchmarks.gateway.contenders import Arena, Contender
from benchmarks.gateway.load import drive

_SAMPLES: Final = 60


def sample(contender: Contender) -> Sample:
    """Look at it from outside."""
    assert contender.process is not None
    place = Path(f"/proc/{contender.process.pid}")
    files, threads = (len(list((place / name).iterdir())) for name in ("fd", "task"))
    return Sample(contender.resident(), files, threads)


async def traffic(contender: Contender, seconds: float) -> int:
    """Answers in one piece, streams, and clients that leave in the middle; return what failed."""
    whole = await drive(contender.port, contender.whole, 16, seconds * 0.6)
    streams = await drive(contender.port, contender.stream, 50, 0, 0.002)
    for _ in range(20):
        _, writer = await asyncio.open_connection("127.0.0.1", contender.port)
        writer.write(contender.stream)
        await asyncio.sleep(0.005)
        writer.transport.abort()
    return whole.failures + streams.failures


async def soak(seconds: float) -> list[str]:
    """Run it; return what is wrong."""
    with tempfile.TemporaryDirectory() as directory, Arena(Path(directory)) as arena:
        contender = await arena.everything()
        samples: list[Sample] = []
        failures = 0
        began = time.monotonic()
        while time.monotonic() < began + seconds:
            failures += await traffic(contender, max(0.3, seconds / _SAMPLES))
            samples.append(sample(contender))
            now = samples[-1]
            print(f"{now.resident >> 10} KiB, {now.files} files, {now.threads} threads", flush=True)
        grows = slope(samples, time.monotonic() - began)
        print(f"resident memory grows by {grows / 1024:.0f} KiB an hour")
    return verdict(samples, failures)


def main() -> None:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        wrong = runner.run(soak(float(os.environ.get("SOAK_SECONDS", "3600"))))
    print(*wrong or ["flat"], sep="\n")
    sys.exit(bool(wrong))


if __name__ == "__main__":
    main()
