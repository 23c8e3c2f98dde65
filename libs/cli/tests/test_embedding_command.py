"""``sparkctl embedding``: how it is, installing it, following and stopping that."""

VIEW = {
    "state": "away", "address": "127.0.0.12", "port": 8081, "container": "embeddings",
    "problem": "Nothing answers on port 8081 (ConnectError).", "models": [], "blockers": ["No."],
    "job": {"id": "one", "state": "failed", "message": "The disk is full."},
}  # fmt: skip


def test_how_it_is(gateway, run):
    gateway.says("GET", "/api/embedding", VIEW)
    assert run("embedding").output.splitlines() == [
        "away: 127.0.0.12:8081 (embeddings)",
        "Nothing answers on port 8081 (ConnectError).",
        "cannot be installed: No.",
        "last job: one failed: The disk is full.",
    ]


def test_it_is_installed_and_followed_to_a_bad_end(gateway, run):
    begun = {"id": "one", "state": "running"}
    gateway.says("POST", "/api/embedding/install", begun, 202)
    gateway.streams(
        "GET",
        "/api/embedding/jobs/one/stream",
        ("install.progress", {"step": "building", "message": "Building.", "lines": ["#5 FROM"]}),
        ("install.failed", {"outcome": "failed", "message": "The disk is full.", "cause": None}),
    )
    done = run("embedding", "install", "--follow", "--key", "k")
    assert done.exit_code == 1
    assert "#5 FROM" in done.output
    assert gateway.asked[0].headers["idempotency-key"] == "k"


def test_it_is_stopped(gateway, run):
    view = {"id": "one", "state": "running"}
    gateway.says("DELETE", "/api/embedding/jobs/one", view)
    assert run("embedding", "cancel", "one").output == "install one is being stopped\n"
