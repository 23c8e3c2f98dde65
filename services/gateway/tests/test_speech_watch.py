"""What the gateway knows of speech: what its service said last, and before that the usual names."""

from typing import Any

import httpx
import pytest

from spark_common.testing.clock import FakeClock
from spark_gateway.catalogue import Catalogue
from spark_gateway.dataplane.ports import Upstream
from spark_gateway.dataplane.watch import Served
from spark_gateway.speech_watch import SpeechWatch, read_speech

SKY = {"id": "af_sky", "name": "Sky", "language": "en-US", "engine": "kokoro", "gender": "female"}
SAID = {
    "object": "list",
    "data": [
        {"id": "parakeet-tdt-0.6b-v3", "root": "parakeet-tdt-0.6b-v3", "ready": True,
         "task": "automatic-speech-recognition", "languages": ["en", "de"]},
        {"id": "whisper-1", "root": "parakeet-tdt-0.6b-v3", "ready": True,
         "task": "automatic-speech-recognition"},
        {"id": "kokoro", "root": "kokoro", "task": "text-to-speech", "voices": [SKY]},
        {"id": "tts-1", "root": "kokoro", "task": "text-to-speech", "voices": [SKY]},
    ],
}  # fmt: skip


class Service:
    """audio-proxy, or nobody."""

    def __init__(self) -> None:
        self.said: Any = SAID
        self.status = 200
        client = httpx.AsyncClient(transport=httpx.MockTransport(self._answer))
        self.watch = SpeechWatch(
            lambda: Upstream("127.0.0.1", 9, "audio", "speech"), client, FakeClock()
        )
        self.catalogue = Catalogue(
            Served, Served, tuple, lambda: True, tuple, 5, lambda: self.watch.spoken
        )

    def _answer(self, request: httpx.Request) -> httpx.Response:
        assert request.url.path == "/v1/models"
        return httpx.Response(self.status, json=self.said)


async def test_models_are_named_with_their_voices_once_the_service_answers() -> None:
    service = Service()
    assert [each.id for each in service.catalogue.listed()] == ["parakeet", "kokoro"]
    await service.watch.look()
    hears, speaks = service.catalogue.listed()
    assert (hears.id, hears.kind) == ("parakeet-tdt-0.6b-v3", "transcription")
    assert hears.languages == ("en", "de")
    assert {"whisper-1", "parakeet"} == set(hears.names)
    assert (speaks.id, speaks.names) == ("kokoro", ("tts-1",))
    assert [voice.id for voice in speaks.voices] == ["af_sky"]
    assert service.catalogue.find("tts-1") == speaks
    assert service.catalogue.find("parakeet") == hears


async def test_what_was_known_is_kept_and_marked_while_nobody_answers() -> None:
    service = Service()
    await service.watch.look()
    service.status = 503
    await service.watch.look()
    assert {(each.state, each.stale) for each in service.catalogue.listed()} == {
        ("unreachable", True)
    }
    service.status = 200
    service.said = {"data": [{**SAID["data"][0], "ready": False}]}
    await service.watch.look()
    (hears,) = service.catalogue.listed()
    assert (hears.state, hears.stale) == ("unreachable", False)


@pytest.mark.parametrize("said", [[], {}, {"data": 5}, {"data": [{"id": 5}]}, {"data": [None]}])
async def test_nonsense_changes_nothing(said: Any) -> None:
    service = Service()
    service.said = said
    await service.watch.look()
    assert [each.id for each in service.catalogue.listed()] == ["parakeet", "kokoro"]
    with pytest.raises(ValueError):
        read_speech(b"[" * 10_000)
