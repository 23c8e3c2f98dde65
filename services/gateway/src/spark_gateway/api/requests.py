"""``/api/requests``: who asked what of which model, how long it took and how it ended."""

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import StreamingResponse

from spark_common.contracts.requests import (
    LIST_REQUESTS,
    LONGEST_PAGE,
    ListRequests,
    Requests,
)
from spark_gateway.api.asking import ask
from spark_gateway.api.errors_doc import READ, problems
from spark_gateway.control_route import ControlRoute
from spark_gateway.request_export import csv_heading, csv_lines, json_lines

router = APIRouter(prefix="/api/requests", tags=["requests"], route_class=ControlRoute)
_SEARCH_SECONDS = 20.0
"""A search that finds little looks at every line there is."""

_Word = Annotated[str | None, Query(max_length=200)]
_Status = Annotated[
    str | None,
    Query(pattern=r"^([1-5]\d\d|[1-5]xx|none)$", description="`404`, `5xx`, or `none`."),
]


def wanted(
    since: Annotated[
        datetime | None, Query(alias="from", description="RFC 3339; without a zone, UTC.")
    ] = None,
    until: Annotated[datetime | None, Query(alias="to", description="Not included.")] = None,
    model: _Word = None,
    status: _Status = None,
    caller: Annotated[
        str | None, Query(max_length=200, description="Key, user or address, exactly.")
    ] = None,
    q: Annotated[
        str | None,
        Query(max_length=200, description="Part of id, path, model, caller, client or end."),
    ] = None,
    before: Annotated[int | None, Query(ge=1, description="`older_before` of a page.")] = None,
) -> ListRequests:
    """Return what is asked for, as a question for the first page of the usual length."""
    return ListRequests(
        since=since, until=until, model=model, status=status, caller=caller, q=q, before=before
    )


Wanted = Annotated[ListRequests, Depends(wanted)]


@router.get("", responses=problems(*READ))
async def list_requests(
    request: Request,
    question: Wanted,
    limit: Annotated[int, Query(ge=1, le=LONGEST_PAGE)] = 100,
) -> Requests:
    """Requests under `/v1` that are over, the newest first. Never what was said."""
    question = question.model_copy(update={"limit": limit})
    return await ask(request, LIST_REQUESTS, question, _SEARCH_SECONDS)


@router.get(
    "/export",
    response_class=StreamingResponse,
    responses={
        200: {
            "content": {"text/csv": {}, "application/json": {}},
            "description": "every line that fits, the newest first",
        },
        **problems(*READ),
    },
)
async def export_requests(
    request: Request,
    question: Wanted,
    format: Annotated[Literal["csv", "json"], Query()] = "csv",
) -> StreamingResponse:
    """The same as a file, however long it is."""
    question = question.model_copy(update={"limit": LONGEST_PAGE})
    first = await ask(request, LIST_REQUESTS, question, _SEARCH_SECONDS)
    pages = _pages(request, question, first)
    return StreamingResponse(
        _csv(pages) if format == "csv" else _json(pages),
        media_type="text/csv; charset=utf-8" if format == "csv" else "application/json",
        headers={
            "content-disposition": f'attachment; filename="requests.{format}"',
            "cache-control": "no-store",
        },
    )


async def _pages(
    request: Request, question: ListRequests, page: Requests
) -> AsyncIterator[Requests]:
    yield page
    while page.older_before is not None:
        question = question.model_copy(update={"before": page.older_before})
        page = await ask(request, LIST_REQUESTS, question, _SEARCH_SECONDS)
        yield page


async def _csv(pages: AsyncIterator[Requests]) -> AsyncIterator[bytes]:
    yield csv_heading()
    async for page in pages:
        yield csv_lines(page.requests)


async def _json(pages: AsyncIterator[Requests]) -> AsyncIterator[bytes]:
    yield b"["
    first = True
    async for page in pages:
        yield json_lines(page.requests, first=first)
        first = first and not page.requests
    yield b"]\n"
