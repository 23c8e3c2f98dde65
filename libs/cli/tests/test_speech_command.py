"""``sparkctl speech``: how it is, the three orders, following and stopping one."""

import pytest

VIEW = {
    "address": "127.0.0.11", "port": 8000, "container": "parakeet-asr", "host": "spark1",
    "state": "drift", "container_state": "running", "restart_needed": True,
    "health": {"state": "ready", "problem": None, "diarizer": "failed"},
    "files": [{"name": "main.py", "state": "in_sync"}, {"name": "diarizer.py", "state": "drift"}],
    "undo": {"kept_at": "2026-11-27T12:00:00Z", "files": ["main.py"]}, "blockers": ["No."],
    "job": {"id": "one", "action": "undo", "state": "failed", "message": "It ended."},
}  # fmt: skip


def test_how_it_is(gateway, run):
    gateway.says("GET", "/api/speech-models", VIEW)
    assert run("speech").output.splitlines() == [
        "ready: 127.0.0.11:8000 (parakeet-asr, running)",
        "diarizer: failed",
        "main.py: in sync",
        "diarizer.py: drift",
        "Our files are in place; a restart makes them run.",
        "undo brings back: main.py",
        "cannot be changed: No.",
        "last job: one undo failed: It ended.",
    ]


@pytest.mark.parametrize("action", ["reapply", "undo", "restart"])
def test_each_order_is_given_and_followed_to_its_end(gateway, run, action):
    gateway.says("POST", f"/api/speech-models/{action}", {"id": "one", "state": "running"}, 202)
    gateway.streams(
        "GET",
        "/api/speech-models/jobs/one/stream",
        (
            "overlay.progress",
            {"step": "keeping", "message": "Keeping.", "lines": ["main.py: kept"]},
        ),
        ("overlay.failed", {"outcome": "failed", "message": "It ended.", "cause": None}),
    )
    done = run("speech", action, "--follow", "--key", "k")
    assert done.exit_code == 1
    assert "main.py: kept" in done.output
    assert gateway.asked[0].headers["idempotency-key"] == "k"


def test_it_is_stopped(gateway, run):
    gateway.says("DELETE", "/api/speech-models/jobs/one", {"id": "one", "state": "running"})
    assert run("speech", "cancel", "one").output == "overlay one is being stopped\n"
