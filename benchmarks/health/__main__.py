"""``python -m benchmarks.health``: seconds from a fault to its event and to the status."""

import argparse
import json
import random
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import Any, Final

import httpx

_PATIENCE_SECONDS: Final = 120.0
_SETTLE_SECONDS: Final = 12.0


@dataclass(frozen=True)
class Fault:
    """What is switched on a simulated Spark, and what is to be seen of it."""

    name: str
    behaviour: str
    target: str
    host: str = "spark2"
    state: str = "down"


FAULTS: Final = (
    Fault("Spark off", "unreachable", "spark2"),
    Fault("Spark back", "ok", "spark2", state="up"),
    Fault("Spark hangs (SSH connects, nothing runs)", "ssh_hang", "spark2"),
    Fault("Spark back", "ok", "spark2", state="up"),
)


@dataclass
class Product:
    """A running demo on ports of its own."""

    folder: Path
    heard: list[tuple[float, dict[str, Any]]] = field(default_factory=list)

    def __enter__(self) -> "Product":
        net = f"127.{random.randrange(20, 250)}.{random.randrange(0, 250)}"
        ports = [str(_free_port()) for _ in range(7)]
        self.url, self.control = (f"http://127.0.0.1:{port}" for port in ports[:2])
        words = [
            *("demo", "--run-dir", str(self.folder / "run"), "--port", ports[0]),
            *("--control-port", ports[1], "--service-ports", ",".join(ports[2:])),
            *("--spark1", f"{net}.11", "--spark2", f"{net}.12"),
        ]
        self._output = (self.folder / "demo.out").open("w")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "spark_cli", *words], stdout=self._output, stderr=self._output
        )
        self.http = httpx.Client(base_url=self.url, timeout=10, trust_env=False)
        until("the demo", lambda: self.http.get("/readyz").status_code == httpx.codes.OK)
        Thread(target=self._listen, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGINT)
        self._process.wait(30)
        self.http.close()
        self._output.close()

    def behave(self, host: str, behaviour: str) -> None:
        """Switch a simulated Spark."""
        order = {"host": host, "behaviour": behaviour}
        httpx.put(f"{self.control}/_sim/behaviour", json=order, timeout=10).raise_for_status()

    def state(self, target: str) -> str | None:
        """Return how a target is shown."""
        found = self.http.get("/api/status").raise_for_status().json()["targets"]
        return next((one["state"] for one in found if one["name"] == target), None)

    def _listen(self) -> None:
        query = {"after": "now", "type": "health.transition"}
        accept = {"accept": "text/event-stream"}
        with httpx.stream(
            "GET", f"{self.url}/api/events", params=query, headers=accept, timeout=None
        ) as answer:
            for line in answer.iter_lines():
                if line.startswith("data:"):
                    self.heard.append((time.monotonic(), json.loads(line[5:])["data"]))


def until(what: str, look: Callable[[], bool]) -> float:
    """Poll every tenth of a second; return the moment at which it was so."""
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while time.monotonic() < deadline:
        try:
            if look():
                return time.monotonic()
        except (httpx.HTTPError, KeyError):
            pass
        time.sleep(0.1)
    raise SystemExit(f"waited {_PATIENCE_SECONDS:g} s for {what}")


def measure(product: Product, fault: Fault) -> tuple[float, float, int]:
    """Return seconds to event and status, and how many events there were."""
    # Looks come every few seconds: the fault hits anywhere between two.
    time.sleep(_SETTLE_SECONDS + random.uniform(0, 5))
    product.heard.clear()
    began = time.monotonic()
    product.behave(fault.host, fault.behaviour)
    shown = until(fault.name, lambda: product.state(fault.target) == fault.state) - began
    told = until(f"the event of {fault.name}", lambda: bool(product.heard))
    time.sleep(2 * _SETTLE_SECONDS)
    told = product.heard[0][0] - began
    return told, shown, len(product.heard)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.health", description=__doc__)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--json", type=Path, help="also write every round to this file")
    options = parser.parse_args()
    rows: list[tuple[Fault, list[tuple[float, float, int]]]] = [(one, []) for one in FAULTS]
    with tempfile.TemporaryDirectory(prefix="health-") as place, Product(Path(place)) as product:
        until("everything to be up", lambda: product.state("spark2") == "up")
        for _ in range(options.rounds):
            for fault, measured in rows:
                measured.append(measure(product, fault))
    print("| fault | event, s | status, s | events |\n|---|--:|--:|--:|")
    for fault, measured in rows:
        told, shown = (statistics.median(one[at] for one in measured) for at in (0, 1))
        most = max(one[2] for one in measured)
        print(f"| {fault.name} | {told:.1f} | {shown:.1f} | {most} |")
    if options.json:
        facts = [{"fault": fault.name, "rounds": measured} for fault, measured in rows]
        options.json.write_text(json.dumps(facts, indent=2))


def _free_port() -> int:
    while True:
        port = random.randrange(20_000, 32_000)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port


if __name__ == "__main__":
    main()
