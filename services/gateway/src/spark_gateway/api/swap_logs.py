"""``/api/swap/{id}/log``: what a swap wrote, long after it."""

from collections.abc import AsyncIterator
from typing import Annotated

from fastapi import APIRouter, Header, Path, Query, Request, Response
from fastapi.responses import StreamingResponse

from spark_common.contracts.swaps import READ_SWAP_LOG, GetSwapLog, SwapId, SwapLog
from spark_gateway.api.asking import ask
from spark_gateway.api.errors_doc import READ, problems
from spark_gateway.control_route import ControlRoute

router = APIRouter(prefix="/api/swap", tags=["swaps"], route_class=ControlRoute)
_PAGE = 5000


@router.get(
    "/{id}/log",
    response_model=SwapLog,
    responses={
        200: {
            "content": {"text/plain": {"schema": {"type": "string"}}},
            "description": "one page, or with `Accept: text/plain` the whole log",
        },
        **problems(404, *READ),
    },
)
async def read_log(
    request: Request,
    id: Annotated[SwapId, Path(description="Id of the swap.")],
    after: Annotated[int, Query(ge=0, description="Number of the last line you have.")] = 0,
    limit: Annotated[int, Query(ge=1, le=_PAGE)] = 2000,
    accept: Annotated[str, Header(include_in_schema=False)] = "",
) -> SwapLog | Response:
    """What the runtime and the swap wrote, for ninety days; of a long log the middle is missing.

    A page may have fewer lines than asked for; go on with `after` until it reaches `total`.
    """
    whole = _prefers_text(accept)
    question = GetSwapLog(id=id, after=after, limit=_PAGE if whole else limit)
    page = await ask(request, READ_SWAP_LOG, question)
    if not whole:
        return page
    return StreamingResponse(
        _text(request, page, after),
        media_type="text/plain; charset=utf-8",
        headers={"content-disposition": f'inline; filename="swap-{id}.log"'},
    )


def _prefers_text(accept: str) -> bool:
    kinds = [kind.split(";")[0].strip().lower() for kind in accept.split(",")]
    return "text/plain" in kinds and "application/json" not in kinds


async def _text(request: Request, page: SwapLog, after: int) -> AsyncIterator[bytes]:
    while page.lines:
        yield "".join(f"{line}\n" for line in page.lines).encode()
        after += len(page.lines)
        if after >= page.total:
            return
        question = GetSwapLog(id=page.id, after=after, limit=_PAGE)
        page = await ask(request, READ_SWAP_LOG, question)
