"""Where the speech servers are just now; asked for every request, since the owner may move them."""

from collections.abc import Callable
from typing import Literal, TypeAlias

from spark_common.settings.speech import SpeechPlaces
from spark_common.settings.support import (
    KokoroSettings,
    MagpieSettings,
    PageSettings,
    ParakeetSettings,
)

Server: TypeAlias = Literal["parakeet", "kokoro", "magpie"]
_ALSO = {"stt": "parakeet", "tts": "kokoro"}
"""Other words that owners use for them in DISABLED_SERVICES."""


class SpeechServers:
    """Gives the base address of each server: a whole address wins over host and port."""

    def __init__(
        self,
        default_host: str,
        *,
        places: Callable[[], SpeechPlaces],
        parakeet: Callable[[], ParakeetSettings],
        kokoro: Callable[[], KokoroSettings],
        magpie: Callable[[], MagpieSettings],
        page: Callable[[], PageSettings],
    ) -> None:
        """``default_host``: where those are whose host nobody set."""
        self._default_host = default_host
        self._places = places
        self._parakeet = parakeet
        self._kokoro = kokoro
        self._magpie = magpie
        self._page = page

    def url(self, server: Server) -> str | None:
        """Return ``http://<spark-1-ip>:8000``; None when the owner has no such server, or hid it.

        Magpie is the older one: it is there only where somebody says so.
        """
        if server in self._hidden():
            return None
        places, host, port = self._places(), self._default_host, 0
        if server == "parakeet":
            whole, speech = places.parakeet_url, self._parakeet()
            host, port = speech.parakeet_host or host, speech.parakeet_port
        elif server == "kokoro":
            whole, voice = places.kokoro_url, self._kokoro()
            host, port = voice.kokoro_host or host, voice.kokoro_port
        else:
            whole, older = places.magpie_url, self._magpie()
            if whole is None and older.magpie_host is None:
                return None
            host, port = older.magpie_host or host, older.magpie_port
        if whole is not None:
            return whole.rstrip("/")
        return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    def _hidden(self) -> frozenset[str]:
        words = {word.lower() for word in self._page().disabled_services}
        return frozenset(words | {_ALSO[word] for word in words if word in _ALSO})
