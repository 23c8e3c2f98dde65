"""The owner's caps: how many requests at once each upstream gets."""

from collections.abc import Callable, Mapping
from typing import Final

from spark_common.settings.policies import QueueSettings
from spark_gateway.dataplane.ports import MODEL_SERVER
from spark_gateway.queueing.turnstile import Bounds

EMBED: Final = "embed"
AUDIO: Final = "audio"
_FIELDS: Final = {
    MODEL_SERVER: "model_requests_at_once",
    EMBED: "embed_requests_at_once",
    AUDIO: "audio_requests_at_once",
}


class Caps:
    """Asks for them each time: a change is live for the next request."""

    def __init__(self, settings: Callable[[], QueueSettings]) -> None:
        self._settings = settings
        self._read: QueueSettings | None = None
        self._caps: Mapping[str, int] = {}
        """As read: of the upstreams that have one."""

    def of(self, upstream: str) -> int:
        """Return the cap of an upstream by its name; 0: none."""
        if self._settings() is not self._read:
            self._now()
        return self._caps.get(upstream, 0)

    def any(self) -> bool:
        """Whether any upstream has one."""
        return bool(self._now())

    def _now(self) -> Mapping[str, int]:
        settings = self._settings()
        if settings is not self._read:
            self._read = settings
            caps = {upstream: int(getattr(settings, name)) for upstream, name in _FIELDS.items()}
            self._caps = {upstream: cap for upstream, cap in caps.items() if cap}
        return self._caps

    def bounds(self) -> Bounds:
        """Return how many may wait, and for how long."""
        now = self._settings()
        return Bounds(now.queue_most_waiting, now.queue_longest_seconds)
