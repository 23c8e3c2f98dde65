"""Whether a schedule makes sense: one plain sentence for what does not, before it is kept."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice, pairwise
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError

from spark_common.contracts.schedules import PutSchedule
from spark_common.errors import InvalidRequestError
from spark_coordinator.schedules import cron, keys
from spark_coordinator.schedules.times import first, in_zone, nominals, timing_of
from spark_coordinator.schedules.zones import zone_problem

VLLM = "vllm"
"""The one service whose restart can be scheduled."""
_YEARS = range(2000, 2200)
_LOOKED_AT = 60
"""Runs whose distances are compared with the dead-man window."""
_NEVER = "no run would ever come: look at the times, and at the end"


def checked(schedule: PutSchedule, now: datetime, *, registered_at: datetime) -> PutSchedule:
    """Return the schedule as it is kept, its moments with an offset.

    Raises InvalidRequestError with the first thing that is wrong.
    """
    problem = next(_problems(schedule), None)
    if problem is not None:
        raise InvalidRequestError(problem)
    kept = with_offsets(schedule)
    problem = next(_problems_of_times(kept, now, registered_at), None)
    if problem is not None:
        raise InvalidRequestError(problem)
    return kept


def _problems(schedule: PutSchedule) -> Iterator[str]:
    if schedule.id in keys.TAKEN:
        yield f"{schedule.id!r} cannot be the id of a schedule; choose another"
    given = [schedule.cron, schedule.every_seconds, schedule.at]
    if sum(one is not None for one in given) != 1:
        yield "say when with exactly one of cron, every_seconds and at"
    problem = zone_problem(schedule.timezone)
    if problem is not None:
        yield problem
    if schedule.cron is not None:
        yield from _problems_of_cron(schedule.cron)
    yield from _problems_of_kind(schedule)
    for name in ("at", "starts_at", "ends_at"):
        moment = getattr(schedule, name)
        if moment is not None and moment.year not in _YEARS:
            yield f"{name} is outside the years {_YEARS[0]} to {_YEARS[-1]}"


def _problems_of_cron(expression: str) -> Iterator[str]:
    fields = expression.split()
    if len(fields) != cron.FIELDS:
        yield (
            "a cron expression has five fields: minute, hour, day of the month, month, "
            "day of the week; for example '30 2 * * 1-5'"
        )
        return
    try:
        next(CronSim(expression, datetime(2026, 1, 1)))  # noqa: DTZ001 - hands without a zone
    except CronSimError as error:
        yield f"the cron expression {expression!r} cannot be read: {str(error).lower()}"
    except StopIteration:
        yield _NEVER
    except (ValueError, TypeError, AssertionError, OverflowError):
        yield f"the cron expression {expression!r} cannot be read"


def _problems_of_kind(schedule: PutSchedule) -> Iterator[str]:
    kind, service = schedule.kind, schedule.service
    if kind == "swap" and schedule.model is None:
        yield "a swap needs the model to swap to"
    if kind in ("restart", "sweep", "snapshot") and schedule.model is not None:
        yield f"a {kind} takes no model; leave it out"
    if kind == "snapshot" and schedule.collection is None:
        yield "a snapshot needs the collection to write to a file"
    if kind != "snapshot" and (schedule.collection is not None or schedule.keep is not None):
        yield "only a snapshot has a collection and a number to keep; leave them out"
    if kind == "restart" and service is None:
        yield f"a restart needs the service to restart: {VLLM!r}, the loaded model"
    if kind == "restart" and service is not None and service != VLLM:
        yield (
            f"{service!r} cannot be restarted by a schedule: so far only {VLLM!r}, "
            "the loaded model, can"
        )
    if kind != "restart" and service is not None:
        yield "only a restart names a service; leave it out"
    if kind != "outside" and schedule.missed_after_minutes is not None:
        yield (
            "missed_after_minutes is for outside jobs; for what is executed here "
            "misfire says how late it may begin"
        )


def _problems_of_times(
    schedule: PutSchedule, now: datetime, registered_at: datetime
) -> Iterator[str]:
    starts, ends = schedule.starts_at, schedule.ends_at
    if starts is not None and ends is not None and ends <= starts:
        yield "ends_at has to be later than starts_at"
    if schedule.at is not None and schedule.at <= now:
        yield f"at lies in the past: it is {now:%Y-%m-%d %H:%M} UTC now"
    timing = timing_of(schedule, registered_at)
    if first(timing, now) is None:
        yield _NEVER
    if schedule.missed_after_minutes is None:
        return
    times = islice(nominals(timing, now), _LOOKED_AT)
    gaps = [(later - earlier).total_seconds() / 60 for earlier, later in pairwise(times)]
    if gaps and schedule.missed_after_minutes > min(gaps):
        yield (
            f"missed_after_minutes must not be longer than the {min(gaps):g} min between two "
            "runs: a late job could not be told from the next one"
        )


def with_offsets(schedule: PutSchedule) -> PutSchedule:
    """Return the schedule with moments that need no zone to be understood.

    Raises LookupError or ValueError when its zone is none, OverflowError for an absurd moment.
    """
    zone = ZoneInfo(schedule.timezone)
    moments = {
        name: in_zone(moment, zone).astimezone(UTC)
        for name in ("at", "starts_at", "ends_at")
        if (moment := getattr(schedule, name)) is not None
    }
    return schedule.model_copy(update=moments)
