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
from spark_common.settings.speech import SpeechSettings
from spark_common.subjects import AUDIO_REQUEST_DONE
from spark_common.tasks import end
from spark_common.testing.bus import MemoryBus
from spark_common.testing.wait import until
from spark_sim.speakclock.mixing import in_a_row, mixed
from spark_sim.speakclock.sound_files import Kind, encoded
from spark_sim.speech.stands import parakeet_stand

TEXT = "Xylophone marmalade, quixotic."
FILE = "zebra-secret-meeting.flac"
NAME = "Wilhelmina"
SAID = ("xylophone", "marmalade", "quixotic", "zebra", "Speaker_0", "finger", NAME)


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
    settings = SpeechSettings(voiceprints_enabled=True)
    async with (
        parakeet_stand(2000) as parakeet,
        audio_stand(parakeet.url, tmp_path, news=news, settings=settings) as proxy,
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
        enrolled = await proxy.client.put(
            f"/api/audio/speakers/{NAME}",
            files={"file": (FILE, encoded(Kind.FLAC, mixed(in_a_row(TEXT * 5))))},
        )
        assert enrolled.status_code == 201
        sides: Any = {"local_file": (FILE, data), "remote_file": (FILE, data)}
        for path in ("/api/audio/identify", "/api/audio/transcribe-with-speakers"):
            await proxy.client.post(
                path,
                files=files if "identify" in path else sides,
                data={"identify": "true", "local_speaker": NAME, "debug": "true"},
            )
        await proxy.client.delete(f"/api/audio/speakers/{NAME}")
        await until(lambda: len(heard) == 9, "the bus was told of each")
    await end(tasks)
    outputs = capfd.readouterr()
    # The client of this test tells itself where it enrols; nobody else may.
    logged = "\n".join(
        caplog.handler.format(each) for each in caplog.records if each.name != "httpx"
    )
    told = "\n".join(
        (outputs.out, outputs.err, logged, generate_latest(REGISTRY).decode(), str(heard))
    ).lower()
    assert [word for word in SAID if word.lower() in told] == []
    first = heard[0]["data"]
    assert first["route"] == "/v1/audio/transcriptions"
    assert (first["status"], first["code"]) == (200, None)
    assert first["sound_seconds"] > 1
    assert [each["data"]["code"] for each in heard][2] == "invalid_audio"
    assert 'audio_requests_total{code="invalid_audio"' in generate_latest(REGISTRY).decode()
