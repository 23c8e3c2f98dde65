"""API keys: who may infer and who may administer, with what limits; a key is shown once."""

from datetime import date
from typing import Annotated, Literal, TypeAlias

from pydantic import AwareDatetime, Field, StringConstraints

from spark_common.contracts.rpc import Reply, Request, Rpc
from spark_common.contracts.swaps import SwapId, Text

Scope: TypeAlias = Literal["infer", "admin"]
"""``infer`` opens ``/v1``, ``admin`` opens ``/api``; neither holds the other."""
KeyId = SwapId
Digest = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
PerMinute = Annotated[int, Field(ge=0, le=1_000_000_000)]
"""0: no limit."""
Concurrency = Annotated[int, Field(ge=0, le=10_000)]
Weight = Annotated[int, Field(ge=1, le=100)]
SessionId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{16,64}$")]
"""Of a session of the dashboard; by itself it opens nothing."""
ModelName = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
Scopes = Annotated[list[Scope], Field(min_length=1, max_length=8)]
Models = Annotated[list[ModelName], Field(max_length=100)]


class CreateKey(Request):
    """Make a key."""

    name: Text
    scopes: Scopes = ["infer"]
    requests_per_minute: PerMinute = 0
    tokens_per_minute: PerMinute = 0
    concurrency: Concurrency = 0
    """Requests at once; what is more waits for its turn. 0: no limit."""
    weight: Weight = 1
    """Share in the fair queue, against others that wait."""
    models: Models = []
    """Only these may be asked for; empty: all."""
    expires_at: AwareDatetime | None = None
    requested_by: Text = "someone"


class ChangeKey(Request):
    """Change a key; what is left out stays. The key itself stays the same."""

    id: KeyId
    name: Text | None = None
    scopes: Scopes | None = None
    requests_per_minute: PerMinute | None = None
    tokens_per_minute: PerMinute | None = None
    concurrency: Concurrency | None = None
    weight: Weight | None = None
    models: Models | None = None
    expires_at: AwareDatetime | None = None
    never_expires: bool = False
    """Take the expiry away."""
    enabled: bool | None = None
    """Off: it opens nothing until it is switched on again."""
    requested_by: Text = "someone"


class RemoveKey(Request):
    """Revoke a key for good."""

    id: KeyId
    requested_by: Text = "someone"


class ListKeys(Request):
    """Ask for all keys."""


class KeyView(Reply):
    """A key as administrators see it, without what opens anything."""

    id: str
    name: str
    scopes: list[Scope] = []
    requests_per_minute: int = 0
    tokens_per_minute: int = 0
    concurrency: int = 0
    weight: int = 1
    models: list[str] = []
    expires_at: AwareDatetime | None = None
    enabled: bool = True
    created_at: AwareDatetime
    created_by: str
    last_used_on: date | None = None
    """The day, in UTC."""


class NewKey(KeyView):
    """A key that was just made, with the one showing of its text."""

    key: str = Field(repr=False)


class Keys(Reply):
    """All keys, the oldest first."""

    keys: list[KeyView] = []


class ReadRing(Request):
    """Ask for what a gateway needs to let callers in; answered only to services."""

    known_version: int | None = None
    """What the caller has already; the same version comes back without keys."""


class RingKey(Reply):
    """One key as a gateway checks it."""

    id: str
    name: str
    digest: str = Field(repr=False)
    """SHA-256 of the key."""
    scopes: list[Scope] = []
    requests_per_minute: int = 0
    tokens_per_minute: int = 0
    concurrency: int = 0
    weight: int = 1
    models: list[str] = []
    expires_at: AwareDatetime | None = None
    enabled: bool = True


class Ring(Reply):
    """All keys at one version."""

    version: int = Field(ge=0)
    keys: list[RingKey] | None = None
    """None: unchanged since ``known_version``."""
    session_secret: str | None = Field(default=None, repr=False)
    """Signs the sessions of the dashboard, the same for every gateway; comes with the keys."""
    ended: list[str] = []
    """Sessions that somebody signed out of before their time; comes with the keys."""


class NoteUse(Request):
    """Tell which keys were used on a day; repeating is harmless."""

    ids: Annotated[list[KeyId], Field(max_length=1000)]
    day: date


class EndSession(Request):
    """Tell that somebody signed out of a session; repeating is harmless."""

    id: SessionId
    until: AwareDatetime
    """When it would have ended by itself."""


class Noted(Reply):
    """It is written down."""


CREATE_KEY = Rpc("rpc.coordinator.key.create", CreateKey, NewKey)
CHANGE_KEY = Rpc("rpc.coordinator.key.change", ChangeKey, KeyView)
REMOVE_KEY = Rpc("rpc.coordinator.key.remove", RemoveKey, Keys)
LIST_KEYS = Rpc("rpc.coordinator.key.list", ListKeys, Keys)
READ_RING = Rpc("rpc.coordinator.key.ring", ReadRing, Ring)
END_SESSION = Rpc("rpc.coordinator.key.session_end", EndSession, Noted)
NOTE_USE = Rpc("rpc.coordinator.key.used", NoteUse, Noted)
