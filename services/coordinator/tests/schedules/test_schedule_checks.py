"""What is refused at registration, in one plain sentence; and nothing else breaks the check."""

from contextlib import suppress
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from spark_common.contracts.schedules import PutSchedule
from spark_common.errors import InvalidRequestError
from spark_coordinator.schedules.checking import checked
from spark_coordinator.schedules.zones import zone_problem, zones

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
DAILY = {"cron": "30 2 * * *"}


def check(**facts):
    return checked(PutSchedule(**{"id": "one", **facts}), NOW, registered_at=NOW)


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        ({}, "exactly one of cron, every_seconds and at"),
        ({**DAILY, "every_seconds": 60}, "exactly one of cron, every_seconds and at"),
        ({**DAILY, "id": "next"}, "'next' cannot be the id"),
        ({**DAILY, "timezone": "Berlin"}, "did you mean 'Europe/Berlin'?"),
        ({**DAILY, "timezone": "europe/berlin"}, "did you mean 'Europe/Berlin'?"),
        ({**DAILY, "timezone": "../../etc/passwd"}, "is no time zone of the IANA database"),
        ({**DAILY, "timezone": "localtime"}, "is no time zone of the IANA database"),
        ({"cron": "@daily"}, "five fields"),
        ({"cron": "* * * * * *"}, "five fields"),
        ({"cron": "61 * * * *"}, "bad minute"),
        ({"cron": "* * * * ; rm"}, "five fields"),
        ({"cron": "0 0 31 2 *"}, "bad day-of-month"),
        ({"cron": "0 0 L-3 * *"}, "cannot be read"),
        ({**DAILY, "kind": "swap"}, "a swap needs the model"),
        ({**DAILY, "kind": "restart"}, "needs the service to restart"),
        ({**DAILY, "kind": "restart", "service": "parakeet"}, "so far only 'vllm'"),
        ({**DAILY, "kind": "restart", "service": "vllm", "model": "qwen"}, "takes no model"),
        ({**DAILY, "kind": "sweep", "model": "qwen"}, "a sweep takes no model"),
        ({**DAILY, "kind": "snapshot"}, "needs the collection"),
        ({**DAILY, "kind": "snapshot", "collection": "d", "model": "q"}, "takes no model"),
        ({**DAILY, "kind": "sweep", "collection": "docs"}, "only a snapshot has a collection"),
        ({**DAILY, "kind": "sweep", "keep": 3}, "only a snapshot has a collection"),
        ({**DAILY, "kind": "sweep", "service": "vllm"}, "only a restart names a service"),
        ({**DAILY, "kind": "sweep", "missed_after_minutes": 5}, "is for outside jobs"),
        ({**DAILY, "missed_after_minutes": 24 * 60 + 1}, "1440 min between two runs"),
        ({"every_seconds": 600, "missed_after_minutes": 11}, "10 min between two runs"),
        ({"at": "2026-03-01T12:00:00Z"}, "at lies in the past: it is 2026-03-01 12:00 UTC now"),
        ({"at": "2026-03-01T12:30:00", "timezone": "Europe/Berlin"}, "at lies in the past"),
        ({"at": "9999-12-31T23:59:59Z"}, "outside the years"),
        ({"at": "0001-01-01T00:00:00"}, "outside the years"),
        ({**DAILY, "starts_at": "2026-04-02", "ends_at": "2026-04-01"}, "later than starts_at"),
        ({**DAILY, "ends_at": "2026-03-01T13:00:00Z"}, "no run would ever come"),
    ],
)
def test_what_makes_no_sense_is_refused_with_what_to_do(facts, said):
    with pytest.raises(InvalidRequestError) as refused:
        check(**facts)
    assert said in refused.value.message
    assert refused.value.message[0] not in "[{"


@pytest.mark.parametrize(
    "facts",
    [
        DAILY,
        {"cron": "*/5 9-17 * * mon-fri", "timezone": "America/New_York"},
        {"cron": "0 0 29 2 *"},
        {"cron": "0 4 L * *", "kind": "warm"},
        {"every_seconds": 60.5, "kind": "restart", "service": "vllm"},
        {"at": "2026-03-01T12:00:01Z", "kind": "swap", "model": "qwen"},
        {**DAILY, "missed_after_minutes": 1440},
        {**DAILY, "starts_at": "2020-01-01"},
    ],
)
def test_what_makes_sense_is_kept(facts):
    assert check(**facts).id == "one"


def test_a_time_without_an_offset_is_kept_as_a_moment():
    kept = check(at="2026-07-01T10:00", timezone="Europe/Berlin")
    assert kept.at == datetime(2026, 7, 1, 8, tzinfo=UTC)
    assert PutSchedule.model_validate_json(kept.model_dump_json()) == kept


@settings(max_examples=300, deadline=None)
@given(st.text(st.sampled_from("0123456789*/,-L#W?MONSUJAF ²x"), max_size=30))
def test_no_expression_breaks_the_check(expression):
    with suppress(InvalidRequestError):
        check(cron=f"{expression} * * * *")


@given(st.text(min_size=1, max_size=40))
def test_no_name_of_a_zone_breaks_the_check(name):
    assert (zone_problem(name) is None) == (name in zones())
