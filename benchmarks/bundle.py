"""``python -m benchmarks.bundle``: what the whole product weighs when nobody asks, and its boot.

Starts ``sparkctl demo`` in a folder of its own, waits until everything is ready and then for
``BUNDLE_IDLE_SECONDS`` (30), and adds up the memory of every process but the simulated Sparks and
the launcher: shared pages by their share (PSS). Linux only.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Container, Iterator
from pathlib import Path
from typing import Final

_SPARKS: Final = "two Sparks"
_READY_SECONDS: Final = 180


def share(pid: int) -> int:
    """Return the memory of one process in bytes, shared pages by their share; 0 when it is gone."""
    try:
        text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return 0
    line = next(one for one in text.splitlines() if one.startswith("Pss:"))
    return int(line.split()[1]) * 1024


def family(pid: int, apart: Container[int]) -> Iterator[int]:
    """Yield a process and all that came from it, without those that are ``apart``."""
    yield pid
    for task in Path(f"/proc/{pid}/task").iterdir():
        for child in map(int, (task / "children").read_text().split()):
            if child not in apart:
                yield from family(child, apart)


def weigh(parts: dict[str, int]) -> dict[str, list[int]]:
    """Return the memory of every part: of itself, and of each of its helpers."""
    apart = set(parts.values())
    return {name: [share(one) for one in family(pid, apart)] for name, pid in parts.items()}


def start(folder: Path) -> tuple["subprocess.Popen[bytes]", dict[str, int], float]:
    """Start it; return its process, the process of every part, and how many seconds that took."""
    began = time.monotonic()
    process = subprocess.Popen(
        [sys.executable, "-m", "spark_cli", "demo", "--run-dir", str(folder)],
        stdout=subprocess.DEVNULL,
    )
    announced = folder / "running.json"
    while not announced.exists():
        if process.poll() is not None or time.monotonic() > began + _READY_SECONDS:
            sys.exit("the product did not come up")
        time.sleep(0.02)
    took = time.monotonic() - began
    facts = json.loads(announced.read_text())
    parts: dict[str, int] = {**facts["parts"], "nursery": facts["nursery"]}
    return process, {name: pid for name, pid in parts.items() if name != _SPARKS}, took


def main() -> None:
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "run"
        process, parts, took = start(folder)
        try:
            time.sleep(float(os.environ.get("BUNDLE_IDLE_SECONDS", "30")))
            weights = weigh(parts)
        finally:
            process.send_signal(signal.SIGINT)
            process.wait()
    for name, memory in sorted(weights.items()):
        helpers = ", ".join(f"{one / 2**20:.1f}" for one in memory[1:])
        print(
            f"{name:12} {memory[0] / 2**20:6.1f} MiB" + (f", its helpers {helpers}" * bool(helpers))
        )
    whole = sum(sum(memory) for memory in weights.values())
    print(f"whole bundle {whole / 2**20:6.1f} MiB; everything was ready after {took:.1f} s")


if __name__ == "__main__":
    main()
