"""``sparkctl requests``: one row each, in the words of people."""

ROW = {
    "number": 3,
    "id": "req-1",
    "at": "2026-01-02T03:04:05.6Z",
    "status": 200,
    "end": "complete",
    "model": "tiny",
    "key": "",
    "user": "alice",
    "address": "127.0.0.1",
    "prompt_tokens": 27,
    "completion_tokens": 48,
    "tokens_estimated": False,
    "total_ms": 1234.5,
    "queue_ms": 0,
}


def test_a_row_says_who_what_and_how_long(gateway, run) -> None:
    left = ROW | {
        "id": "req-2",
        "status": None,
        "end": "client_left",
        "model": "",
        "user": "",
        "prompt_tokens": None,
        "completion_tokens": 5,
        "tokens_estimated": True,
        "queue_ms": 1000,
    }
    bare = left | {"address": "", "completion_tokens": None, "queue_ms": 0}
    page = {"requests": [ROW, left, bare], "older_before": 3, "problems": ["A file is damaged."]}
    gateway.says("GET", "/api/requests", page)
    result = run("requests", "--limit", "3", "--status", "2xx", "--find", "x")
    assert result.exit_code == 0, result.output
    problem, _, first, second, third, more = result.output.rstrip().splitlines()
    assert problem == "A file is damaged."
    columns = [column.strip() for column in first.split("  ") if column.strip()]
    assert columns == [
        *("2026-01-02 03:04:05", "200", "complete", "tiny", "alice", "27+48", "1.23 s", "req-1"),
    ]
    assert "client left" in second
    assert "?+~5" in second
    assert "1.23 s (1.00 s waiting)" in second
    assert third.split()[-5:] == ["-", "-", "1.23", "s", "req-2"]
    assert more == "older ones: sparkctl requests --before 3"


def test_none_is_said_too(gateway, run) -> None:
    gateway.says("GET", "/api/requests", {"requests": [], "older_before": None, "problems": []})
    assert run("requests").output == "no requests\n"
