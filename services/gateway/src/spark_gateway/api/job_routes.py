"""What the routes of all jobs that are no swaps have in common: asking, and following one."""

from typing import Annotated

from fastapi import Depends, Header, Path, Request, Response

from spark_common.contracts.jobs import GetJob, JobId, JobView
from spark_common.contracts.rpc import ReplyT, RequestT, Rpc
from spark_common.errors import DeadlineExceededError, OutcomeUnknownError, UnavailableError
from spark_gateway.api.models import ASK_SECONDS
from spark_gateway.boundary import request_id_of
from spark_gateway.parts import Parts, parts_of
from spark_gateway.streams.entry import Thread
from spark_gateway.streams.sse import EventStream
from spark_gateway.streams.story import Story
from spark_gateway.streams.subscriber import Subscriber

PATIENCE_SECONDS = 2.0

PartsOf = Annotated[Parts, Depends(parts_of)]
IdInPath = Annotated[JobId, Path(description="Id of the job.")]
LastEventId = Annotated[str | None, Header(alias="Last-Event-ID", max_length=200)]
Key = Annotated[str | None, Header(alias="Idempotency-Key", min_length=1, max_length=1024)]


async def ask(
    request: Request,
    parts: Parts,
    rpc: Rpc[RequestT, ReplyT],
    question: RequestT,
    timeout_seconds: float = ASK_SECONDS,
) -> ReplyT:
    """Pass a question on to the service that owns the verb."""
    return await parts.bus.call(
        rpc,
        question,
        timeout_seconds=timeout_seconds,
        correlation_id=request_id_of(request.scope),
    )


async def start(
    request: Request,
    parts: Parts,
    rpc: Rpc[RequestT, ReplyT],
    question: RequestT,
    job_id: str,
    timeout_seconds: float = ASK_SECONDS,
) -> ReplyT:
    """Ask for a job; no answer in time leaves open whether it was accepted, and says so."""
    try:
        view = await ask(request, parts, rpc, question, timeout_seconds)
    except DeadlineExceededError as late:
        raise OutcomeUnknownError(
            "no answer in time: the job may or may not have been accepted; "
            f"repeat the request with Idempotency-Key: {job_id}",
            job_id=job_id,
        ) from late
    parts.board.poke()
    return view


async def follow(
    request: Request,
    parts: Parts,
    rpc: Rpc[GetJob, ReplyT],
    thread: Thread,
    last_event_id: str | None,
) -> Response:
    """Stream the events of a job from its beginning, or from ``last_event_id`` on, to its end.

    204 when the client has the outcome already, or when the events of a job that is over are
    not kept any more. Raises NotFoundError for a job nobody knows.
    """
    outcome = await parts.jobs.outcome(thread)
    if not await parts.jobs.wait_caught_up(PATIENCE_SECONDS):
        raise UnavailableError("the event streams are not there yet; try again in a moment")
    if outcome is not None and last_event_id == outcome.event_id:
        return Response(status_code=204)
    if outcome is None and not await parts.jobs.has_progress(thread):
        view = await ask(request, parts, rpc, GetJob(id=thread.id))
        if isinstance(view, JobView) and view.over:
            return Response(status_code=204)
    client = Subscriber()
    story = Story(parts.bus, parts.jobs, parts.clock, thread, client)
    return EventStream(story.frames(last_event_id), client.dropped)
