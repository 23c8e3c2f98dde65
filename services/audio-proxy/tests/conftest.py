"""Real servers on free ports, and one audio-proxy in front of one speech server per module."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from spark_audio_proxy.testing.stand import AudioStand, audio_stand
from spark_common.settings.speech import SpeechSettings
from spark_common.testing.fixtures import nats_server, redis_server
from spark_sim.speech.stands import ParakeetStand, parakeet_stand

__all__ = ["nats_server", "redis_server"]


@pytest.fixture(scope="module")
def speech() -> SpeechSettings:
    """What the owner set; a module may say otherwise."""
    return SpeechSettings()


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def parakeet() -> AsyncIterator[ParakeetStand]:
    async with parakeet_stand(2000) as stand:
        yield stand
        # Whatever a client sent and whatever was asked of it: nothing else ever goes up.
        sent = {(each.codec, each.rate, each.channels) for each in stand.records.uploads}
        assert sent <= {(codec, 16_000, 1) for codec in ("pcm_s16le", "flac")}


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def proxy(
    parakeet: ParakeetStand, speech: SpeechSettings, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[AudioStand]:
    folder = tmp_path_factory.mktemp("proxy")
    async with audio_stand(parakeet.url, folder, settings=speech) as stand:
        yield stand
        assert stand.left_behind == []
