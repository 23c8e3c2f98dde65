"""A recording of hours, from the upload to who said what: time, memory, every word and speaker.

Run with ``python -m benchmarks.audio.long``; it starts the real process of audio-proxy and a
simulated speech server whose GPU takes no time, so what is measured is everything around it.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from benchmarks.audio.process import audio_process

from spark_common.plain_http import plain_client
from spark_sim.speakclock.conversation import Plan, Speaker, converse, words_of
from spark_sim.speakclock.mixing import SpokenWord, blocks
from spark_sim.speakclock.sound_files import Kind, write
from spark_sim.speech.stands import parakeet_stand

PATH = "/api/audio/transcribe-with-speakers"


def talk(seconds: float, speakers: int, seed: int) -> list[SpokenWord]:
    """Return a talk without words that are said at once; each speaker joins later than the last."""
    people = tuple(
        Speaker(f"Speaker {chr(65 + band)}", band, joins_at=band * seconds / (2 * speakers))
        for band in range(speakers)
    )
    return words_of(converse(Plan(seconds, people, overlap=0.0, seed=seed)))


@dataclass
class Judged:
    """What became of the words."""

    said: int
    lost: int
    added: int
    people: int
    wrong: int
    """Words that another one said than most words of that speaker."""

    @classmethod
    def of(cls, truth: Sequence[SpokenWord], body: dict[str, Any]) -> "Judged":
        """Compare an answer with what was said."""
        heard = [word for segment in body["segments"] for word in segment["words"]]
        said = Counter(word.text for word in truth)
        found = Counter(word["word"] for word in heard)
        pairs: Counter[tuple[str, str]] = Counter()
        if len(heard) == len(truth):
            pairs.update(
                (word["speaker"], right.speaker) for word, right in zip(heard, truth, strict=True)
            )
        best: dict[str, int] = {}
        for (speaker, _), count in pairs.items():
            best[speaker] = max(best.get(speaker, 0), count)
        return cls(
            len(truth), (said - found).total(), (found - said).total(),
            len(body["speakers_detected"]), len(heard) - sum(best.values()),
        )  # fmt: skip


@dataclass
class Memory:
    """The largest resident memory of a process, and of all that it started, in megabytes."""

    pid: int
    own: float = 0.0
    others: dict[str, float] = field(default_factory=dict)

    async def watch(self) -> None:
        """Look twice a second, for ever."""
        while True:
            self.own = max(self.own, _resident(self.pid))
            for child in Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split():
                self.others[child] = max(self.others.get(child, 0.0), _resident(int(child)))
            await asyncio.sleep(0.5)


def _resident(pid: int) -> float:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS")), 0.0)


async def measured(options: argparse.Namespace) -> dict[str, Any]:
    """Send the recording, watch the process, judge the answer."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        truth = talk(options.hours * 3600, options.speakers, options.seed)
        file = folder / f"talk.{options.kind}"
        write(file, options.kind, blocks(truth, options.hours * 3600))
        async with (
            parakeet_stand(1e6) as parakeet,
            audio_process(folder, {"PARAKEET_URL": parakeet.url}) as service,
        ):
            memory = Memory(service.pid)
            watching = asyncio.create_task(memory.watch())
            began = time.perf_counter()
            async with plain_client(timeout=httpx.Timeout(7200)) as client:
                with file.open("rb") as sound:
                    answer = await client.post(
                        service.url + PATH, files={"file": sound}, data={"words": "true"}
                    )
            took = time.perf_counter() - began
            watching.cancel()
        if answer.status_code != httpx.codes.OK:
            raise RuntimeError(answer.text)
        body = answer.json()
        longest = max(upload.seconds or 0.0 for upload in parakeet.records.uploads)
        return {
            "seconds": options.hours * 3600, "upload_mb": file.stat().st_size / 1e6,
            "took_seconds": took, "stats": body["stats"], "longest_call_seconds": longest,
            "words": vars(Judged.of(truth, body)), "peak_mb": memory.own,
            "decoding_peak_mb": max(memory.others.values(), default=0.0),
        }  # fmt: skip


def main() -> int:
    """Print the figures; 1 when a word is lost, doubled or somebody else's."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=float, default=2.0)
    parser.add_argument("--speakers", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--kind", type=Kind, default=Kind.MP3, help="container of the recording")
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    found = asyncio.run(measured(options))
    sys.stdout.write(json.dumps(found, indent=2) + "\n")
    if options.json is not None:
        options.json.write_text(json.dumps(found))
    words = found["words"]
    return int(words["lost"] + words["added"] + words["wrong"] > 0)


if __name__ == "__main__":
    sys.exit(main())
