"""What those hear who waited for a model in vain, or cannot wait for it."""

import math
from collections.abc import Callable
from typing import Final, TypeAlias

from pydantic import JsonValue

from spark_gateway.dataplane.ports import Field, Refusal
from spark_gateway.dataplane.refusals import refuse
from spark_gateway.dialect import speaks_anthropic
from spark_gateway.holding.news import Ended

Words: TypeAlias = Callable[[bytes], Refusal]
"""From the path, whose dialect is spoken, to the answer."""

LONGEST_RETRY_SECONDS: Final = 60
"""Clients give up altogether when told to wait much longer."""
_SOON_SECONDS: Final = 15
_NOT_AGAIN: Final[tuple[Field, ...]] = ((b"x-should-retry", b"false"),)


def failed(path: bytes, ended: Ended) -> Refusal:
    """The swap that was waited for went wrong; trying again at once would end the same way."""
    code = "model_load_cancelled" if ended.how == "cancelled" else "model_load_failed"
    what = "was cancelled" if ended.how == "cancelled" else "went wrong"
    why = f": {ended.why.rstrip('.')}" if ended.why else ""
    if ended.serving is None:
        now = "No model is loaded now; load one from the dashboard"
    else:
        now = f"{ended.serving!r} is loaded now; name that or 'auto'"
    loading: dict[str, JsonValue] = {
        "model": ended.model,
        "state": "cancelled" if ended.how == "cancelled" else "failed",
        "swap_id": ended.id,
    }
    if ended.serving is not None:
        loading["serving"] = ended.serving
    subject = f"loading the model {ended.model!r} {what}{why}. {now}"
    return _refuse(path, code, subject, {"loading": loading}, _NOT_AGAIN)


def in_line(path: bytes, wanted: str, swap_id: str) -> Refusal:
    """A swap to it waits for its turn, and this request does not."""
    message = f"a swap to the model {wanted!r} waits for its turn; try again later"
    loading: dict[str, JsonValue] = {
        "model": wanted,
        "state": "loading",
        "phase": "queued",
        "swap_id": swap_id,
    }
    return _refuse(path, "model_loading", message, {"loading": loading}, _again(_SOON_SECONDS))


def full(path: bytes, waiting: int) -> Refusal:
    """As many requests wait as may."""
    message = f"{waiting} requests wait for a model already; try again in a moment"
    return _refuse(path, "server_busy", message, {}, _again(_SOON_SECONDS))


def overdue(path: bytes, wanted: str, seconds: float) -> Refusal:
    """It waited as long as it may, and nothing is being loaded."""
    which = "a model" if wanted == "auto" else f"the model {wanted!r}"
    message = f"the request waited {seconds:.0f} s for {which}, which is as long as it may"
    return _refuse(path, "model_not_loaded", message, {}, _again(_SOON_SECONDS))


def stays(path: bytes, wanted: str, seconds: float) -> Refusal:
    """The loaded model has to stay for longer than the request may wait."""
    message = (
        f"the model {wanted!r} is not loaded, and the one that is stays for at least another"
        f" {math.ceil(seconds)} s; name 'auto', or come back then"
    )
    return _refuse(path, "model_not_loaded", message, {}, _again(seconds))


def nobody_loads(path: bytes, wanted: str, why: str) -> Refusal:
    """Whoever could load it does not answer."""
    message = f"the model {wanted!r} is not loaded, and nobody can load it now: {why}"
    return _refuse(path, "model_not_loaded", message, {}, _again(_SOON_SECONDS))


def busy(path: bytes, wanted: str, why: str) -> Refusal:
    """It can be loaded, and not now."""
    message = f"the model {wanted!r} is not loaded, and cannot be now: {why}"
    return _refuse(path, "model_not_loaded", message, {}, _again(LONGEST_RETRY_SECONDS))


def cannot(path: bytes, wanted: str, why: str) -> Refusal:
    """It cannot be loaded until somebody does something about it."""
    message = f"the model {wanted!r} is not loaded, and cannot be: {why}"
    return _refuse(path, "model_not_loaded", message, {}, _NOT_AGAIN)


def _again(seconds: float) -> tuple[Field, ...]:
    wait = min(LONGEST_RETRY_SECONDS, max(1, math.ceil(seconds)))
    return ((b"retry-after", b"%d" % wait), (b"x-should-retry", b"true"))


def _refuse(
    path: bytes,
    code: str,
    message: str,
    extra: dict[str, JsonValue],
    headers: tuple[Field, ...],
) -> Refusal:
    if speaks_anthropic(path.decode("latin-1")):
        # This dialect's error has no place for a code of ours.
        extra = {**extra, "code": code}
    return refuse(path, 503, code, message, param="model", extra=extra, headers=headers)
