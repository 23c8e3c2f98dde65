"""A target as Redis keeps it: where to send, what to tell, and the secrets of it."""

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, SecretStr, field_serializer

from spark_common.contracts.webhooks import TargetKind, Topic

DEFAULT_ID = "default"
"""The target of ``WEBHOOK_URL``."""
RESERVED = frozenset({DEFAULT_ID, "deliveries"})
MOST_TARGETS = 50


class Target(BaseModel):
    """One target. ``repr`` and logs never show its secrets."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    version: Literal[1] = 1
    id: str
    name: str
    kind: TargetKind = "webhook"
    url: str | None = None
    """Canonical address of a webhook."""
    address: SecretStr | None = None
    """Address of the other kinds in the notation of the library."""
    shown_address: str | None = None
    """Scheme and host of it."""
    secret: SecretStr | None = None
    topics: tuple[Topic, ...] = ("swap",)
    enabled: bool = True
    from_settings: bool = False
    created_at: datetime

    @property
    def told_of(self) -> frozenset[Topic]:
        """The topics whose events are owed to it from now on."""
        return frozenset(self.topics) if self.enabled else frozenset()

    @field_serializer("address", "secret")
    def _reveal(self, value: SecretStr | None) -> str | None:
        # Only `as_json` below serialises it, and only Redis reads that.
        return None if value is None else value.get_secret_value()

    def as_json(self) -> str:
        """Return the record, secrets included, for Redis alone."""
        return self.model_dump_json()


class Standing(BaseModel):
    """How a target stands, beside its record."""

    model_config = ConfigDict(frozen=True)

    pending: int = 0
    dead: int = 0
    dropped: int = 0
    last_status: int | None = None
    last_error: str | None = None
    disabled_because: str | None = None
    next_try_at: datetime | None = None
