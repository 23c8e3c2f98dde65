"""``/status``: how everything is, as a page to read and to print."""

from fastapi import APIRouter, Response

from spark_gateway.api.asking import PartsOf
from spark_gateway.control_route import ControlRoute
from spark_gateway.status_page.page import status_page

router = APIRouter(tags=["status"], route_class=ControlRoute)


@router.get("/status", response_class=Response)
async def read_status(parts: PartsOf) -> Response:
    """A page without controls and without scripts that it needs; at most five seconds old.

    Where keys are asked for under `/api`, they are asked for here.
    """
    picture = await parts.board.fresh(neighbours=True)
    page = status_page(picture.view, parts.clock.now())
    fresh = {"cache-control": "no-store"}
    return Response(page, media_type="text/html; charset=utf-8", headers=fresh)
