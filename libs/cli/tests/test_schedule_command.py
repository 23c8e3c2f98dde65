"""``sparkctl schedule``: what is asked, and what a person reads."""

import json

import pytest

from spark_cli.gateway_client import REFUSED

PATH = "/api/schedule"
CONFLICT = {"sentence": "'agent' holds the cluster until 2 Mar 04:00 UTC: the run would wait."}
VIEW = {
    "schedule": {"id": "nightly", "kind": "swap", "owner": "Alice", "enabled": True},
    "next_at": "2026-03-02T02:30:00Z",
    "last": {"state": "done"},
    "runs": [
        {"nominal": "2026-03-01T02:30:00Z", "state": "done", "message": "QWEN is serving."},
        {"nominal": "2026-02-28T02:30:00Z", "state": "missed", "message": ""},
    ],
    "conflicts": [CONFLICT],
}


@pytest.fixture(autouse=True)
def _utc(monkeypatch):
    monkeypatch.setenv("TZ", "UTC")


def test_the_list_says_next_last_and_what_is_in_the_way(gateway, run):
    off = {**VIEW, "schedule": {**VIEW["schedule"], "id": "old", "enabled": False}}
    off |= {"next_at": None, "last": None, "conflicts": []}
    gateway.says("GET", PATH, {"schedules": [VIEW, off]})
    lines = run("schedule").output.splitlines()
    assert lines[0].split() == ["ID", "KIND", "NEXT", "LAST", "OWNER"]
    assert lines[1].split() == ["nightly", "swap", "Mon", "2", "Mar", "02:30", "done", "Alice"]
    assert lines[2].split() == ["old", "swap", "off", "-", "Alice"]
    assert lines[3] == f"nightly: {CONFLICT['sentence']}"
    assert json.loads(run("schedule", "list", "--json").output)["schedules"]
    gateway.says("GET", PATH, {"schedules": []})
    assert run("schedule").output == "nothing is scheduled\n"


def test_one_schedule_is_shown_with_its_runs(gateway, run):
    gateway.says("GET", f"{PATH}/nightly", VIEW)
    lines = run("schedule", "show", "nightly").output.splitlines()
    assert lines[0] == "nightly (swap): next Mon 2 Mar 02:30"
    assert lines[2] == "  Sun 1 Mar 02:30  done  QWEN is serving."
    assert lines[3] == "  Sat 28 Feb 02:30  missed"


@pytest.mark.parametrize(
    ("words", "body"),
    [
        (
            ("--kind", "swap", "--model", "qwen", "--cron", "30 2 * * *", "--make-up", "45m"),
            {
                "kind": "swap",
                "model": "qwen",
                "cron": "30 2 * * *",
                "misfire": {"policy": "run_once", "within_minutes": 45},
            },
        ),
        (
            ("--every", "12h", "--missed-after", "30m", "--takes", "10m", "--off"),
            {
                "every_seconds": 43200,
                "missed_after_minutes": 30,
                "duration_minutes": 10,
                "enabled": False,
            },
        ),
        (
            ("--at", "2026-03-02T02:30:00", "--timezone", "Europe/Berlin", "--name", "Backup"),
            {"at": "2026-03-02T02:30:00", "timezone": "Europe/Berlin", "name": "Backup"},
        ),
    ],
)
def test_what_is_said_is_registered_and_nothing_else(gateway, run, words, body):
    gateway.says("POST", PATH, VIEW, 201)
    done = run("schedule", "add", "nightly", "--owner", "Alice", *words)
    assert done.exit_code == 0, done.output
    usual = {"id": "nightly", "kind": "outside", "timezone": "UTC", "owner": "Alice"}
    usual |= {"note": "", "enabled": True}
    assert gateway.body() == {**usual, **body}


def test_a_refusal_is_told_and_ends_with_one(gateway, run):
    gateway.says("POST", PATH, {"detail": "a swap needs the model to swap to", "code": "x"}, 422)
    done = run("schedule", "add", "x", "--kind", "swap", "--every", "1h")
    assert done.exit_code == REFUSED
    assert "a swap needs the model" in done.output
    assert run("schedule", "add", "x", "--kind", "command").exit_code == 2


def test_it_is_removed_and_checked_in(gateway, run):
    gateway.says("DELETE", f"{PATH}/nightly", VIEW)
    gateway.says("POST", f"{PATH}/nightly/checkin", VIEW)
    assert run("schedule", "rm", "nightly").output == "nightly is forgotten\n"
    assert "requested_by=" in str(gateway.asked[-1].url)
    assert run("schedule", "check-in", "nightly").output == "nightly has come\n"


def test_the_calendar_is_printed_in_order(gateway, run):
    entry = {
        "schedule_id": "nightly",
        "kind": "swap",
        "state": "planned",
        "at": "2026-03-02T02:30:00Z",
        "until": "2026-03-02T02:40:00Z",
        "conflicts": [CONFLICT],
    }
    answer = {
        "entries": [entry],
        "lease_holder": "agent",
        "lease_until": "2026-03-02T04:00:00Z",
        "cut": True,
    }
    gateway.says("GET", f"{PATH}/calendar", answer)
    lines = run("schedule", "calendar", "--days", "3", "--back", "1").output.splitlines()
    assert lines[0] == "agent holds the cluster until Mon 2 Mar 04:00"
    assert lines[1].startswith("Mon 2 Mar 02:30  planned  nightly  swap  10 min 0 s  'agent'")
    assert lines[2] == "there is more; ask for fewer days"
    assert set(gateway.asked[-1].url.params) == {"from", "to"}
    assert run("schedule", "calendar", "--days", "60", "--back", "9").exit_code == REFUSED
