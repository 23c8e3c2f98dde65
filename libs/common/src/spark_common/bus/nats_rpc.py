"""Questions and answers through the NATS services protocol."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Sequence

import nats.errors
import structlog
from nats import micro
from nats.micro.request import Request as Question
from nats.micro.service import Service

from spark_common.bus import wire
from spark_common.bus.answering import Desk, as_request, read_reply
from spark_common.bus.nats_inflow import Inflow
from spark_common.bus.nats_link import NatsLink
from spark_common.bus.port import Serving
from spark_common.contracts.rpc import ReplyT, RequestT, Rpc
from spark_common.errors import (
    DeadlineExceededError,
    InvalidRequestError,
    ServiceUnavailableError,
)

_LAST_ANSWERS_SECONDS = 5.0
_NAME = re.compile(r"[^A-Za-z0-9_-]")

log = structlog.get_logger(__name__)


class NatsRpc:
    """Asks other services and answers for our own."""

    def __init__(self, link: NatsLink) -> None:
        self._link = link
        self._services: list[Service] = []
        self._answers: set[asyncio.Task[None]] = set()

    async def serve(
        self, service: str, version: str, description: str, verbs: Sequence[Serving]
    ) -> None:
        """Answer as one of a queue group; returns when the server knows."""
        registered = await self._link.guarded(
            micro.add_service(
                self._link.client,
                name=service,
                version=version,
                description=description,
                queue_group=service,
            )
        )
        for serving in verbs:
            subject = serving.rpc.subject
            await self._link.guarded(
                registered.add_endpoint(
                    name=_NAME.sub("-", subject.removeprefix(f"rpc.{service}.")),
                    subject=subject,
                    handler=self._spawn(Desk(serving)),
                )
            )
        self._services.append(registered)
        await self._link.flush()

    def _spawn(self, desk: Desk) -> Callable[[Question], Awaitable[None]]:
        # An endpoint of nats.micro answers one after the other; a task each lets the desk decide.
        async def spawn(question: Question) -> None:
            task = asyncio.create_task(self._answer(desk, question))
            self._answers.add(task)
            task.add_done_callback(self._answers.discard)

        return spawn

    async def _answer(self, desk: Desk, question: Question) -> None:
        correlation_id = (question.headers or {}).get(wire.CORRELATION_ID)
        answer = await desk.answer(question.data, correlation_id)
        try:
            if answer.error is None:
                await question.respond(answer.payload)
            else:
                await question.respond_error(
                    answer.error.code, answer.error.code, data=answer.payload
                )
        except (nats.errors.Error, ValueError):
            log.info("rpc.answer_unheard", verb=question.subject)

    async def call(
        self,
        rpc: Rpc[RequestT, ReplyT],
        request: RequestT,
        timeout_seconds: float,
        correlation_id: str | None,
    ) -> ReplyT:
        """Ask one question."""
        headers = {wire.CORRELATION_ID: correlation_id} if correlation_id else None
        try:
            reply = await self._link.request(
                rpc.subject, as_request(rpc, request), timeout_seconds, headers
            )
        except nats.errors.NoRespondersError as error:
            raise ServiceUnavailableError(
                f"{rpc.service!r} does not answer on the bus; is it running?", service=rpc.service
            ) from error
        except nats.errors.MaxPayloadError as error:
            raise InvalidRequestError("the request is larger than the bus takes") from error
        except DeadlineExceededError as error:
            raise DeadlineExceededError(
                f"{rpc.service!r} did not answer within {timeout_seconds:g} s", service=rpc.service
            ) from error
        if wire.ERROR_CODE in (reply.headers or {}):
            raise wire.read_error(reply.data)
        return read_reply(rpc, reply.data)

    async def discover(self, timeout_seconds: float) -> list[str]:
        """Return the names of the services that answer a ping in time."""
        inflow = Inflow(self._link, 0)
        inbox = self._link.client.new_inbox()
        names: set[str] = set()
        try:
            await inflow.open(inbox)
            await self._link.guarded(self._link.client.publish("$SRV.PING", b"", inbox))
            deadline = self._link.clock.monotonic() + timeout_seconds
            while (left := deadline - self._link.clock.monotonic()) > 0:
                message = await inflow.next(left)
                if message is None or not message.data:
                    break
                names.add(str(json.loads(message.data)["name"]))
        finally:
            await inflow.close()
        return sorted(names)

    async def finish(self) -> None:
        """Give running answers a last moment; called while the connection still stands."""
        for registered in self._services:
            try:
                await registered.stop()
            except nats.errors.Error:
                log.debug("rpc.stop_unheard")
        self._services.clear()
        if self._answers:
            await asyncio.wait(self._answers, timeout=_LAST_ANSWERS_SECONDS)
        for task in self._answers:
            task.cancel()
