"""What happens to speech: the state of its server. No content, no name of a file."""

from datetime import datetime
from typing import ClassVar, Literal

from spark_common.events.message import Event


class AudioSuspect(Event):
    """A call to the speech server failed so that it may be stuck; it is being looked at."""

    type: ClassVar[str] = "audio.suspect"

    server: str
    episode: str
    """Names the trouble until it is over."""
    trouble: str
    """``wedge`` (its own words name the GPU), ``broke_off``, ``error``, ``late``."""
    at: datetime


class AudioState(Event):
    """The speech server is in another state."""

    type: ClassVar[str] = "audio.state"

    server: str
    before: Literal["ready", "suspect", "recovering", "down"]
    state: Literal["ready", "suspect", "recovering", "down"]
    episode: str = ""
    trouble: str | None = None
    seconds: float | None = None
    """How long the trouble lasted, when it is over."""
    at: datetime


class AudioRequestDone(Event):
    """A request for speech is over. Nothing of what was said, and nobody's name."""

    type: ClassVar[str] = "audio.request.done"

    route: str
    status: int
    """499 for a caller who left."""
    code: str | None = None
    """Of the error, if there was one."""
    sound_seconds: float | None = None
    took_ms: int
    queue_ms: int | None = None
    at: datetime


class AudioJobChanged(Event):
    """A job about a long recording began, went on, or ended. Its result is not in it."""

    type: ClassVar[str] = "audio.job"

    job: str
    state: Literal["queued", "running", "done", "failed", "cancelled"]
    progress: float
    """Share that is done, 0 to 1."""
    sound_seconds: float
    code: str | None = None
    """Of the error that ended it."""
    at: datetime
