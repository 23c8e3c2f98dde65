"""``sparkctl home`` says how it stands, and by its exit code whether a person is needed."""

import pytest


@pytest.mark.parametrize(
    ("state", "more", "code", "output"),
    [
        ("off", {}, 0, "no home model is set; HOME_MODEL names one\n"),
        ("waiting", {}, 0, "qwen (waiting): Alice has the cluster.\n"),
        (
            "backing_off",
            {"next_try_at": "2026-01-01T10:00:00Z"},
            0,
            "qwen (backing off): Alice has the cluster.\nnext try: 2026-01-01T10:00:00Z\n",
        ),
        ("blocked", {}, 1, "qwen (blocked): Alice has the cluster.\n"),
    ],
)
def test_how_it_stands(gateway, run, state, more, code, output):
    answer = {"model": "qwen", "state": state, "sentence": "Alice has the cluster.", **more}
    gateway.says("GET", "/api/home", answer)
    done = run("home")
    assert (done.exit_code, done.output) == (code, output)
