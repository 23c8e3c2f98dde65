"""What is being done with containers, in Redis: one thing at a time, told once, whoever dies."""

import json
from typing import Any, Final

from pydantic import BaseModel, ConfigDict, ValidationError
from redis.asyncio import Redis

from spark_common.contracts.services import LastAction, ServiceAct, ServiceActed
from spark_common.errors import IdempotencyConflictError, JobInProgressError, RemoteCommandError
from spark_common.events import ServiceAction
from spark_common.redis_access import asked
from spark_health.remedies.keys import OUTBOX
from spark_health.remedies.telling import tell_soon
from spark_health.services import keys

_KEPT_SECONDS: Final = 86_400
_AWAY: Final = "the record of what is done with services is away; try again soon"

_BEGIN = """
-- KEYS acting, owner, done ... ARGV container, act (JSON), owned for ms
if KEYS[3] and redis.call('EXISTS', KEYS[3]) == 1 then
  return {'done', redis.call('GET', KEYS[3])}
end
local now = redis.call('HGET', KEYS[1], ARGV[1])
if now then return {'busy', now} end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
redis.call('SET', KEYS[2], '1', 'PX', ARGV[3])
return {'begun', ''}
"""
_END = """
-- KEYS acting, owner, outbox, last, done ... ARGV container, act (JSON), event, service, last,
--   done, kept for seconds
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
redis.call('HDEL', KEYS[1], ARGV[1])
redis.call('DEL', KEYS[2])
redis.call('RPUSH', KEYS[3], ARGV[3])
redis.call('HSET', KEYS[4], ARGV[4], ARGV[5])
if KEYS[5] then redis.call('SET', KEYS[5], ARGV[6], 'EX', ARGV[7]) end
return 1
"""
_DROP = """
-- KEYS acting, owner ... ARGV container, act (JSON): nothing was done
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
redis.call('HDEL', KEYS[1], ARGV[1])
return redis.call('DEL', KEYS[2])
"""
_ADOPT = """
-- KEYS owner ... ARGV owned for ms: work on what a process that died left behind
return redis.call('SET', KEYS[1], '1', 'NX', 'PX', ARGV[1]) and 1 or 0
"""


class Act(BaseModel):
    """One order, from the moment at which it was begun."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str
    named: bool = False
    """Whether the id is an idempotency key of the caller."""
    service: str
    action: ServiceAct
    shell: str
    """The login, as a ``RemoteShell`` names it."""
    spark: str | None = None
    where: str
    """The login, for people."""
    container: str
    run_before: str | None = None
    """When the run began that was there, as docker says it."""
    requested_by: str
    reason: str = ""
    at: str
    """RFC 3339."""

    @property
    def key(self) -> str:
        """The container, as the record names it."""
        return f"{self.shell}/{self.container}"

    def same_order(self, other: "Act") -> bool:
        """Say whether it asks for the same."""
        return (self.service, self.action) == (other.service, other.action)


class Done(BaseModel):
    """How an order ended."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    act: Act
    ok: bool
    state: str = ""
    message: str
    at: str

    def answer(self) -> ServiceActed:
        """Return it as the answer to the order. Raises RemoteCommandError for one that failed."""
        if not self.ok:
            raise RemoteCommandError(self.message, service=self.act.service)
        return ServiceActed.model_validate(
            {
                "name": self.act.service,
                "action": self.act.action,
                "host": self.act.spark,
                "container": self.act.container,
                "state": self.state,
                "message": self.message,
                "at": self.at,
            }
        )


