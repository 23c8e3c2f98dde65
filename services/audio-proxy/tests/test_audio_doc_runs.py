"""docs/AUDIO_API.md and the script beside it do what they say, against simulated speech servers."""

import ast
import asyncio
import contextlib
import io
import json
import os
import re
from collections.abc import AsyncIterator
from itertools import cycle
from pathlib import Path

import pytest

from spark_audio_proxy.api.envelope import RENDERINGS
from spark_audio_proxy.jobs.wiring import wire_jobs
from spark_audio_proxy.listing.wiring import voice_book, wire_listing
from spark_audio_proxy.speaking.wiring import wire_speaking
from spark_audio_proxy.testing.memory_jobs import MemoryJobs
from spark_audio_proxy.testing.stand import AudioStand, audio_stand
from spark_audio_proxy.upstreams.asking import UpstreamHttp
from spark_common.clock import SystemClock
from spark_common.settings.voice import VoiceSettings
from spark_common.testing.bus import MemoryBus
from spark_common.testing.documents import shown_answer, unlike
from spark_sim.speakclock.mixing import in_a_row, mixed
from spark_sim.speakclock.sound_files import Kind, encoded
from spark_sim.speech.stands import kokoro_stand, magpie_stand, parakeet_stand

ROOT = Path(__file__).parents[3]
TEXT = (ROOT / "docs" / "AUDIO_API.md").read_text(encoding="utf-8")
SCRIPT = ROOT / "scripts" / "test-audio-with-speakers.sh"


def blocks(kind: str) -> list[str]:
    return re.findall(rf"^```{kind} run\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)


@pytest.fixture
async def stand(tmp_path: Path) -> AsyncIterator[AudioStand]:
    clock = SystemClock()
    async with (
        parakeet_stand(2000) as parakeet,
        kokoro_stand(2000) as kokoro,
        magpie_stand(2000) as magpie,
    ):
        voices = [
            UpstreamHttp("kokoro", "the voice server", lambda: kokoro.url),
            UpstreamHttp("magpie", "Magpie", lambda: magpie.url),
        ]
        book = voice_book(*voices, clock)
        async with audio_stand(
            parakeet.url,
            tmp_path,
            more=lambda hearing: [
                wire_jobs(hearing, MemoryJobs(), MemoryBus("audio-proxy"), clock),
                wire_listing(book, voices[0], lambda: True, clock),
                wire_speaking(*voices, book, hearing.permits, VoiceSettings, tmp_path, clock),
            ],
        ) as stand:
            yield stand
        for voice in voices:
            await voice.close()


async def run(stand: AudioStand, folder: Path, *words: str, script: str = "") -> str:
    environment = {**os.environ, "SPARK": stand.url, "no_proxy": "127.0.0.1"}
    process = await asyncio.create_subprocess_exec(
        *words,
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        cwd=folder,
        env=environment,
    )
    out, errors = await process.communicate(script.encode())
    assert process.returncode == 0, f"{script}\n{out[-2000:]!r}\n{errors[-2000:]!r}"
    return out.decode("utf-8", "replace")


async def test_the_page_runs_as_it_stands(stand: AudioStand, tmp_path: Path) -> None:
    said = await run(stand, tmp_path, "bash", "-eu", script="\n".join(blocks("sh")))
    assert '"type":"speech.audio.done"' in said
    assert '"af_heart"' in said
    assert "Good morning, Alice. This is your house speaking." in said
    assert '"state":"ready"' in said
    who, _ = json.JSONDecoder().raw_decode(said[said.index('{"duration"') :])
    assert unlike(shown_answer(ROOT, "docs/AUDIO_API.md"), who) == []
    (program,) = blocks("python")
    os.environ["SPARK"] = stand.url
    printed = io.StringIO()

    def execute() -> None:
        with contextlib.chdir(tmp_path), contextlib.redirect_stdout(printed):
            exec(compile(program, "AUDIO_API.md", "exec"), {})

    try:
        await asyncio.to_thread(execute)
    finally:
        del os.environ["SPARK"]
    assert printed.getvalue().startswith("The train leaves at nine. [('The', ")


async def test_the_script_shows_who_said_what(stand: AudioStand, tmp_path: Path) -> None:
    talk = mixed([*in_a_row("Good morning, Bob.", 0), *in_a_row("Hello Alice.", 3, start=4.0)])
    recording = tmp_path / "a talk, it's odd.wav"
    recording.write_bytes(encoded(Kind.WAV, talk))
    shown = await run(stand, tmp_path, str(SCRIPT), str(recording), "language=en")
    assert re.search(r"0:\d\d\.\d  Speaker_0 \(\d+%\): Good morning, Bob\.", shown)
    assert re.search(r"0:0[45]\.\d  Speaker_1 \(\d+%\): Hello Alice\.", shown)


def test_every_error_that_can_come_is_named_and_no_other() -> None:
    rows = re.findall(r"^\| ([\d, ]+) \| (.*?) \|", TEXT, re.MULTILINE)
    named = {
        code: int(status)
        for statuses, codes in rows
        for status, code in zip(
            cycle(statuses.split(", ")), re.findall(r"`(\w+)`", codes), strict=False
        )
    }
    assert named == {code: rendering.status for code, rendering in RENDERINGS.items()}
    assert set(named) <= said_in_the_code()


def said_in_the_code() -> set[str]:
    """Texts that stand in the code outside of the list of errors and of how they are told."""
    found: set[str] = set()
    for path in (ROOT / "services/audio-proxy/src").rglob("*.py"):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        kept = [node for node in tree.body if not is_a_list_of_codes(node)]
        for top in kept:
            for node in ast.walk(top):
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    found.add(node.value)
    return found


def is_a_list_of_codes(node: ast.stmt) -> bool:
    return isinstance(node, ast.AnnAssign) and ast.unparse(node.target) in (
        "ProblemCode", "RENDERINGS",
    )  # fmt: skip
