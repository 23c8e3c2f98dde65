"""An API key as Redis keeps it: what it may, and the hash by which it is recognised."""

from datetime import date
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from spark_common.contracts.api_keys import (
    Concurrency,
    Digest,
    KeyId,
    KeyView,
    Models,
    PerMinute,
    RingKey,
    Scopes,
    Weight,
)
from spark_common.contracts.swaps import Text

MOST_KEYS = 500


class ApiKey(BaseModel):
    """One key. ``repr`` and logs never show its hash."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    version: Literal[1] = 1
    id: KeyId
    name: Text
    digest: Digest = Field(repr=False)
    scopes: Scopes
    requests_per_minute: PerMinute = 0
    tokens_per_minute: PerMinute = 0
    concurrency: Concurrency = 0
    weight: Weight = 1
    models: Models = []
    expires_at: AwareDatetime | None = None
    enabled: bool = True
    created_at: AwareDatetime
    created_by: Text

    @property
    def lasting_admin(self) -> bool:
        """Whether somebody can get in with it at any time."""
        return "admin" in self.scopes and self.enabled and self.expires_at is None

    def view(self, last_used_on: date | None) -> KeyView:
        """Return what administrators see."""
        shown = self.model_dump(exclude={"version", "digest"})
        return KeyView(**shown, last_used_on=last_used_on)

    def for_ring(self) -> RingKey:
        """Return what a gateway needs."""
        return RingKey(**self.model_dump(exclude={"version", "created_at", "created_by"}))
