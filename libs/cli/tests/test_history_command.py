"""``sparkctl history`` says who, what, how long and how it ended."""

from spark_cli.commands.history import render


def a_swap(swap_id: str, **facts: object) -> dict[str, object]:
    return {
        "id": swap_id,
        "model": "qwen",
        "requested_by": "Alice",
        "phase": "ready",
        "phases": [{"phase": "queued", "seconds": 20.0}, {"phase": "loading", "seconds": 60.0}],
        "created_at": f"2026-01-0{len(swap_id)}T10:20:30.5Z",
        "finished_at": "2026-01-01T10:22:00Z",
        **facts,
    }


def test_one_row_per_swap_with_its_outcome() -> None:
    failed = a_swap("aa", phase="rolled_back", cause={"code": "out_of_memory"})
    text = render([a_swap("a"), failed, a_swap("aaa", degraded="babbles")], 20)
    heading, *rows = text.splitlines()
    assert heading.split() == ["ASKED", "FOR", "MODEL", "BY", "OUTCOME", "TOOK", "ID"]
    assert rows[0].split("  ")[0] == "2026-01-01 10:20:30"
    assert "1 min 20 s" in rows[0]
    assert "rolled back: out_of_memory" in rows[1]
    assert "ready, degraded" in rows[2]


def test_a_full_page_says_how_to_go_on_and_a_short_one_does_not() -> None:
    page = [a_swap("a"), a_swap("aa")]
    hint = "older ones: sparkctl history --before 2026-01-02T10:20:30.5Z"
    assert render(page, 2).splitlines()[-1] == hint
    assert hint not in render(page, 3)
    assert render([], 3) == "no swaps"
