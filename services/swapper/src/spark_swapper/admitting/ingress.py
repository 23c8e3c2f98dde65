"""Swaps that automations publish on ``swap.requested``, through the same admission."""

import json

import structlog
from pydantic import JsonValue, ValidationError
from pydantic_core import ErrorDetails

from spark_common.bus.port import Bus, Delivery, Duplicate, Refused, Stored
from spark_common.clock import Clock
from spark_common.contracts.swaps import Phase, RequestSwap, SwapView
from spark_common.errors import ConflictError, InvalidRequestError, SparkError, UnavailableError
from spark_common.events import Event, SwapComplete, SwapFailed, SwapRejected, SwapRequested
from spark_common.ids import is_id
from spark_common.subjects import (
    dry_run_answer,
    swap_complete,
    swap_failed,
    swap_rejected,
    swap_start,
)
from spark_swapper.admitting.admission import Admission
from spark_swapper.causes import NOT_ACCEPTED
from spark_swapper.driving.patience import patiently
from spark_swapper.driving.taking import take

STREAM = "SC_INGRESS"
DURABLE = "swapper-ingress"
_WAIT_SECONDS = 2.0
_PATIENCE_SECONDS = 300.0
_log = structlog.get_logger()


class Ingress:
    """Takes bare JSON or an envelope; whoever is refused is told on ``swap.rejected.<id>``."""

    def __init__(self, bus: Bus, admission: Admission, clock: Clock) -> None:
        self._bus = bus
        self._admission = admission
        self._clock = clock

    async def run(self) -> None:
        """Take requests for ever."""
        broke = "swapper.ingress_broke"
        await take(
            self._bus, STREAM, DURABLE, self._handle, broke=broke, again_seconds=_WAIT_SECONDS
        )

    async def _handle(self, delivery: Delivery) -> None:
        try:
            asked = _asked(delivery)
        except ValueError as error:
            refusal = InvalidRequestError(f"not a swap request: {error}")
            await self._reject(delivery, _message_id(delivery), "unknown", "unknown", refusal)
            await delivery.drop("not a swap.requested")
            return
        swap_id = asked.id or _message_id(delivery)
        if await self._was_rejected(delivery, swap_id):
            await delivery.done()
            return
        request = RequestSwap(**{**asked.model_dump(), "id": swap_id})
        try:
            view = await self._admit(delivery, request)
        except SparkError as error:
            await self._reject(delivery, swap_id, asked.model, asked.requested_by, error)
        else:
            if view.dry_run:
                await self._tell_plan(view, _cause(delivery))
            else:
                gone = await self._ended_unaccepted(view)
                if gone is not None:
                    await self._reject(delivery, swap_id, asked.model, asked.requested_by, gone)
        await delivery.done()

    async def _ended_unaccepted(self, view: SwapView) -> SparkError | None:
        """Return why a swap was over before its command was stored: only this message is left."""
        if view.cause is None:
            return None
        if view.cause.code == NOT_ACCEPTED:
            return UnavailableError(view.cause.sentence)
        if view.phase is not Phase.CANCELLED:
            return None
        command = await patiently(
            self._clock, lambda: self._bus.last_message("SC_SWAP_CMD", swap_start(view.id))
        )
        return ConflictError(view.cause.sentence) if command is None else None

    async def _admit(self, delivery: Delivery, request: RequestSwap) -> SwapView:
        """Ask until there is an answer: nobody stands behind an automation to press again."""
        deadline = self._clock.monotonic() + _PATIENCE_SECONDS
        while True:
            try:
                return await self._admission.request(request)
            except SparkError as error:
                if not error.retryable or self._clock.monotonic() >= deadline:
                    raise
            await delivery.heartbeat()
            await self._clock.sleep(_WAIT_SECONDS)

    async def _was_rejected(self, delivery: Delivery, swap_id: str) -> bool:
        """Say whether this very message was refused before: a no stays a no when it comes again."""
        told = await patiently(
            self._clock, lambda: self._bus.last_message("SC_SWAP_ADM", swap_rejected(swap_id))
        )
        if told is None or told.envelope is None:
            return False
        return told.envelope.causationid == _cause(delivery)

    async def _reject(
        self, delivery: Delivery, swap_id: str, model: str, by: str, error: SparkError
    ) -> None:
        _log.info("swap.rejected", swap_id=swap_id, model=model, code=error.code)
        rejected = SwapRejected(
            swap_id=swap_id, model=model, requested_by=by, code=error.code, message=error.message
        )
        cause = _cause(delivery)
        await self._tell(swap_rejected(swap_id), rejected, swap_id, "rejected", cause)

    async def _tell_plan(self, view: SwapView, cause: str) -> None:
        """Answer a dry run the only way an automation can hear, marked as what it is."""
        answer = dry_run_answer(view.id)
        finished_at = view.finished_at or view.created_at
        seconds = (finished_at - view.created_at).total_seconds()
        told: SwapComplete | SwapFailed
        if view.cause is None:
            subject = swap_complete(answer)
            told = SwapComplete(
                swap_id=view.id,
                model=view.model,
                served_name=view.model_name,
                previous=view.previous,
                requested_by=view.requested_by,
                total_seconds=seconds,
                dry_run=True,
                finished_at=finished_at,
            )
        else:
            subject = swap_failed(answer)
            told = SwapFailed(
                swap_id=view.id,
                model=view.model,
                previous=view.previous,
                requested_by=view.requested_by,
                outcome="failed",
                cause=view.cause,
                failed_in=view.phase,
                serving=view.serving,
                total_seconds=seconds,
                dry_run=True,
                finished_at=finished_at,
            )
        await self._tell(subject, told, view.id, "planned", cause)

    async def _tell(self, subject: str, event: Event, swap_id: str, what: str, cause: str) -> None:
        """Store an answer, however long that takes: once its request is settled nobody repeats it.

        Raises UnavailableError when the stream refuses it.
        """
        while True:
            result = await self._bus.publish_durable(
                subject,
                event,
                id=f"{swap_id}:{what}:{cause}",
                correlation_id=swap_id,
                causation_id=cause,
            )
            if isinstance(result, Stored | Duplicate):
                return
            if isinstance(result, Refused):
                raise UnavailableError(f"the answer could not be stored: {result.reason}")
            _log.warning("swap.answer_untold", swap_id=swap_id, what=what)
            await self._clock.sleep(_WAIT_SECONDS)


def _asked(delivery: Delivery) -> SwapRequested:
    """Read the request; raises ValueError whose text names the field but repeats no value."""
    message = delivery.message
    body: JsonValue
    if message.envelope is not None:
        body = dict(message.envelope.data)
    else:
        try:
            body = json.loads(message.payload)
        except (ValueError, RecursionError) as error:
            raise ValueError("it is not JSON") from error
    try:
        return SwapRequested.model_validate(body)
    except ValidationError as error:
        wrong = error.errors(include_input=False, include_url=False)
        raise ValueError("; ".join(_fault(each) for each in wrong[:5])) from None


def _fault(wrong: ErrorDetails) -> str:
    where = ".".join(str(part) for part in wrong["loc"]) or "the whole"
    return f"{where}: {wrong['msg']}"


def _cause(delivery: Delivery) -> str:
    """Name the message as it stands in its stream, whatever id its sender gave it."""
    return f"{delivery.message.epoch}-{delivery.message.seq}"


def _message_id(delivery: Delivery) -> str:
    """Return the id of the message itself: the same one whenever it is delivered again."""
    message = delivery.message
    named = message.headers.get("Nats-Msg-Id") or (message.envelope.id if message.envelope else "")
    return named if named and is_id(named) else f"ing-{message.seq}"
