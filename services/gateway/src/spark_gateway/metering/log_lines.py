"""Writes the lines of the request log: what a batch has in common is put into words once. Pure."""

from datetime import datetime, timedelta

from spark_gateway.metering.callers import asker_of, often, plain
from spark_gateway.metering.request import MeteredRequest

Line = dict[str, object]


class LogLines:
    """Writes a ``LoggedRequest`` of each request of one batch, not validated yet.

    The requests have to live for as long as this: their heads are known by identity.
    """

    def __init__(self, start: datetime) -> None:
        """``start``: when the monotonic clock stood at zero."""
        self._start = start
        self._common: dict[tuple[object, ...], Line] = {}

    def line(self, request: MeteredRequest, mark: str) -> Line:
        """Write the line of one request; ``mark`` is its own."""
        alike = (
            # Those of one client differ in the length of their bodies, and share the fields.
            id(request.head.fields),
            request.peer,
            request.key,
            request.model,
            request.upstream,
            request.status,
            request.how,
        )
        common = self._common.get(alike)
        if common is None:
            common = self._common[alike] = _common(request)
        return {
            **common,
            "mark": mark,
            "id": plain(request.request_id),
            "at": self._start + timedelta(seconds=request.began_at),
            "first_byte_ms": _ms(request.first_byte),
            "first_token_ms": _ms(request.first_token),
            "total_ms": round(request.total * 1000, 3),
            "queue_ms": round(request.queued * 1000, 3),
            "prompt_tokens": request.prompt,
            "completion_tokens": request.completion,
            "cached_tokens": request.cached,
            "tokens_estimated": request.estimated,
            "bytes_in": request.bytes_in,
            "bytes_out": request.bytes_out,
        }


def _common(request: MeteredRequest) -> Line:
    head = request.head
    asker = asker_of(head.fields)
    return {
        "method": often(head.method, 16),
        "path": often(head.path),
        "model": _shortened(request.model),
        "upstream": _shortened(request.upstream, 64),
        "status": request.status or None,
        "end": request.how,
        "key": _shortened(request.key),
        "user": asker.user,
        "address": _shortened(request.peer or "", 64),
        "client": asker.client,
        "retry": head.client_retries,
    }


def _shortened(text: str, longest: int = 120) -> str:
    return plain(text.encode("utf-8", "replace"), longest)


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 3)
