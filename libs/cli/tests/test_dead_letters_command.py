"""``sparkctl dead-letters``: what it was, why, what to do."""

LETTER = {
    "number": 3,
    "at": "2026-01-02T03:04:05.6Z",
    "stream": "SC_INGRESS",
    "consumer": "swapper-ingress",
    "why": "refused",
    "sentence": "swapper-ingress put it away: not a swap.requested.",
    "action": "Publish it again.",
    "deliveries": 1,
    "message_number": 9,
    "subject": "swap.requested",
    "message_id": "cron-7",
}


def test_each_one_says_what_to_do_and_a_page_how_to_go_on(gateway, run) -> None:
    gone = LETTER | {"subject": None, "message_id": None}
    page = {"letters": [LETTER, gone], "older_before": 3}
    gateway.says("GET", "/api/dead-letters", page)
    result = run("dead-letters", "--limit", "2")
    assert result.exit_code == 0, result.output
    first, second, more = result.output.strip().split("\n\n")
    assert first.splitlines() == [
        "2026-01-02 03:04:05  SC_INGRESS 9  swap.requested, id cron-7",
        "  swapper-ingress put it away: not a swap.requested.",
        "  what to do: Publish it again.",
    ]
    assert "not kept any more" in second
    assert more == "older ones: sparkctl dead-letters --before 3"


def test_none_is_said_too(gateway, run) -> None:
    gateway.says("GET", "/api/dead-letters", {"letters": [], "older_before": None})
    assert run("dead-letters").output == "no dead letters\n"
