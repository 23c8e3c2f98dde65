"""One key as the data plane meets whoever shows it: what it may, and what it has spent."""

import math
from collections.abc import Callable, Set
from typing import Final

from spark_common.clock import Clock
from spark_common.contracts.api_keys import RingKey, Scope
from spark_gateway.dataplane.ports import Refusal
from spark_gateway.dataplane.refusals import refuse
from spark_gateway.dataplane.upstreams import place_of
from spark_gateway.keys.bucket import Bucket

WHATEVER_IS_LOADED: Final = frozenset({"", "auto"})
_NO_RETRY: Final = (b"x-should-retry", b"false")
_OF_OTHER_SERVERS: Final = frozenset(("audio", "embed"))
"""Places where a body that names no model does not mean the loaded one."""


class KeyHolder:
    """An ``Identity``. It stays the same object while its key exists, so that limits go on."""

    by_key: Final = True

    def __init__(self, key: RingKey, clock: Clock, loaded: Callable[[], Set[str]]) -> None:
        """``loaded``: every name of the loaded model, casefolded."""
        self.share = f"key:{key.id}"
        """Its name in the fair queue."""
        self._clock = clock
        self._loaded = loaded
        self._gone = False
        self.unconditional = False
        """Whether it opens ``/v1`` whatever the time is and whatever was spent."""
        now = clock.monotonic()
        self._requests = Bucket(key.requests_per_minute, now)
        self._tokens = Bucket(key.tokens_per_minute, now)
        self._read(key)

    # Asked for with every request: attributes, and no properties that look it up in the key.
    def _read(self, key: RingKey) -> None:
        self.key = key
        self.id = key.id
        self.label = key.name
        """Name for logs and lists."""
        self.weight = key.weight
        """Share in the fair queue."""
        self.concurrency = key.concurrency
        """Requests at once; 0: no limit."""
        self._models = _casefolded(key)
        self.picky = bool(self._models)
        """Whether it matters which model is named."""
        self._limited = bool(key.requests_per_minute or key.tokens_per_minute)
        bounded = self._gone or self._limited or key.expires_at is not None
        self.unconditional = key.enabled and not bounded and self.opens("infer")

    def opens(self, scope: Scope) -> bool:
        """Say whether the key holds this scope; see ``closed_because`` for whether it counts."""
        return scope in self.key.scopes

    def closed_because(self) -> str | None:
        """Return why the key opens nothing just now, or None."""
        if self._gone:
            return "this API key was revoked"
        if not self.key.enabled:
            return "this API key is switched off"
        end = self.key.expires_at
        if end is not None and end <= self._clock.now():
            return "this API key has expired"
        return None

    def renew(self, key: RingKey) -> None:
        """It was changed."""
        self._read(key)
        now = self._clock.monotonic()
        self._requests.resize(key.requests_per_minute, now)
        self._tokens.resize(key.tokens_per_minute, now)

    def revoke(self) -> None:
        """It is no more."""
        self._gone = True
        self.unconditional = False

    def ask(self, path: bytes) -> Refusal | None:
        """Count one request; return what to answer when it is too many."""
        if not self._limited:
            return None
        now = self._clock.monotonic()
        for bucket, what in ((self._requests, "requests"), (self._tokens, "tokens")):
            wait = bucket.wait(now)
            if wait:
                return _too_many(path, what, bucket.per_minute, wait)
        self._requests.take(1.0, now)
        return None

    def spent(self, tokens: int) -> None:
        """Count what a request has cost, once that is known."""
        if not self._limited:
            return
        self._tokens.take(tokens, self._clock.monotonic())

    def may_use(self, name: str) -> bool:
        """Say whether this key's list has a model of this name; an empty list has all."""
        asked = name.casefold()
        if not self._models or asked in self._models:
            return True
        loaded = self._loaded()
        return asked in loaded and self._lists_one_of(loaded)

    def _lists_one_of(self, loaded: Set[str]) -> bool:
        """Whether the loaded model is in the list, where ``auto`` is whichever that is."""
        return not self._models.isdisjoint(loaded) or not self._models.isdisjoint(
            WHATEVER_IS_LOADED
        )

    def refuses(self, path: bytes, model: str | None) -> Refusal | None:
        """Return what to answer when this model is not for this key; None names none."""
        name = (model or "").strip()
        if name.casefold() not in WHATEVER_IS_LOADED:
            allowed = self.may_use(name)
        elif place_of(path) in _OF_OTHER_SERVERS:
            allowed = not self._models
        else:
            allowed = not self._models or self._lists_one_of(self._loaded())
        if allowed:
            return None
        message = (
            f"this API key may use only {', '.join(self.key.models)}; name one of them, or ask "
            "the owner for another key"
        )
        return refuse(path, 403, "model_not_allowed", message, param="model", headers=(_NO_RETRY,))


def _casefolded(key: RingKey) -> frozenset[str]:
    return frozenset(name.casefold() for name in key.models)


def _too_many(path: bytes, what: str, limit: int, wait: float) -> Refusal:
    seconds = math.ceil(wait)
    message = f"this API key may use {limit} {what} a minute; try again in {seconds} s"
    fields = (
        (b"retry-after", b"%d" % seconds),
        (b"x-should-retry", b"true"),
        (b"x-ratelimit-limit-%b" % what.encode(), b"%d" % limit),
        (b"x-ratelimit-remaining-%b" % what.encode(), b"0"),
        (b"x-ratelimit-reset-%b" % what.encode(), b"%ds" % seconds),
    )
    return refuse(path, 429, "rate_limit_exceeded", message, headers=fields)
