"""``sparkctl deep-health``: a line for each service, an exit code for trouble, presses."""

import pytest

OK = {"state": "ok", "sentence": "one token came", "latency_ms": 85.2}
STUCK = {"state": "wedged", "sentence": "stuck: its GPU failed", "latency_ms": None}


def service(name, last, **more):
    return {"name": name, "label": name, "disabled": False, "running": False, "last": last, **more}


@pytest.mark.parametrize(
    ("rows", "code", "output"),
    [
        ([service("vllm", OK)], 0, "vllm         ok       one token came (85 ms)\n"),
        ([service("vllm", None)], 0, "vllm         not checked yet\n"),
        ([service("vllm", None, disabled=True)], 0, "vllm         hidden\n"),
        (
            [
                service(
                    "kokoro",
                    STUCK,
                    remedy={
                        "state": "open",
                        "sentence": "It is stuck again.",
                        "press": "Press it.",
                    },
                )
            ],
            1,
            "kokoro       wedged   stuck: its GPU failed\n"
            "             open: It is stuck again. Press it.\n",
        ),
    ],
)
def test_a_line_for_each(gateway, run, rows, code, output):
    gateway.says("GET", "/api/deep-health", {"services": rows})
    done = run("deep-health")
    assert (done.exit_code, done.output) == (code, output)


def test_one_is_run(gateway, run):
    gateway.says("POST", "/api/deep-health/vllm/run", service("vllm", OK))
    done = run("deep-health", "--run", "vllm", "--by", "Alice")
    assert (done.exit_code, done.output.split()[:2]) == (0, ["vllm", "ok"])


def test_a_restart_is_pressed(gateway, run):
    view = {"state": "quiet", "sentence": "", "press": None}
    gateway.says("POST", "/api/deep-health/kokoro/remedy/apply", view)
    done = run("deep-health", "--restart", "kokoro")
    assert (done.exit_code, done.output.strip()) == (0, "quiet: nothing is done")
