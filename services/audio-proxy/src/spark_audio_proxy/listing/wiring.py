"""Puts the lists together."""

from collections.abc import Callable, Mapping

from spark_audio_proxy.feature import Feature
from spark_audio_proxy.listing.book import VoiceBook, VoicePage
from spark_audio_proxy.listing.routes import Lists, listing_router
from spark_audio_proxy.listing.voices import of_kokoro, of_magpie
from spark_audio_proxy.upstreams.asking import UpstreamHttp
from spark_common.clock import Clock


def voice_book(kokoro: UpstreamHttp, magpie: UpstreamHttp, clock: Clock) -> VoiceBook:
    """Return the book of voices; nothing is asked yet."""
    return VoiceBook(
        VoicePage(kokoro, "/v1/audio/voices", of_kokoro, clock),
        VoicePage(magpie, "/v1/audio/list_voices", of_magpie, clock),
    )


def wire_listing(
    book: VoiceBook, parakeet: UpstreamHttp, works: Callable[[], bool], clock: Clock
) -> Feature:
    """Wire the lists. ``works``: whether speech to text does, just now."""

    def ready() -> Mapping[str, bool]:
        return {
            "parakeet": works(),
            "kokoro": book.kokoro.answers,
            "magpie": book.magpie.answers,
        }

    lists = Lists(book, lambda: parakeet.there, ready, int(clock.now().timestamp()))
    return Feature(routers=(listing_router(lists),), close=book.close)
