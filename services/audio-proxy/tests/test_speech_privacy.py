"""What audio-proxy tells of a request: to logs, metrics and the bus, and never what was said."""

import asyncio
import json
import logging
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import generate_latest

from spark_audio_proxy.request_news import RequestNews
from spark_audio_proxy.testing.stand import audio_stand
from spark_common.clock import SystemClock
from spark_common.service import REGISTRY
from spark_common.subjects import AUDIO_REQUEST_DONE
from spark_common.tasks import end
from spark_common.testing.bus import MemoryBus
from spark_common.testing.wait import until
from spark_sim.speakclock.mixing import in_a_row, mixed
from spark_sim.speakclock.sound_files import Kind, encoded
from spark_sim.speech.stands import parakeet_stand

TEXT = "Xylophone marmalade, quixotic."
FILE = "zebra-secret-meeting.flac"
SAID = ("xylophone", "marmalade", "quixotic", "zebra", "Speaker_0", "finger")


async def test_nothing_of_what_was_said_or_how_the_file_was_called(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    bus, heard = MemoryBus("audio-proxy"), []
    news = RequestNews(bus, SystemClock())

    async def listen() -> None:
        async for _, body in bus.listen(AUDIO_REQUEST_DONE):
            heard.append(json.loads(body))

    tasks = [asyncio.create_task(listen()), asyncio.create_task(news.run())]
    data = encoded(Kind.FLAC, mixed(in_a_row(TEXT)))
    async with (
        parakeet_stand(2000) as parakeet,
        audio_stand(parakeet.url, tmp_path, news=news) as proxy,
    ):
        await asyncio.sleep(0)
        capfd.readouterr()
        for path, content in (
            ("/v1/audio/transcriptions", data),
            ("/api/audio/transcribe-with-speakers", data),
            ("/v1/audio/transcriptions", b"xylophone" * 99),
            ("/v1/audio/diarize", data),
        ):
            files: Any = {"file": (FILE, content)}
            await proxy.client.post(path, files=files, data={"prompt": "xylophone"})
        parakeet.switches.error_next = 1
        await proxy.client.post(path, files=files)
        await until(lambda: len(heard) == 5, "the bus was told of each")
    await end(tasks)
    outputs = capfd.readouterr()
    told = "\n".join(
        (outputs.out, outputs.err, caplog.text, generate_latest(REGISTRY).decode(), str(heard))
    ).lower()
    assert [word for word in SAID if word.lower() in told] == []
    first = heard[0]["data"]
    assert first["route"] == "/v1/audio/transcriptions"
    assert (first["status"], first["code"]) == (200, None)
    assert first["sound_seconds"] > 1
    assert [each["data"]["code"] for each in heard][2] == "invalid_audio"
    assert 'audio_requests_total{code="invalid_audio"' in generate_latest(REGISTRY).decode()
