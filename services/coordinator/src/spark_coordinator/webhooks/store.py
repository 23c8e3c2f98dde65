"""Targets and deliveries in Redis."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from redis.asyncio import Redis

from spark_common.contracts.webhooks import Topic
from spark_common.redis_access import asked
from spark_coordinator.webhooks import keys, scripts
from spark_coordinator.webhooks.ports import Answer
from spark_coordinator.webhooks.rows import NewDelivery, Owed, micros, moment
from spark_coordinator.webhooks.targets import MOST_TARGETS, Standing, Target
from spark_coordinator.webhooks.verdict import Verdict

MOST_ROWS = 1_000
"""Deliveries kept of one target, whatever became of them."""
MOST_EVENTS = 1_500
"""Bodies kept over all targets; at most 16 KiB each."""
LEADS_NO_MORE = -1

_AWAY = "the record (Redis) does not answer; try again in a moment"
_SWEPT_AT_ONCE = 200


class WebhookStore:
    """Every method is one script or one read; raises UnavailableError while Redis is away."""

    def __init__(
        self, redis: Redis, most_rows: int = MOST_ROWS, most_events: int = MOST_EVENTS
    ) -> None:
        self._redis = redis
        self._most_rows = most_rows
        self._most_events = most_events
        self._take = redis.register_script(scripts.TAKE)
        self._heads = redis.register_script(scripts.HEADS)
        self._head = redis.register_script(scripts.HEAD)
        self._settle = redis.register_script(scripts.SETTLE)
        self._note_test = redis.register_script(scripts.NOTE_TEST)
        self._put = redis.register_script(scripts.PUT_TARGET)
        self._remove = redis.register_script(scripts.REMOVE_TARGET)
        self._sweep = redis.register_script(scripts.SWEEP)

    async def targets(self) -> dict[str, Target]:
        """Return all targets by id, the oldest first."""
        found = await asked(self._redis.hgetall(keys.TARGETS), _AWAY)
        targets = [Target.model_validate_json(record) for record in found.values()]
        return {one.id: one for one in sorted(targets, key=lambda one: (one.created_at, one.id))}

    async def target(self, id: str) -> tuple[Target | None, str]:
        """Return one target, and its record as it was read ('' when there is none)."""
        record = await asked(self._redis.hget(keys.TARGETS, id), _AWAY)
        return (Target.model_validate_json(record), record) if record else (None, "")

    async def disabled_because(self, ids: Sequence[str]) -> dict[str, str]:
        """Return why some of these targets were switched off by themselves."""
        pipe = self._redis.pipeline(transaction=False)
        for one in ids:
            pipe.hget(keys.state(one), "disabled_because")
        found = await asked(pipe.execute(), _AWAY)
        return {one: why for one, why in zip(ids, found, strict=True) if why}

    async def put(
        self, target: Target, read: str, marks: Mapping[Topic, str], now: datetime
    ) -> int:
        """Keep a target over the record that was ``read``: 1, 0 too many, -1 it changed since.

        ``marks`` are the places of the streams from which new topics are told.
        """
        told = ",".join(sorted(target.told_of))
        arguments: list[str | int] = [
            target.id,
            read,
            target.as_json(),
            MOST_TARGETS,
            micros(now),
            told,
        ]
        for topic, mark in marks.items():
            arguments += [topic, mark]
        places = (keys.TARGETS, keys.MARKS, keys.state(target.id), keys.line(target.id))
        return int(await asked(self._put(keys=places, args=arguments), _AWAY))

    async def marked_topics(self, id: str) -> frozenset[str]:
        """Return the topics of which a target is told since some mark."""
        found = await asked(self._redis.hkeys(keys.MARKS), _AWAY)
        return frozenset(
            topic for owner, _, topic in (place.partition("/") for place in found) if owner == id
        )

    async def remove(self, id: str) -> bool:
        """Forget a target and everything of it; return whether there was one."""
        places = (keys.TARGETS, keys.MARKS, keys.state(id), keys.line(id))
        return bool(await asked(self._remove(keys=places, args=[id]), _AWAY))

    async def standing(self, id: str) -> Standing:
        """Return how a target stands."""
        pipe = self._redis.pipeline(transaction=False)
        pipe.llen(keys.line(id))
        pipe.zcard(keys.dead(id))
        pipe.hgetall(keys.state(id))
        pipe.lindex(keys.line(id), 0)
        pending, dead, state, head = await asked(pipe.execute(), _AWAY)
        following = (
            await asked(self._redis.hget(keys.delivery(head), "next"), _AWAY) if head else ""
        )
        status = state.get("last_status")
        return Standing(
            pending=pending,
            dead=dead,
            dropped=int(state.get("dropped", 0)),
            last_status=int(status) if status else None,
            last_error=state.get("last_error") or None,
            disabled_because=state.get("disabled_because"),
            next_try_at=moment(following),
        )

    async def take(
        self,
        fence: int,
        target: str,
        topic: Topic,
        place: tuple[str, int],
        delivery: NewDelivery,
    ) -> int:
        """Owe an event to a target: 1 owed now, 0 it was already or is not wanted, -1 see above.

        ``place`` is epoch and sequence in its stream.
        """
        arguments: list[str | int] = [
            *(fence, target, topic, *place),
            *(delivery.id, delivery.event_id, delivery.type, delivery.body),
            *(micros(delivery.created_at), micros(delivery.give_up_at)),
            *(self._most_rows, self._most_events),
        ]
        places = (keys.FENCE, keys.TARGETS, keys.MARKS, keys.EVENTS, keys.LATEST)
        return int(await asked(self._take(keys=places, args=arguments), _AWAY))

    async def due(self, targets: Sequence[str], now: datetime, horizon: datetime) -> list[str]:
        """Return those of the targets whose next delivery may be tried.

        Later than ``horizon`` nothing waits: such a one was written before the clock was set back.
        """
        if not targets:
            return []
        arguments: list[str | int] = [micros(now), micros(horizon), *targets]
        return list(await asked(self._heads(args=arguments), _AWAY))

    async def head(self, target: str) -> Owed | None:
        """Return the next delivery of a target."""
        found = await asked(self._head(keys=(keys.line(target),), args=[target]), _AWAY)
        if not found:
            return None
        name, body, *flat = found
        return Owed.read(name, body, dict(zip(flat[::2], flat[1::2], strict=True)))

    async def settle(
        self,
        fence: int,
        target: str,
        id: str,
        answer: Answer,
        verdict: Verdict,
        latency_ms: float,
        now: datetime,
    ) -> int:
        """Note what became of a try: 1, 0 when it is not owed any more, -1 see above."""
        arguments: list[str | int] = [
            *(fence, target, id, verdict.state, verdict.tries),
            "" if answer.status is None else answer.status,
            *(f"{latency_ms:.1f}", verdict.error, micros(now)),
            "" if verdict.next_at is None else micros(verdict.next_at),
            verdict.disabled_because,
        ]
        places = (keys.FENCE, keys.delivery(id))
        return int(await asked(self._settle(keys=places, args=arguments), _AWAY))

    async def note_test(self, id: str, fields: Mapping[str, str | int]) -> bool:
        """Keep a test in the log; false when its target is gone."""
        target, now = str(fields["target"]), fields["created"]
        place = keys.delivered(target) if fields["state"] == "delivered" else keys.dead(target)
        arguments: list[str | int] = [target, id, now, self._most_rows]
        for field, value in fields.items():
            arguments += [field, value]
        places = (keys.TARGETS, keys.delivery(id), place)
        return bool(await asked(self._note_test(keys=places, args=arguments), _AWAY))

    async def sweep(self, target: str, older_than: datetime) -> None:
        """Forget deliveries that are too old."""
        arguments: list[str | int] = [target, micros(older_than), _SWEPT_AT_ONCE]
        while await asked(self._sweep(args=arguments), _AWAY):
            pass
