"""``/api/requests/capture``: bodies of requests, only while the owner wants them."""

import base64
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from spark_common.contracts.captures import (
    BEGIN_CAPTURE,
    END_CAPTURE,
    GET_CAPTURE,
    MOST_KILOBYTES,
    MOST_MINUTES,
    READ_CAPTURE,
    BeginCapture,
    CaptureView,
    EndCapture,
    GetCapture,
    ReadCapture,
)
from spark_common.contracts.swaps import Text
from spark_gateway.api.asking import ask, change
from spark_gateway.api.errors_doc import CHANGE, READ, REMOVE, problems
from spark_gateway.control_route import ControlRoute

router = APIRouter(prefix="/api/requests", tags=["requests"], route_class=ControlRoute)


class CaptureOrder(BaseModel):
    """The body of `POST /api/requests/capture`."""

    model_config = ConfigDict(extra="forbid")

    minutes: int = Field(default=10, ge=1, le=MOST_MINUTES)
    """Then it stops, and everything that was captured is deleted."""
    kilobytes: int = Field(default=64, ge=1, le=MOST_KILOBYTES)
    """Kept of each body; what is longer is cut."""
    requested_by: Text = "someone"


class CapturedBody(BaseModel):
    """One body, as text where it is some, else as base64."""

    bytes: int
    """How long it was."""
    cut: bool
    text: str | None = None
    base64: str | None = None


class CapturedRequest(BaseModel):
    """What was asked and answered under one id."""

    id: str
    at: datetime
    path: str
    until: datetime
    """Then it is deleted."""
    asked: CapturedBody
    answered: CapturedBody
    """As it passed: head, chunk sizes and all."""


@router.get("/capture", responses=problems(503, 504))
async def get_capture(request: Request) -> CaptureView:
    """Whether bodies are captured now."""
    return await ask(request, GET_CAPTURE, GetCapture())


@router.post("/capture", responses=problems(*(set(CHANGE) - {423})))
async def begin_capture(request: Request, order: CaptureOrder) -> CaptureView:
    """Capture the bodies of all requests under `/v1` for some minutes; the dashboard shows it."""
    return await change(request, BEGIN_CAPTURE, BeginCapture(**order.model_dump()))


@router.delete("/capture", responses=problems(*REMOVE))
async def end_capture(request: Request) -> CaptureView:
    """Stop, and delete everything that was captured."""
    return await change(request, END_CAPTURE, EndCapture())


@router.get("/{id}/capture", responses=problems(404, *READ))
async def read_capture(
    request: Request,
    response: Response,
    id: Annotated[str, Path(min_length=1, max_length=200, description="`id` of the request.")],
) -> CapturedRequest:
    """The bodies of one request, while they are kept."""
    found = await ask(request, READ_CAPTURE, ReadCapture(id=id))
    response.headers["cache-control"] = "no-store"
    return CapturedRequest(
        id=found.id,
        at=found.at,
        path=found.path,
        until=found.until,
        asked=_shown(found.asked, found.asked_bytes),
        answered=_shown(found.answered, found.answered_bytes),
    )


def _shown(content: bytes, size: int) -> CapturedBody:
    cut = len(content) < size
    try:
        return CapturedBody(bytes=size, cut=cut, text=content.decode())
    except UnicodeDecodeError:
        # A text that was cut within a letter is text all the same.
        if cut:
            text = content.decode("utf-8", "ignore")
            if len(text.encode()) > len(content) - 4:
                return CapturedBody(bytes=size, cut=cut, text=text)
        return CapturedBody(bytes=size, cut=cut, base64=base64.b64encode(content).decode())
