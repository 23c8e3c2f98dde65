"""``sparkctl status``, ``connectivity``, ``endpoints`` and ``maintenance``."""

WINDOW = {
    "id": "w1",
    "target": "spark2",
    "starts_at": "2026-11-02T08:00:00Z",
    "ends_at": "2026-11-02T08:30:00Z",
    "active": True,
    "requested_by": "Alice",
    "reason": "new disk",
}
UPTIME = {"day": 99.5, "week": None, "month": 99.9}
STATUS = {
    "runtime": None,
    "hosts": [{"name": "spark1", "state": "online"}],
    "swap": None,
    "bus": {"connected": True},
    "watched": True,
    "targets": [
        {"name": "spark1", "kind": "host", "state": "down"},
        {
            "name": "qdrant",
            "kind": "service",
            "state": "down",
            "flapping": True,
            "maintenance": True,
            "uptime": UPTIME,
            "reason": "nothing listens on its port",
        },
    ],
    "components": [],
}
LOG = {
    "uptime": [{"target": "qdrant", "state": "down", "uptime": UPTIME}],
    "transitions": [
        {
            "target": "qdrant",
            "since": "2026-11-02T08:15:00Z",
            "before": "up",
            "after": "down",
            "seconds": 80.0,
            "until": None,
            "reason": "nothing listens on its port",
        }
    ],
    "reported": [{"service": "kokoro", "ok": 3, "failed": 1, "last_error": "HTTP 500"}],
    "complete": False,
    "more": True,
}


def test_status_shows_what_is_watched_and_says_when_nobody_watches(gateway, run):
    gateway.says("GET", "/api/status", STATUS)
    said = run("status").output
    assert "spark1  down" in said
    assert "qdrant   down, flapping, maintenance  99.9 %" in said
    gateway.says("GET", "/api/status", {**STATUS, "watched": False, "targets": []})
    assert "health does not answer" in run("status").output


def test_the_log_has_durations_uptime_and_reports(gateway, run):
    gateway.says("GET", "/api/connectivity", LOG)
    said = run("connectivity", "qdrant", "--hours", "1.5").output
    assert dict(gateway.asked[-1].url.params) == {
        "hours": "1.5", "limit": "50", "target": "qdrant",
    }  # fmt: skip
    assert "1 min 20 s so far" in said
    assert "99.5 %  -" in said
    assert "HTTP 500" in said
    assert "still being read" in said
    empty = {"uptime": [], "transitions": [], "reported": []}
    gateway.says("GET", "/api/connectivity", empty)
    assert run("connectivity").output == "nothing changed\n"


def test_endpoints_say_what_is_hidden(gateway, run):
    rows = [
        {"name": "vllm", "url": "http://a", "openai_base_url": "http://a/v1", "disabled": False,
         "state": "idle"},
        {"name": "magpie", "url": "http://b", "disabled": True, "state": None},
    ]  # fmt: skip
    gateway.says("GET", "/api/endpoints", {"endpoints": rows})
    said = run("endpoints").output
    assert "vllm     http://a/v1  idle" in said
    assert "magpie   http://b     hidden" in said


def test_maintenance_is_announced_listed_and_ended(gateway, run):
    gateway.says("POST", "/api/maintenance", WINDOW, 201)
    gateway.says("GET", "/api/maintenance", {"windows": [WINDOW]})
    gateway.says("DELETE", "/api/maintenance/w1", {"windows": []})
    assert "w1" in run("maintenance", "begin", "spark2", "--minutes", "30").output
    assert gateway.body()["target"] == "spark2"
    assert gateway.body()["minutes"] == 30
    assert "new disk" in run("maintenance").output
    assert run("maintenance", "end", "w1").output == "no maintenance is announced\n"
