"""A job as it is kept, and as callers see it."""

from datetime import datetime, timedelta
from typing import Any, Final, Literal, TypeAlias

from pydantic import BaseModel, ConfigDict

JobState: TypeAlias = Literal["queued", "running", "done", "failed", "cancelled"]
LIVING: Final[frozenset[JobState]] = frozenset(("queued", "running"))
SILENT: Final = timedelta(seconds=60)
"""A living job that nobody confirmed for so long died with its process."""


class AudioJob(BaseModel):
    """One job; its result is kept apart from it, and shorter."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    version: int = 1
    id: str
    tenant: str
    """Whose it is: nobody else sees it."""
    state: JobState
    format: str
    sound_seconds: float
    progress: float = 0.0
    created_at: datetime
    seen_at: datetime
    """When its process last said that it lives."""
    ended_at: datetime | None = None
    code: str | None = None
    message: str | None = None

    def as_seen(self, now: datetime) -> "AudioJob":
        """Return it as it is now: a job whose process died will not go on, its audio is gone."""
        if self.state in LIVING and now - self.seen_at > SILENT:
            lost = {
                "state": "failed",
                "code": "interrupted",
                "message": "the service was restarted, and the recording went with it",
            }
            return self.model_copy(update=lost)
        return self

    def document(self) -> dict[str, Any]:
        """Return what callers see of it."""
        error = None if self.code is None else {"code": self.code, "message": self.message}
        return {
            "id": self.id,
            "object": "audio.job",
            "state": self.state,
            "progress": round(self.progress, 4),
            "response_format": self.format,
            "duration": round(self.sound_seconds, 3),
            "created_at": self.created_at.isoformat(),
            "ended_at": None if self.ended_at is None else self.ended_at.isoformat(),
            "error": error,
        }
