"""The owner's caps: how many requests at once each upstream gets."""

from collections.abc import Callable
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
    """Reads them anew each time: a change is live for the next request."""

    def __init__(self, settings: Callable[[], QueueSettings]) -> None:
        self._settings = settings

    def of(self, upstream: str) -> int:
        """Return the cap of an upstream by its name; 0: none."""
        field = _FIELDS.get(upstream)
        return int(getattr(self._settings(), field)) if field is not None else 0

    def any(self) -> bool:
        """Whether any upstream has one."""
        now = self._settings()
        return bool(
            now.model_requests_at_once or now.embed_requests_at_once or now.audio_requests_at_once
        )

    def bounds(self) -> Bounds:
        """Return how many may wait, and for how long."""
        now = self._settings()
        return Bounds(now.queue_most_waiting, now.queue_longest_seconds)
