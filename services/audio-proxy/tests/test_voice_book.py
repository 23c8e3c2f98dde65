"""What is known of voices while their server is well, slow, old or gone."""

from typing import Any

import httpx
import pytest

from spark_audio_proxy.listing.book import VoicePage
from spark_audio_proxy.listing.voices import Voice, of_kokoro, of_magpie
from spark_audio_proxy.upstreams.asking import UpstreamHttp
from spark_common.testing.clock import FakeClock


class Server:
    """Tells of voices, or does not."""

    def __init__(self) -> None:
        self.said: Any = {"voices": ["af_sky"]}
        self.status = 200
        self.asked = 0

    def answer(self, _request: httpx.Request) -> httpx.Response:
        self.asked += 1
        return httpx.Response(self.status, json=self.said)


def _page(server: Server, clock: FakeClock) -> VoicePage:
    client = httpx.AsyncClient(transport=httpx.MockTransport(server.answer))
    upstream = UpstreamHttp("kokoro", "the voice server", lambda: "http://voice.example", client)
    return VoicePage(upstream, "/v1/audio/voices", of_kokoro, clock)


async def test_voices_are_asked_for_once_a_minute_and_kept_when_nobody_answers() -> None:
    server, clock = Server(), FakeClock()
    page = _page(server, clock)
    assert await page.voices() == (Voice("af_sky", "af_sky", "en-US", "kokoro", "female"),)
    await page.voices()
    assert server.asked == 1
    server.status = 500
    await clock.advance(61)
    known = await page.voices()
    assert known is not None
    assert [voice.id for voice in known] == ["af_sky"]
    assert not page.answers
    await page.voices()
    assert server.asked == 2, "it does not answer just now: it is not asked all the time"
    server.status, server.said = 200, ["af_sky", "af_new"]
    await clock.advance(6)
    assert len(await page.voices() or ()) == 2
    assert page.answers


async def test_who_misses_a_voice_may_have_them_asked_for_sooner() -> None:
    server, clock = Server(), FakeClock()
    page = _page(server, clock)
    await page.voices()
    await clock.advance(6)
    await page.voices()
    assert server.asked == 1
    await page.voices(fresher=True)
    await page.voices(fresher=True)
    assert server.asked == 2


@pytest.mark.parametrize(
    "said", [None, [], {}, {"voices": None}, {"voices": [1, None, {}, {"id": 5}, "a b", "x" * 500]}]
)
def test_nonsense_names_no_voice(said: Any) -> None:
    assert of_kokoro(said) == ()
    assert of_magpie(said) == ()


def test_magpie_tells_of_its_voices_in_groups() -> None:
    said = {"en-US,es-US": {"voices": ["Magpie-Multilingual.EN-US.Aria", "Magpie-X.ES-US.Leo.Sad"]}}
    first, second = of_magpie(said)
    assert (first.name, first.language) == ("Aria", "en-US")
    assert (second.name, second.language) == ("Leo Sad", "es-US")