class Acts:
    """The record. Every method raises UnavailableError while Redis is away."""

    def __init__(self, redis: Redis, owned_ms: int) -> None:
        """``owned_ms``: longer than one order takes."""
        self._redis = redis
        self._owned_ms = owned_ms
        self._begin = redis.register_script(_BEGIN)
        self._end = redis.register_script(_END)
        self._drop = redis.register_script(_DROP)
        self._adopt = redis.register_script(_ADOPT)

    async def begin(self, act: Act) -> Done | None:
        """Begin; returns how it ended where the same key was used before.

        Raises JobInProgressError while something is done with that container,
        IdempotencyConflictError for the key of another order.
        """
        found = [keys.ACTING, keys.owner(act.key), *([keys.done(act.id)] if act.named else [])]
        word, text = await asked(
            self._begin(keys=found, args=[act.key, act.model_dump_json(), self._owned_ms]), _AWAY
        )
        if word == "begun":
            return None
        if word == "done":
            done = Done.model_validate_json(text)
            if not done.act.same_order(act):
                raise IdempotencyConflictError(
                    f"the key {act.id!r} belongs to another order", id=act.id
                )
            return done
        other = Act.model_validate_json(text)
        raise JobInProgressError(
            f"{other.service} has a {other.action} under way, asked for by {other.requested_by}; "
            "wait until it is over",
            service=other.service,
        )

    async def finish(self, done: Done) -> bool:
        """Write down how it ended, with the event that tells it; False: somebody else did."""
        act = done.act
        found = [keys.ACTING, keys.owner(act.key), OUTBOX, keys.LAST]
        found += [keys.done(act.id)] if act.named else []
        words: list[str | int] = [
            act.key,
            act.model_dump_json(),
            json.dumps(event_of(done)),
            act.service,
            last_of(done).model_dump_json(),
            done.model_dump_json(),
            _KEPT_SECONDS,
        ]
        return bool(await asked(self._end(keys=found, args=words), _AWAY))

    async def drop(self, act: Act) -> None:
        """Forget an order that was refused before anything was done."""
        found = [keys.ACTING, keys.owner(act.key)]
        await asked(self._drop(keys=found, args=[act.key, act.model_dump_json()]), _AWAY)

    async def let_go(self, act: Act) -> None:
        """Leave an order to whoever looks next: nobody knows how it ended."""
        await asked(self._redis.delete(keys.owner(act.key)), _AWAY)

    async def acting(self) -> list[Act]:
        """Return what is under way."""
        rows = await asked(self._redis.hgetall(keys.ACTING), _AWAY)
        found = []
        for key, text in rows.items():
            try:
                found.append(Act.model_validate_json(text))
            except ValidationError:
                # It will never be readable, and would block its container for ever.
                await asked(self._redis.hdel(keys.ACTING, key), _AWAY)
        return found

    async def adopt(self, act: Act) -> bool:
        """Take over what nobody works on any more; False while somebody does."""
        return bool(
            await asked(self._adopt(keys=[keys.owner(act.key)], args=[self._owned_ms]), _AWAY)
        )

    async def last(self) -> dict[str, LastAction]:
        """Return what was done last with each service."""
        rows = await asked(self._redis.hgetall(keys.LAST), _AWAY)
        found = {}
        for name, text in rows.items():
            try:
                found[name] = LastAction.model_validate_json(text)
            except ValidationError:
                continue
        return found

    async def forget(self, service: str) -> None:
        """Forget what was done last with a service that is off the list."""
        await asked(self._redis.hdel(keys.LAST, service), _AWAY)

    async def tell(self, id: str, event: ServiceAction) -> None:
        """Have something told that is no order on a container."""
        await tell_soon(self._redis, id, event)


def last_of(done: Done) -> LastAction:
    """Return it as the tile shows it."""
    return LastAction.model_validate(
        {
            "action": done.act.action,
            "requested_by": done.act.requested_by,
            "reason": done.act.reason,
            "ok": done.ok,
            "message": done.message,
            "at": done.at,
        }
    )


def event_of(done: Done) -> dict[str, Any]:
    """Return the entry of the outbox: ``service.action``."""
    act = done.act
    event = ServiceAction.model_validate(
        {
            "service": act.service,
            "host": act.spark,
            "action": act.action,
            "requested_by": act.requested_by,
            "reason": act.reason,
            "ok": done.ok,
            "message": done.message,
            "at": done.at,
            "container": act.container,
        }
    )
    return {"id": f"service:{act.id}", "data": event.model_dump(mode="json")}
