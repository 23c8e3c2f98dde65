"""What happens between a question on the bus and its answer, the same on every transport."""

import asyncio
from dataclasses import dataclass

import structlog
from pydantic import BaseModel, ValidationError

from spark_common.bus import wire
from spark_common.bus.port import Serving
from spark_common.contracts.rpc import ReplyT, RequestT, Rpc
from spark_common.errors import InvalidRequestError, SparkError, UnavailableError

MAX_REPLY_BYTES = 1024 * 1024
"""What the server lets through in one message."""

_WAITING_PER_PLACE = 8

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Answer:
    """A reply in bytes, and the error in it if it is one."""

    payload: bytes
    error: SparkError | None = None


class Desk:
    """Answers the questions of one verb, at most ``limit`` at a time, and never leaks a fault."""

    def __init__(self, serving: Serving) -> None:
        self._serving = serving
        self._places = asyncio.Semaphore(serving.limit)
        self._present = 0

    async def answer(self, payload: bytes, correlation_id: str | None) -> Answer:
        """Answer one question; never raises for what a handler does."""
        limit = self._serving.limit
        if self._present >= limit * (1 + _WAITING_PER_PLACE):
            return _refuse(UnavailableError("too many questions at once; ask again in a moment"))
        self._present += 1
        try:
            async with self._places:
                return await self._handle(payload, correlation_id)
        finally:
            self._present -= 1

    async def _handle(self, payload: bytes, correlation_id: str | None) -> Answer:
        rpc = self._serving.rpc
        try:
            request = rpc.request.model_validate_json(payload or b"{}")
        except ValidationError as error:
            return _refuse(InvalidRequestError(_first_fault(error), verb=rpc.subject))
        with structlog.contextvars.bound_contextvars(correlation_id=correlation_id):
            try:
                reply = wire.write(await self._serving.handler(request))
            except SparkError as error:
                return _refuse(error)
            except Exception:
                log.exception("rpc.failed", verb=rpc.subject)
                return _refuse(_internal(rpc))
        if len(reply) > MAX_REPLY_BYTES:
            log.error("rpc.reply_too_large", verb=rpc.subject, size_bytes=len(reply))
            return _refuse(_internal(rpc))
        return Answer(reply)


def read_reply(rpc: Rpc[RequestT, ReplyT], payload: bytes) -> ReplyT:
    """Read an answer that is no error; raises SparkError when it has another shape."""
    try:
        return rpc.reply.model_validate_json(payload)
    except ValidationError as error:
        raise SparkError(
            f"{rpc.service!r} answered {rpc.subject} in a shape we do not know; "
            "are both of the same version?"
        ) from error


def as_request(rpc: Rpc[RequestT, ReplyT], request: BaseModel) -> bytes:
    """Write a question; a question of another verb is a mistake of the caller's code.

    Raises InvalidRequestError for text that is no Unicode, as JSON can smuggle it in.
    """
    if not isinstance(request, rpc.request):
        raise TypeError(f"{rpc.subject} takes {rpc.request.__name__}")
    try:
        return wire.write(request)
    except UnicodeEncodeError as error:
        raise InvalidRequestError(
            "the request has text that is no Unicode: one half of a letter alone"
        ) from error


def _refuse(error: SparkError) -> Answer:
    return Answer(wire.write_error(error.body()), error)


def _internal(rpc: Rpc[RequestT, ReplyT]) -> SparkError:
    return SparkError(f"{rpc.service!r} could not answer; its log says why")


def _first_fault(error: ValidationError) -> str:
    fault = error.errors(include_url=False, include_context=False, include_input=False)[0]
    place = ".".join(str(part) for part in fault["loc"])
    return f"{place}: {fault['msg']}" if place else fault["msg"]
