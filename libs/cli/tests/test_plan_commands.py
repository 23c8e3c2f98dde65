"""``sparkctl test``, ``plan`` and ``quarantine``: what is asked, what is shown, the exit code."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import ClassVar
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner

from spark_cli.__main__ import main

BAD = {"code": "not_enough_memory", "sentence": "Too little.", "action": "Stop it.", "evidence": []}
VALIDATION = {
    "ok": False,
    "verdict": "bad",
    "stage": "memory",
    "error": "Too little.",
    "cmd_args": ["org/m"],
    "launch_cmd": "./launch-cluster.sh -d exec vllm serve org/m",
    "checks": [
        {"name": "arguments", "verdict": "good", "host": None, "sentence": "Accepted."},
        {"name": "memory", "verdict": "bad", "host": "spark1", "sentence": "Too little."},
    ],
    "cause": BAD,
    "note": "",
}
PLAN = {
    "model": "m",
    "model_name": "M",
    "served_name": "m",
    "stops": "gemma",
    "in_flight": 2,
    "drain_seconds": 30,
    "eta_seconds": 80,
    "back_seconds": None,
    "nodes": [
        {
            "label": "Spark 1",
            "available_bytes": 20 * 1024**3,
            "freed_bytes": None,
            "needed_bytes": 90 * 1024**3,
            "headroom_bytes": None,
            "verdict": "unknown",
        }
    ],
    "blockers": [BAD],
    "doubts": ["Docker is slow."],
    "steps": ["Let 2 answers finish."],
}
HELD = {"reason": "Spark 1 went down.", "since": "", "host": "spark1"}


class Gateway(BaseHTTPRequestHandler):
    """Answers the three routes, and keeps what was asked."""

    asked: ClassVar[list[tuple[str, str, bytes]]] = []

    def _answer(self) -> None:
        size = int(self.headers.get("content-length", "0"))
        path = urlsplit(self.path).path
        self.asked.append((self.command, path, self.rfile.read(size)))
        answers = {"validate": VALIDATION, "plan": PLAN, "quarantine": {"model": "m", "was": HELD}}
        menu = {"models": [{"key": "m", "quarantine": HELD}, {"key": "n"}]}
        body = json.dumps(answers.get(path.rpartition("/")[2], menu)).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    do_GET = do_POST = do_DELETE = _answer  # noqa: N815 - names of the library

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@pytest.fixture
def gateway(monkeypatch):
    """Listen on loopback; returns the requests."""
    server = HTTPServer(("127.0.0.1", 0), Gateway)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    monkeypatch.setenv("SPARK_CONTROL_URL", f"http://127.0.0.1:{server.server_port}")
    Gateway.asked.clear()
    yield Gateway.asked
    server.shutdown()
    thread.join()
    server.server_close()


def run(*words: str):
    return CliRunner().invoke(main, words)


def test_a_failed_test_says_why_what_to_do_and_exits_one(gateway):
    done = run("test", "m", "--flag", "--seed=3", "--deep")
    assert done.exit_code == 1, done.output
    assert json.loads(gateway[0][2]) == {"deep": True, "flags": ["--seed=3"]}
    assert "memory     bad     spark1  Too little." in done.output
    assert "what to do: Stop it." in done.output
    assert "launch: ./launch-cluster.sh" in done.output


def test_a_plan_shows_numbers_blockers_and_steps(gateway):
    done = run("plan", "m")
    assert done.exit_code == 1, done.output
    assert "stops: gemma, 2 being answered now" in done.output
    assert "takes: 1 min 20 s; back again: -" in done.output
    row = next(line for line in done.output.splitlines() if line.startswith("Spark 1"))
    assert ("20.0 GB" in row, "90.0 GB" in row, "unknown" in row) == (True, True, True)
    assert "stands in the way: Too little." in done.output
    assert "  - Let 2 answers finish." in done.output


def test_the_quarantine_is_listed_and_cleared(gateway):
    assert run("quarantine").output == "m: Spark 1 went down.\n"
    done = run("quarantine", "clear", "m")
    assert "m may be loaded again" in done.output
    assert gateway[-1][:2] == ("DELETE", "/api/models/m/quarantine")


def test_the_answer_of_the_api_as_it_is(gateway):
    assert json.loads(run("test", "m", "--json").output) == VALIDATION
    assert json.loads(run("plan", "m", "--json").output) == PLAN
