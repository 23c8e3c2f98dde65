"""How routes pass questions on to the services, and what callers may say with any of them."""

from typing import Annotated
from urllib.parse import quote

from fastapi import Depends, Header, Query, Request, Response
from pydantic import SecretStr

from spark_common.contracts.rpc import ReplyT, RequestT, Rpc
from spark_common.contracts.swaps import Text
from spark_common.errors import DeadlineExceededError, OutcomeUnknownError
from spark_gateway.boundary import request_id_of
from spark_gateway.parts import Parts, parts_of

ASK_SECONDS = 4.0
"""For what a service answers from memory or from its record."""

PartsOf = Annotated[Parts, Depends(parts_of)]
WhoAsked = Annotated[Text, Query(description="A label for people: who asked.")]
IdempotencyKey = Annotated[
    str | None, Header(alias="Idempotency-Key", min_length=1, max_length=1024)
]
LockToken = Annotated[
    SecretStr | None, Header(alias="X-Swap-Lock-Token", min_length=1, max_length=512)
]


async def ask(
    request: Request,
    rpc: Rpc[RequestT, ReplyT],
    question: RequestT,
    timeout_seconds: float = ASK_SECONDS,
) -> ReplyT:
    """Pass a question on to the service that owns the verb, under the id of the request."""
    return await parts_of(request).bus.call(
        rpc,
        question,
        timeout_seconds=timeout_seconds,
        correlation_id=request_id_of(request.scope),
    )


async def change(
    request: Request,
    rpc: Rpc[RequestT, ReplyT],
    question: RequestT,
    timeout_seconds: float = ASK_SECONDS,
) -> ReplyT:
    """Ask for something after which the dashboard's picture is another one."""
    reply = await ask(request, rpc, question, timeout_seconds)
    parts_of(request).board.poke()
    return reply


async def begin(
    request: Request,
    rpc: Rpc[RequestT, ReplyT],
    question: RequestT,
    what: str,
    id: str,
    timeout_seconds: float = ASK_SECONDS,
) -> ReplyT:
    """Ask for long work: ``what`` is ``swap`` or ``job``, ``id`` makes a repeat the same one.

    Raises OutcomeUnknownError where no answer in time leaves open whether it was accepted.
    """
    try:
        return await change(request, rpc, question, timeout_seconds)
    except DeadlineExceededError as late:
        raise OutcomeUnknownError(
            f"no answer in time: the {what} may or may not have been accepted; "
            f"repeat the request with Idempotency-Key: {id}",
            **{f"{what}_id": id},
        ) from late


def locate(response: Response, *words: str) -> None:
    """Say where the thing is that was made: the words of its address, whatever is in them."""
    response.headers["Location"] = "/" + "/".join(quote(word, safe="") for word in words)
