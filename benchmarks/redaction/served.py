"""How long a caller waits: over HTTP with the map on disk, and the write to disk by itself."""

import http.client
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks.redaction.texts import prose

from spark_redaction.scrub import Book, Detector, Scrubber
from spark_redaction.vault.audit import Act
from spark_redaction.vault.keyfile import MasterKey
from spark_redaction.vault.schema import open_database
from spark_redaction.vault.scopes import Scopes, Task

_SIZES = {300: 300, 10_000: 60}
_HEADERS = {"content-type": "application/json", "x-tenant": "benchmark"}


def over_http() -> dict[str, list[float]]:
    """Milliseconds at p50 and p99, one caller after the other on one connection."""
    serving = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.redaction.door"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert serving.stdin is not None
    assert serving.stdout is not None
    connection = http.client.HTTPConnection("127.0.0.1", int(serving.stdout.readline()))

    def asked(path: str, body: bytes) -> dict[str, object]:
        connection.request("POST", path, body, _HEADERS)
        answer = connection.getresponse()
        said = answer.read()
        assert answer.status == 200, said
        return dict(json.loads(said))

    found = {}
    print("\n| over HTTP | p50, ms | p99, ms |\n|---|--:|--:|")
    for size, rounds in _SIZES.items():
        body = json.dumps({"text": prose(size)}).encode()
        for _ in range(10):
            done = asked("/scrub", body)
        back = json.dumps({"task_id": done["task_id"], "text": done["text"]}).encode()
        for path, content in (("/scrub", body), ("/rehydrate", back)):
            found[f"{path}, {size} characters"] = _timed(rounds, lambda: asked(path, content))  # noqa: B023
    for name, (half, most) in found.items():
        print(f"| {name} | {half:.1f} | {most:.1f} |")
    serving.stdin.close()
    serving.wait()
    return found


def durable_write() -> list[float]:
    """Milliseconds at p50 and p99 of writing the map of a text of 300 characters to disk."""
    book = Book()
    done = Scrubber(Detector(), book).text(prose(300))
    counts = {kind.value: count for kind, count in done.counts.items()}
    with tempfile.TemporaryDirectory() as folder:
        master = MasterKey(os.urandom(32))
        scopes = Scopes(open_database(Path(folder) / "map.db", master), master)
        number = 0

        def write() -> None:
            nonlocal number
            number += 1
            scope = scopes.new(f"scope-{number}", "t", f"s{number}", "transcript", 1e12)
            task = Task(f"t_{number}", 300, counts, 1e12)
            scopes.save(scope, task, book.added, book.next_numbers, 0.0, Act("scrub", "http", "t"))

        half, most = _timed(200, write)
    print(f"\nmap of 300 characters on disk: p50 {half:.2f} ms, p99 {most:.2f} ms")
    return [half, most]


def _timed(rounds: int, call: Callable[[], object]) -> list[float]:
    taken = []
    for _ in range(rounds):
        began = time.perf_counter()
        call()
        taken.append((time.perf_counter() - began) * 1e3)
    taken.sort()
    return [taken[len(taken) // 2], taken[int(len(taken) * 0.99)]]
