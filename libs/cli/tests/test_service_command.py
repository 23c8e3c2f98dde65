"""``sparkctl service`` and ``bridge``: the list, presses, logs, one's own, the update."""

import json

BOX = {"name": "kokoro", "state": "running", "problem": None, "restart_count": 4,
       "recent_restarts": 0, "crash_loop": False, "up_seconds": 3725.0}  # fmt: skip
KOKORO = {
    "name": "kokoro", "label": "Text to speech", "state": "up", "stale": False, "reason": "",
    "host": "spark1", "address": "<spark-1-ip>", "url": "http://<spark-1-ip>:8880",
    "version": "0.2.4", "container": BOX,
    "last_action": {"action": "restart", "requested_by": "Alice", "reason": "loud", "ok": False,
                    "at": "2026-11-27T20:00:00Z"},
}  # fmt: skip
BOT = KOKORO | {
    "name": "bot", "state": "down", "reason": "it ends", "version": None, "url": None,
    "container": BOX | {"crash_loop": True, "recent_restarts": 5}, "last_action": None,
}  # fmt: skip
SERVICES = {"services": [KOKORO, BOT, KOKORO | {"name": "web", "container": None}],
            "hidden": ["magpie"], "problems": ["services.yaml: 'x': port: no number."]}  # fmt: skip


def test_the_list_says_how_each_container_is(gateway, run):
    gateway.says("GET", "/api/services", SERVICES)
    said = run("service").output
    assert "restarted 4 times" in said
    assert "crash loop, 5 starts in ten minutes" in said
    assert "hidden: magpie" in said
    assert "cannot be used: services.yaml" in said
    gateway.says("GET", "/api/services/kokoro", KOKORO)
    one = run("service", "show", "kokoro").output
    assert "at http://<spark-1-ip>:8880, version 0.2.4" in one
    assert "restart by Alice at 2026-11-27T20:00:00Z (loud), which did not work" in one


def test_a_press_says_who_and_why_and_a_refusal_is_an_exit_code(gateway, run):
    gateway.says("POST", "/api/services/kokoro/restart", {"message": "It was restarted."})
    done = run("service", "restart", "kokoro", "--reason", "loud", "--idempotency-key", "one")
    assert done.output == "It was restarted.\n"
    asked = gateway.asked[0]
    assert json.loads(asked.content)["reason"] == "loud"
    assert asked.headers["idempotency-key"] == "one"
    gateway.says("POST", "/api/services/kokoro/stop", {"detail": "a swap runs"}, 409)
    assert run("service", "stop", "kokoro").exit_code != 0


def test_a_log_is_printed_and_followed(gateway, run):
    gateway.says("GET", "/api/services/kokoro/logs", {"lines": ["a", "b"], "next": "x"})
    assert run("service", "logs", "kokoro").output == "a\nb\n"
    gateway.streams(
        "GET", "/api/services/kokoro/logs/stream",
        ("lines", {"lines": ["one"], "skipped": False}),
        ("lines", {"lines": ["two"], "skipped": True}),
        ("error", {"code": "not_found", "message": "there is no service"}),
    )  # fmt: skip
    followed = run("service", "logs", "kokoro", "-f")
    said = followed.output
    assert followed.exit_code == 1
    assert said.index("one") < said.index("two")
    assert "left out" in said
    assert "there is no service" in said


def test_ones_own_is_added_and_removed(gateway, run):
    gateway.says("POST", "/api/services", {"name": "comfy"}, 201)
    added = run("service", "add", "comfy", "--kind", "http", "--port", "8188", "--host", "spark2")
    assert added.output == "comfy is on the list\n"
    body = json.loads(gateway.asked[0].content)
    assert {key: body[key] for key in ("name", "kind", "port", "host")} == {
        "name": "comfy", "kind": "http", "port": 8188, "host": "spark2"
    }  # fmt: skip
    assert "container" not in body
    gateway.says("DELETE", "/api/services/comfy", {"message": "Gone."})
    assert run("service", "remove", "comfy").output == "Gone.\n"


def test_the_bridge_is_updated_and_followed_to_a_bad_end(gateway, run):
    gateway.says("POST", "/api/matrix-bridge/update", {"id": "u1", "state": "running"}, 202)
    gateway.streams(
        "GET", "/api/matrix-bridge/jobs/u1/stream",
        ("install.progress", {"step": "building", "message": "Building.", "lines": ["#1 load"]}),
        ("install.failed", {"outcome": "failed", "total_seconds": 3, "message": "It failed.",
                            "cause": {"action": "Read the log.", "evidence": []}}),
    )  # fmt: skip
    done = run("bridge", "update", "--follow")
    assert (done.exit_code, "#1 load" in done.output) == (1, True), done.output
    assert "what to do: Read the log." in done.output
    view = {"service": BOT, "job": {"id": "u1", "state": "failed", "message": "It failed."}}
    gateway.says("GET", "/api/matrix-bridge", view)
    assert "last update: u1 failed: It failed." in run("bridge").output
    gateway.says("POST", "/api/matrix-bridge/stop", {"message": "It was stopped."})
    assert run("bridge", "stop").output == "It was stopped.\n"
