"""``/api/schedule``: register what runs when, see it on a calendar, say that a job has come."""

from datetime import datetime, timedelta
from typing import Annotated

from fastapi import APIRouter, Body, Path, Query, Request, Response
from pydantic import BeforeValidator

from spark_common.contracts.schedules import (
    CHECK_IN,
    GET_CALENDAR,
    GET_SCHEDULE,
    LIST_SCHEDULES,
    PUT_SCHEDULE,
    REMOVE_SCHEDULE,
    Calendar,
    CheckIn,
    GetCalendar,
    GetSchedule,
    ListSchedules,
    PutSchedule,
    RemoveSchedule,
    ScheduleId,
    Schedules,
    ScheduleView,
)
from spark_gateway.api.asking import PartsOf, WhoAsked, ask, change, locate
from spark_gateway.api.errors_doc import CHANGE, READ, REMOVE, problems
from spark_gateway.control_route import ControlRoute

router = APIRouter(prefix="/api/schedule", tags=["schedules"], route_class=ControlRoute)

_AHEAD = timedelta(days=7)

IdInPath = Annotated[ScheduleId, Path(description="Id of the schedule.")]
IdInQuery = Annotated[ScheduleId, Query(description="Id of the schedule.")]


def _with_plus(text: object) -> object:
    """Give an offset its sign back: in an address ``+`` means a blank."""
    return text.replace(" ", "+") if isinstance(text, str) and "T" in text else text


Moment = Annotated[datetime, BeforeValidator(_with_plus)]


@router.get("", responses=problems(*READ))
async def list_schedules(request: Request) -> Schedules:
    """All schedules by their next run, with the latest run and what is in their way."""
    return await ask(request, LIST_SCHEDULES, ListSchedules())


@router.post(
    "",
    responses={
        201: {"model": ScheduleView, "description": "registered for the first time"},
        **problems(*CHANGE),
    },
)
async def put_schedule(
    request: Request, response: Response, order: Annotated[PutSchedule, Body()]
) -> ScheduleView:
    """Register a schedule, or replace the one with this id; the same again changes nothing."""
    view = await change(request, PUT_SCHEDULE, order)
    locate(response, "api", "schedule", view.schedule.id)
    if view.revision == 1:
        response.status_code = 201
    return view


@router.delete("", responses=problems(404, *REMOVE))
async def remove_by_query(
    request: Request, id: IdInQuery, requested_by: WhoAsked = "someone"
) -> ScheduleView:
    """Forget the schedule named in the query, and return what it was."""
    question = RemoveSchedule(id=id, requested_by=requested_by)
    return await change(request, REMOVE_SCHEDULE, question)


@router.get("/calendar", responses=problems(*READ))
async def get_calendar(
    request: Request,
    parts: PartsOf,
    start: Annotated[
        Moment | None, Query(alias="from", description="Now, unless given; UTC without an offset.")
    ] = None,
    end: Annotated[
        Moment | None, Query(alias="to", description="Seven days later, unless given.")
    ] = None,
) -> Calendar:
    """Every run between two moments, at most 62 days: past, present and to come."""
    begin = start or parts.clock.now()
    return await ask(request, GET_CALENDAR, GetCalendar(start=begin, end=end or _later(begin)))


@router.get("/{id}", responses=problems(404, *READ))
async def get_schedule(request: Request, id: IdInPath) -> ScheduleView:
    """One schedule with its latest runs."""
    return await ask(request, GET_SCHEDULE, GetSchedule(id=id))


@router.delete("/{id}", responses=problems(404, *REMOVE))
async def remove_schedule(
    request: Request, id: IdInPath, requested_by: WhoAsked = "someone"
) -> ScheduleView:
    """Forget a schedule, and return what it was. A run that goes on is not stopped."""
    question = RemoveSchedule(id=id, requested_by=requested_by)
    return await change(request, REMOVE_SCHEDULE, question)


@router.post("/{id}/checkin", responses=problems(404, *CHANGE))
async def check_in(request: Request, id: IdInPath) -> ScheduleView:
    """An outside job says that it runs now, so that it is not missed."""
    return await change(request, CHECK_IN, CheckIn(id=id))


def _later(begin: datetime) -> datetime:
    try:
        return begin + _AHEAD
    except OverflowError:
        # Refused by the coordinator, with what to do.
        return begin
