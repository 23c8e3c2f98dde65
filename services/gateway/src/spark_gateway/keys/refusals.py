"""What those hear at the door who show no key, a wrong one, or one for something else."""

import math
from dataclasses import dataclass
from typing import Final

from spark_common.contracts.api_keys import Scope
from spark_common.key_text import is_key
from spark_gateway.keys.book import KeyBook
from spark_gateway.keys.holder import KeyHolder


@dataclass(frozen=True, slots=True)
class Rejection:
    """Why somebody is not let in, before a dialect is chosen."""

    status: int
    code: str
    message: str
    headers: tuple[tuple[str, str], ...] = ()


OPEN_READS: Final = frozenset(("/v1/audio/voices", "/v1/audio/models"))
"""Clients in the field ask these without a key."""
_NO_RETRY: Final = ("x-should-retry", "false")
_ASK: Final = ("www-authenticate", 'Bearer realm="spark-control"')
_SCOPES: Final = {
    "infer": "this API key does not open /v1: it lacks the scope infer",
    "admin": "this API key does not open the dashboard and /api: it lacks the scope admin",
}

NOTHING_SHOWN: Final = Rejection(
    401,
    "missing_api_key",
    "an API key is needed here: send it as Authorization: Bearer sk-spark-...",
    (_ASK, _NO_RETRY),
)
IN_ADDRESS: Final = Rejection(
    400,
    "api_key_in_address",
    "an API key belongs into a header field and never into an address, which is logged on its "
    "way; this one should be replaced",
    (_NO_RETRY,),
)
NOT_KNOWN_YET: Final = Rejection(
    503,
    "api_keys_unknown",
    "API keys are asked for and this gateway has not learned them yet; try again in a moment",
    (("retry-after", "2"), ("x-should-retry", "true")),
)


def too_many_guesses(seconds: float) -> Rejection:
    """Whoever shows wrong keys at the door of the dashboard has to wait."""
    after = math.ceil(seconds)
    return Rejection(
        429,
        "rate_limit_exceeded",
        f"too many wrong keys came from this address; try again in {after} s",
        (("retry-after", str(after)), ("x-should-retry", "true")),
    )


def checked(
    book: KeyBook, shown: str | None, scope: Scope, digest: str | None = None
) -> KeyHolder | Rejection:
    """Return whose key is shown, if it opens what is asked for; ``digest``: its hash, if known."""
    if book.version is None:
        return NOT_KNOWN_YET
    if shown is None:
        return NOTHING_SHOWN
    holder = book.find(shown) if digest is None else book.find_digest(digest)
    if holder is None:
        message = "this is no API key of this cluster"
        return _wrong(message if is_key(shown) else f"{message}; it may be mistyped")
    return valid(holder, scope)


def valid(holder: KeyHolder, scope: Scope) -> KeyHolder | Rejection:
    """Return the holder when its key counts and opens what is asked for."""
    closed = holder.closed_because()
    if closed is not None:
        return _wrong(closed)
    if not holder.opens(scope):
        return Rejection(403, "insufficient_scope", _SCOPES[scope], (_NO_RETRY,))
    return holder


def _wrong(message: str) -> Rejection:
    return Rejection(401, "invalid_api_key", message, (_ASK, _NO_RETRY))
