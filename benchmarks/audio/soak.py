"""Half a day of short recordings in minutes: every one is answered, and nothing piles up.

Run with ``python -m benchmarks.audio.soak``; it starts the real process of audio-proxy and a
simulated speech server, without Redis, so one call is at the server at once. A quarter of a
request a second, as on a live cluster, comes sixty times as fast; whoever is told to come back
does.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path
from typing import Any

import httpx
from benchmarks.audio.process import audio_process

from spark_common.plain_http import plain_client
from spark_sim.speakclock.mixing import in_a_row, mixed
from spark_sim.speakclock.sound_files import Kind, encoded
from spark_sim.speech.stands import parakeet_stand

PATH = "/v1/audio/transcriptions"
TEXT = "Good morning, this is Alice."
KINDS = (Kind.MP3, Kind.LIVE_WEBM, Kind.WAV, Kind.FLAC)
MOST_AT_ONCE = 2
LIVE_RATE, FASTER = 0.25, 60.0


def resident(pid: int) -> float:
    """Return the memory of a process in megabytes."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096 / 1e6


async def measured(options: argparse.Namespace) -> dict[str, Any]:
    """Send them at that pace, whether or not earlier ones are answered."""
    clips = [encoded(kind, mixed(in_a_row(TEXT))) for kind in KINDS]
    told: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with (
            parakeet_stand(15 * FASTER) as parakeet,
            audio_process(folder, {"PARAKEET_URL": parakeet.url}) as service,
            plain_client(timeout=300) as client,
        ):

            async def ask(number: int) -> None:
                files = {"file": clips[number % len(clips)]}
                answer = await client.post(service.url + PATH, files=files)
                while answer.status_code == httpx.codes.TOO_MANY_REQUESTS:
                    told["told to come back"] += 1
                    await asyncio.sleep(float(answer.headers["retry-after"]))
                    answer = await client.post(service.url + PATH, files=files)
                right = answer.is_success and answer.json()["text"] == TEXT
                told["right" if right else str(answer.status_code)] += 1

            began, asking, memory = time.monotonic(), set[asyncio.Task[None]](), [0.0]
            for number in range(options.requests):
                due = began + number / (LIVE_RATE * FASTER)
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                task = asyncio.create_task(ask(number))
                asking.add(task)
                task.add_done_callback(asking.discard)
                if number == options.requests // 4:
                    memory[0] = resident(service.pid)
            await asyncio.gather(*asking)
            memory.append(resident(service.pid))
            left = [path.name for path in folder.rglob("spool/*/*/*") if path.is_file()]
        return {
            "requests": options.requests, "seconds": time.monotonic() - began, "told": dict(told),
            "most_at_once": parakeet.records.most_at_once, "files_left": len(left),
            "early_mb": memory[0], "late_mb": memory[1],
        }  # fmt: skip


def main() -> int:
    """Print the figures; 1 when one was not answered, the cap was passed or a file stayed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=11_000)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    found = asyncio.run(measured(options))
    sys.stdout.write(json.dumps(found, indent=2) + "\n")
    if options.json is not None:
        options.json.write_text(json.dumps(found))
    answered = found["told"]["right"] == options.requests
    well = answered and found["most_at_once"] <= MOST_AT_ONCE and not found["files_left"]
    return int(not well)


if __name__ == "__main__":
    sys.exit(main())
