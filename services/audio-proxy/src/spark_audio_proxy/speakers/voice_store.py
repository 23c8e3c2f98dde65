"""Where enrolled voices are kept: apart for every tenant, deleted one by one."""

import base64
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Literal, Protocol

import numpy as np
import structlog
from pydantic import BaseModel, ConfigDict, ValidationError
from redis.asyncio import Redis

from spark_audio_proxy.speakers import keys
from spark_audio_proxy.speakers.matching import EnrolledVoice
from spark_common.errors import ConflictError
from spark_common.redis_access import asked

MOST_ENROLLED = 200
"""People of one tenant: each recording is compared with all of them."""
_AWAY = "enrolled voices cannot be read or changed: Redis does not answer"
_log = structlog.get_logger()


class VoiceStore(Protocol):
    """Every method raises UnavailableError while the store is away."""

    async def put(self, tenant: str, voice: EnrolledVoice) -> None:
        """Keep a voice, in place of the one of the same name; ConflictError when full."""
        ...

    async def get(self, tenant: str, name: str) -> EnrolledVoice | None:
        """Return one voice."""
        ...

    async def all(self, tenant: str) -> Sequence[EnrolledVoice]:
        """Return all voices of a tenant by name, and never one of another."""
        ...

    async def delete(self, tenant: str, name: str) -> bool:
        """Forget a voice; say whether there was one."""
        ...


class _Record(BaseModel):
    """A voice as it is written down: print, model and day, nothing else."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    version: Literal[1] = 1
    vector: str
    """Little-endian float32 in base64."""
    model: str
    created_at: datetime

    @classmethod
    def of(cls, voice: EnrolledVoice) -> "_Record":
        packed = np.asarray(voice.vector, dtype="<f4").tobytes()
        return cls(
            vector=base64.b64encode(packed).decode(),
            model=voice.model,
            created_at=voice.created_at.astimezone(UTC),
        )

    def voice(self, name: str) -> EnrolledVoice:
        vector = np.frombuffer(base64.b64decode(self.vector), dtype="<f4")
        return EnrolledVoice(name, tuple(vector.tolist()), self.model, self.created_at)


class RedisVoices:
    """The store of the product."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    async def put(self, tenant: str, voice: EnrolledVoice) -> None:
        """Keep a voice, in place of the one of the same name; ConflictError when full."""
        key = keys.enrolled(tenant)
        full = await asked(self._redis.hlen(key), _AWAY) >= MOST_ENROLLED
        if full and not await asked(self._redis.hexists(key, voice.name), _AWAY):
            raise full_error()
        record = _Record.of(voice).model_dump_json()
        await asked(self._redis.hset(key, voice.name, record), _AWAY)

    async def get(self, tenant: str, name: str) -> EnrolledVoice | None:
        """Return one voice."""
        text = await asked(self._redis.hget(keys.enrolled(tenant), name), _AWAY)
        return _read(name, text) if text is not None else None

    async def all(self, tenant: str) -> Sequence[EnrolledVoice]:
        """Return all voices of a tenant by name, and never one of another."""
        records = await asked(self._redis.hgetall(keys.enrolled(tenant)), _AWAY)
        found = [_read(name, text) for name, text in sorted(records.items())]
        return [voice for voice in found if voice is not None]

    async def delete(self, tenant: str, name: str) -> bool:
        """Forget a voice; say whether there was one."""
        return bool(await asked(self._redis.hdel(keys.enrolled(tenant), name), _AWAY))


def full_error() -> ConflictError:
    """Return the error of a store in which no place is left."""
    return ConflictError(f"{MOST_ENROLLED} people are enrolled: delete one first")


def _read(name: str, text: str) -> EnrolledVoice | None:
    try:
        return _Record.model_validate_json(text).voice(name)
    except (ValidationError, ValueError):
        # As after going back to an older version of the product: one record hides no other.
        _log.warning("speakers.record_unreadable")
        return None
