"""Making, changing and revoking keys, so that nobody locks the last administrator out."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Literal, TypeAlias

import structlog

from spark_common.bus.port import Bus
from spark_common.clock import Clock
from spark_common.contracts.api_keys import ChangeKey, CreateKey, Scope
from spark_common.errors import ConflictError, InvalidRequestError, NotFoundError, SparkError
from spark_common.events import KeysChanged
from spark_common.ids import new_id
from spark_common.key_text import digest_of, fresh_key
from spark_common.subjects import KEYS_CHANGED
from spark_coordinator.api_keys.record import MOST_KEYS, ApiKey
from spark_coordinator.api_keys.store import Kept, KeyStore

_RIVALS = 10
_log = structlog.get_logger()

Action: TypeAlias = Literal["created", "changed", "removed"]


class KeyRegistry:
    """The keys. Raises InvalidRequestError, ConflictError, NotFoundError, UnavailableError."""

    def __init__(
        self, store: KeyStore, bus: Bus, clock: Clock, asked_for: Callable[[], bool]
    ) -> None:
        """``asked_for``: whether keys are asked for now."""
        self._store = store
        self._bus = bus
        self._clock = clock
        self._asked_for = asked_for

    async def create(self, request: CreateKey) -> tuple[ApiKey, str]:
        """Make a key; return its record and, this once, its text."""
        text = fresh_key()
        made = ApiKey(
            **request.model_dump(exclude={"requested_by"}) | {"scopes": _once(request.scopes)},
            id=new_id(),
            digest=digest_of(text),
            created_at=self._clock.now(),
            created_by=request.requested_by,
        )
        self._require_future(made.expires_at)
        await self._make("created", made.id, request.requested_by, lambda _: made)
        return made, text

    async def change(self, request: ChangeKey) -> ApiKey:
        """Change what a key may."""
        if request.never_expires and request.expires_at is not None:
            raise InvalidRequestError("give a key an end or none, not both")
        given = request.model_dump(
            exclude={"id", "requested_by", "never_expires"}, exclude_none=True
        )
        if request.never_expires:
            given["expires_at"] = None
        if request.scopes is not None:
            given["scopes"] = _once(request.scopes)

        def changed(standing: ApiKey | None) -> ApiKey:
            if standing is None:
                raise NotFoundError(f"there is no API key {request.id!r}")
            return standing.model_copy(update=given)

        if "expires_at" in given:
            self._require_future(request.expires_at)
        key = await self._make("changed", request.id, request.requested_by, changed)
        if key is None:
            raise NotFoundError(f"there is no API key {request.id!r}")
        return key

    async def remove(self, id: str, by: str) -> None:
        """Revoke a key for good."""

        def gone(standing: ApiKey | None) -> None:
            if standing is None:
                raise NotFoundError(f"there is no API key {id!r}")

        await self._make("removed", id, by, gone)

    async def put(self, key: ApiKey, by: str) -> None:
        """Keep a key that was exported, in place of one with the same id."""
        await self._make("changed", key.id, by, lambda _: key)

    async def end_session(self, session: str, until: datetime) -> None:
        """Let a session of the dashboard be over before its time, at every gateway."""
        now = self._clock.now()
        if until > now:
            await self._store.end_session(session, until, now)

    async def _make(
        self, action: Action, id: str, by: str, made: Callable[[ApiKey | None], ApiKey | None]
    ) -> ApiKey | None:
        for _ in range(_RIVALS):
            kept = await self._store.read()
            if kept is None:
                continue
            key = made(kept.keys.get(id))
            self._require_sense(kept, id, key)
            version = await self._store.change(kept.version, {id: key})
            if version:
                _log.info("keys.changed", key_id=id, action=action, by=by)
                await self._tell(version, id, action)
                return key
        raise ConflictError("somebody else changes the API keys right now; try again")

    def _require_sense(self, kept: Kept, id: str, key: ApiKey | None) -> None:
        after = {name: one for name, one in kept.keys.items() if name != id}
        if key is not None:
            after[id] = key
            if len(after) > MOST_KEYS:
                raise ConflictError(f"there are {MOST_KEYS} API keys already; remove one first")
            if any(one.digest == key.digest for name, one in after.items() if name != id):
                raise ConflictError("this API key is there already under another id")
        had = any(one.lasting_admin for one in kept.keys.values())
        if any(one.lasting_admin for one in after.values()):
            return
        admins = any("admin" in one.scopes for one in after.values())
        if had and (admins or self._asked_for()):
            raise ConflictError(
                "this is the last key with which an administrator can always get in; "
                "make another one that does not expire, or switch API_KEYS off first"
            )
        if admins and key is not None and "admin" in key.scopes and not had:
            raise InvalidRequestError(
                "the first key with the scope admin must be on and without an expiry, or nobody "
                "could get in once it is over"
            )

    def _require_future(self, expires_at: datetime | None) -> None:
        if expires_at is not None and expires_at <= self._clock.now():
            raise InvalidRequestError("expires_at is over already")

    async def _tell(self, version: int, id: str, action: Action) -> None:
        hint = KeysChanged(keys_version=version, key_id=id, action=action)
        try:
            await self._bus.publish(KEYS_CHANGED, hint, id=new_id())
        except SparkError as error:
            # Every gateway looks at the version by itself.
            _log.warning("keys.hint_lost", reason=error.message)


def _once(scopes: Sequence[Scope]) -> list[Scope]:
    return list(dict.fromkeys(scopes))
