"""``sparkctl accountability`` shows a row per holder and what may be missing."""

import json

ANSWER = {
    "since": "2026-01-01",
    "until": "2026-01-07",
    "holders": [
        {
            "holder": "nightly batch",
            "leases": 3,
            "held_minutes": 220.0,
            "idle_minutes": 55.0,
            "swaps": 2,
            "imposed_minutes": 0.5,
            "days": [],
        },
        {
            "holder": "Bob",
            "leases": 0,
            "held_minutes": 0,
            "idle_minutes": 0,
            "swaps": 1,
            "imposed_minutes": 4,
            "days": [],
        },
    ],
    "free_minutes": 90.0,
    "problems": [],
}


def test_a_row_per_holder(gateway, run):
    gateway.says("GET", "/api/accountability", ANSWER)
    done = run("accountability", "--days", "3")
    assert done.exit_code == 0
    assert gateway.asked[0].url.params["days"] == "3"
    assert done.output.splitlines() == [
        "2026-01-01 to 2026-01-07 (UTC)",
        "HOLDER         LEASES  HELD        IDLE               SWAPS  IMPOSED ON OTHERS",
        "nightly batch  3       3 h 40 min  55 min 0 s (25 %)  2      30 s",
        "Bob            0       0 s         0 s                1      4 min 0 s",
        "free: 1 h 30 min",
    ]


def test_nobody_and_a_warning(gateway, run):
    empty = {**ANSWER, "holders": [], "problems": ["The file was damaged."]}
    gateway.says("GET", "/api/accountability", empty)
    done = run("accountability")
    assert done.output.splitlines() == [
        "warning: The file was damaged.",
        "2026-01-01 to 2026-01-07 (UTC): nobody held or swapped anything",
    ]
    assert json.loads(run("accountability", "--json").output) == empty


def test_days_are_bounded(run):
    assert run("accountability", "--days", "401").exit_code == 2
