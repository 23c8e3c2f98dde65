"""The demo on ports of its own, and what a person at its dashboard gets to see."""

import asyncio
import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import Any, Final

import httpx

from spark_common.clock import SystemClock
from spark_common.embedded.child import free_port
from spark_common.remote import RemoteCommand
from spark_common.remote.ssh import SshShell
from spark_common.settings import ClusterSettings, HostSettings

PATIENCE_SECONDS: Final = 240.0
_SSH_PORT: Final = 2222
_RUNTIME_PORT: Final = 8888


@dataclass
class Heard:
    """One event, and when it came."""

    at: float
    type: str
    data: dict[str, Any]


@dataclass
class Product:
    """A running demo."""

    folder: Path
    speed: float = 2.0
    """How much faster the Sparks load; a frozen one stays so for three minutes of theirs."""
    events: list[Heard] = field(default_factory=list)
    page: dict[str, dict[str, Any]] = field(default_factory=dict)
    """How the dashboard shows each target, kept by its stream as in a browser."""

    def __enter__(self) -> "Product":
        net = f"127.{random.randrange(20, 250)}.{random.randrange(0, 250)}"
        self._addresses = {"spark1": f"{net}.11", "spark2": f"{net}.12"}
        ports = [str(free_port()) for _ in range(7)]
        self.url, self.control = (f"http://127.0.0.1:{port}" for port in ports[:2])
        words = [
            *("demo", "--run-dir", str(self.folder / "run"), "--port", ports[0]),
            *("--control-port", ports[1], "--service-ports", ",".join(ports[2:])),
            *("--spark1", self._addresses["spark1"], "--spark2", self._addresses["spark2"]),
            *("--speed", str(self.speed)),
        ]
        self._output = (self.folder / "demo.out").open("w")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "spark_cli", *words], stdout=self._output, stderr=self._output
        )
        self.http = httpx.Client(base_url=self.url, timeout=30, trust_env=False)
        until("the demo", lambda: self.http.get("/readyz").status_code == httpx.codes.OK)
        for path, take in (("/api/events?after=now", self._take_event), ("/api/live", self._draw)):
            Thread(target=self._follow, args=(path, take), daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._process.send_signal(signal.SIGINT)
        self._process.wait(60)
        self.http.close()
        self._output.close()

    def runtime_url(self, host: str) -> str:
        """Return where the model on a simulated Spark answers."""
        return f"http://{self._addresses[host]}:{_RUNTIME_PORT}"

    def behave(self, host: str, behaviour: str) -> None:
        """Switch a simulated Spark."""
        self._switch("behaviour", host=host, behaviour=behaviour)

    def freeze(self, host: str, *, frozen: bool) -> None:
        """Let a simulated Spark run out of memory, or start it anew."""
        self._switch("freeze", host=host, frozen=frozen)

    def on_spark(self, host: str, *argv: str) -> None:
        """Do something there as its user does, past spark-control."""
        asyncio.run(self._run(host, argv))

    def check(self, service: str) -> None:
        """Ask for a deep check, as whoever meets something broken does."""
        body = {"requested_by": "benchmark", "wait_seconds": 0}
        self.http.post(f"/api/deep-health/{service}/run", json=body).raise_for_status()

    def deep(self, service: str) -> dict[str, Any]:
        """Return the latest deep check as its tile shows it."""
        found = self.http.get(f"/api/deep-health?service={service}").raise_for_status().json()
        last: dict[str, Any] | None = found["services"][0]["last"]
        return last or {"state": None}

    def advised(self, name: str, host: str) -> bool:
        """Say whether there is a piece of advice."""
        findings = self.http.get("/api/advice").raise_for_status().json()["findings"]
        return any((one["check"], one["host"]) == (name, host) for one in findings)

    def shown(self, target: str) -> tuple[str | None, str]:
        """Return state and reason of a target on the dashboard."""
        seen = self.page.get(target, {})
        return seen.get("state"), str(seen.get("reason", ""))

    def _switch(self, what: str, **order: Any) -> None:
        httpx.put(f"{self.control}/_sim/{what}", json=order, timeout=30).raise_for_status()

    async def _run(self, host: str, argv: tuple[str, ...]) -> None:
        run = self.folder / "run"
        settings = ClusterSettings(
            hosts=tuple(
                HostSettings(name=name, label=name, address=at, user="spark", ssh_port=_SSH_PORT)
                for name, at in self._addresses.items()
            ),
            ssh_key_path=run / "ssh" / "id_ed25519",
            known_hosts_path=self.folder / "known",
        )
        shell = SshShell(settings, SystemClock())
        ran = await shell.run(host, RemoteCommand(argv))
        await shell.close()
        if not ran.ok:
            raise SystemExit(f"{' '.join(argv)} on {host}: {ran.stderr.strip()}")

    def _take_event(self, name: str, body: dict[str, Any]) -> None:
        if "data" in body:
            self.events.append(Heard(time.monotonic(), name, body["data"]))

    def _draw(self, name: str, body: dict[str, Any]) -> None:
        health = body.get("health") if name == "snapshot" else body if name == "health" else None
        if health is not None:
            self.page = {one["name"]: one for one in health["targets"]}

    def _follow(self, path: str, take: Callable[[str, dict[str, Any]], None]) -> None:
        accept = {"accept": "text/event-stream"}
        name = ""
        with httpx.stream("GET", self.url + path, headers=accept, timeout=None) as answer:
            for line in answer.iter_lines():
                if line.startswith("event:"):
                    name = line[6:].strip()
                elif line.startswith("data:"):
                    body = json.loads(line[5:])
                    if isinstance(body, dict):
                        take(name, body)


def until(what: str, look: Callable[[], bool], seconds: float = PATIENCE_SECONDS) -> float:
    """Poll every twentieth of a second; return the moment at which it was so."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            if look():
                return time.monotonic()
        except (httpx.HTTPError, KeyError):
            pass
        time.sleep(0.05)
    raise SystemExit(f"waited {seconds:g} s for {what}")
