"""``sparkctl hardware``, ``advice``, ``wake`` and ``turn-off``."""

from spark_cli.commands.hardware import render, render_advice

GIB = 1024**3
WELL = {
    "label": "Spark 1",
    "hostname": "spark-1",
    "answering": "well",
    "reason": "",
    "stale": False,
    "uptime_seconds": 107816.4,
    "load": [0.31, 0.6, 0.66],
    "cores": 20,
    "memory": {"used": 90 * GIB, "total": 120 * GIB},
    "gpu_unified_memory": True,
    "consumers": [
        {"name": "vllm", "bytes": 60 * GIB, "share": 0.5},
        {"name": "speech", "bytes": 0, "share": 0.0},
        {"name": "page_cache", "bytes": 6 * GIB, "share": 0.05},
        {"name": "other", "bytes": None, "share": None},
    ],
    "gpu": {"name": "NVIDIA GB10", "percent": 94.0, "celsius": 65.0, "watts": None},
    "disk": {"available": 597_000_000_000, "total": 983_000_000_000},
    "routes": [{"kind": "cable", "interface": "enP7s7", "source": "127.0.1.72"}],
    "badges": [{"kind": "wireguard", "address": "203.0.113.6", "interface": "wg0"}],
    "steps": [],
}
DEAD = {
    "label": "Spark 2",
    "hostname": None,
    "answering": "dead",
    "reason": "Spark 2 does not answer.",
    "stale": True,
    "age_seconds": 300.0,
    "load": [],
    "consumers": [],
    "gpu": None,
    "gpu_problem": None,
    "routes": [],
    "badges": [],
    "gpu_unified_memory": False,
    "wake_address": {"mac": "02:00:5e:10:00:02"},
    "wake": {"sentence": "The packet was sent."},
    "steps": ["Press its button."],
}
POINT = {"at": "2026-11-02T08:15:00Z", "load": 1.0, "memory_used": 90 * GIB, "gpu_percent": None}
ADVICE = {
    "findings": [
        {"severity": "warning", "sentence": "The clock is off.", "runbook": "docs/RUNBOOK.md#x"}
    ],
    "unread": ["spark2"],
}


def test_hardware_is_a_block_per_spark_and_says_only_what_is_known():
    text = render({"hosts": [WELL, DEAD], "problems": ["the disk is away"]})
    for part in (
        "Spark 1 (spark-1): well",
        "90.0 of 120.0 GiB used, shared with the GPU",
        "vLLM 60.0 GiB (50%), page cache 6.0 GiB (5%)",
        "NVIDIA GB10: 94 %, 65 °C",
        "597 of 983 GB free",
        "wireguard 203.0.113.6 (wg0)",
        "Spark 2: dead",
        "numbers of 5 min 0 s ago",
        "MAC      02:00:5e:10:00:02",
        "try: Press its button.",
        "the disk is away",
    ):
        assert part in text
    assert "speech" not in text
    assert "None" not in text


def test_history_is_a_table_with_dashes_for_what_was_not_read():
    text = render({"hosts": [], "history": [{"host": "spark1", "span": "hour", "points": [POINT]}]})
    assert "spark1, last hour" in text
    assert "2026-11-02 08:15  1.00  90.0 GiB  -" in text


def test_advice_is_a_line_per_finding():
    text = render_advice(ADVICE)
    assert "warning: The clock is off. (docs/RUNBOOK.md#x)" in text
    assert "nothing fresh is known of spark2" in text
    assert "nothing is known" in render_advice({"findings": []})


def test_every_command_asks_its_route(gateway, run):
    gateway.says("GET", "/api/hardware", {"hosts": [WELL]})
    gateway.says("GET", "/api/advice", ADVICE)
    gateway.says("POST", "/api/spark/spark2/wake", {"sentence": "The packet was sent."}, 202)
    gateway.says("POST", "/api/spark/spark2/reboot", {"sentence": "It starts anew."}, 202)
    assert "Spark 1 (spark-1)" in run("hardware", "spark1", "--history", "day").output
    assert dict(gateway.asked[-1].url.params) == {"host": "spark1", "history": "day"}
    assert "clock" in run("advice").output
    assert run("wake", "spark2").output == "The packet was sent.\n"
    assert "anew" in run("turn-off", "spark2", "--reboot", text="y\n").output
    assert gateway.body()["confirm"] == "spark2"
    asked = len(gateway.asked)
    assert run("turn-off", "spark2", text="n\n").exit_code == 1
    assert len(gateway.asked) == asked
