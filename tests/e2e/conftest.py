"""The whole product as a person starts it: ``sparkctl demo``, on ports of its own."""

import contextlib
import functools
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from spark_common.testing.ports import free_port

ROOT = Path(__file__).parents[2]
# Test files are imported without their folder on the path.
sys.path.insert(0, str(Path(__file__).parent))
expect.set_options(timeout=60_000)

SPEED, UNHURRIED = 90.0, 10.0
ARTIFACTS = Path(__file__).parents[2] / "artifacts"


@dataclass
class Product:
    """A running spark-control and what a tester can do to it."""

    folder: Path
    arguments: list[str]
    process: "subprocess.Popen[str]"
    output: Path
    facts: dict[str, Any] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return str(self.facts["gateway"])

    @functools.cached_property
    def http(self) -> httpx.Client:
        return httpx.Client(base_url=self.url, timeout=60, trust_env=False)

    def said(self) -> str:
        return self.output.read_text()

    def behave(self, behaviour: str, host: str = "all") -> None:
        httpx.put(
            f"{self.facts['simulator']}/_sim/behaviour",
            json={"host": host, "behaviour": behaviour},
            timeout=30,
        ).raise_for_status()

    def pace(self, speed: float) -> None:
        """Let the Sparks' seconds pass so many times faster, those under way as well."""
        httpx.put(
            f"{self.facts['simulator']}/_sim/speed", json={"speed": speed}, timeout=30
        ).raise_for_status()

    @contextlib.contextmanager
    def unhurried(self) -> Iterator[None]:
        """Give a test the time to come in between, however late it is."""
        self.pace(UNHURRIED)
        try:
            yield
        finally:
            self.pace(SPEED)

    def journal(self, kind: str) -> list[dict[str, Any]]:
        answer = httpx.get(f"{self.facts['simulator']}/_sim/journal", timeout=30)
        entries = answer.raise_for_status().json()
        rows = entries["entries"] if isinstance(entries, dict) else entries
        return [entry for entry in rows if entry["kind"] == kind]

    def swap(self, model: str, **fields: Any) -> dict[str, Any]:
        answer = self.http.post(
            "/api/swap", json={"model": model, "requested_by": "Alice", **fields}
        )
        assert answer.status_code in (200, 202), answer.text
        view: dict[str, Any] = answer.json()
        return view

    def view(self, swap_id: str) -> dict[str, Any]:
        view: dict[str, Any] = self.http.get(f"/api/swap/{swap_id}").raise_for_status().json()
        return view

    def until(self, what: str, look: Callable[[], Any], seconds: float = 60) -> Any:
        """Poll until ``look`` returns something true; errors on the way are not the end."""
        deadline = time.monotonic() + seconds
        last: object = None
        pause = 0.05
        while time.monotonic() < deadline:
            try:
                last = look()
                if last:
                    return last
            except (httpx.HTTPError, AssertionError, KeyError) as error:
                last = error
            # A look costs the product as much as a request: what takes long may be seen late.
            time.sleep(pause)
            pause = min(pause * 1.2, 0.25)
        pytest.fail(f"waited {seconds} s for {what}; last seen: {last}\n{self.said()[-3000:]}")

    def loaded(self) -> str | None:
        """Key of the loaded model, or None for an idle runtime; waits until somebody knows."""

        def look() -> dict[str, Any] | None:
            runtime = self.http.get("/api/status").raise_for_status().json()["runtime"]
            known = runtime is not None and runtime["state"] in ("idle", "serving")
            return runtime if known else None

        runtime: dict[str, Any] = self.until("the runtime to be known", look, 60)
        model: str | None = runtime["model"] if runtime["state"] == "serving" else None
        return model

    def ended(self, swap_id: str, seconds: float = 90) -> dict[str, Any]:
        terminal = {"ready", "failed", "cancelled", "rolled_back"}

        def look() -> dict[str, Any] | None:
            view = self.view(swap_id)
            return view if view["phase"] in terminal else None

        view: dict[str, Any] = self.until(f"swap {swap_id} to end", look, seconds)
        return view

    def in_phase(self, swap_id: str, phase: str, seconds: float = 60) -> None:
        self.until(f"phase {phase}", lambda: self.view(swap_id)["phase"] == phase, seconds)

    def pid(self, part: str) -> int:
        return int(self.facts["parts"][part])

    def kill(self, part: str) -> None:
        """Kill -9 a part by what is running now; the supervisor starts it again."""
        self.facts = json.loads((self.folder / "running.json").read_text())
        os.kill(self.pid(part), signal.SIGKILL)

    def sparkctl(self, *words: str, timeout: float = 120) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-m", "spark_cli", *words],
            env={**os.environ, "SPARK_CONTROL_URL": self.url},
            capture_output=True,
            text=True,
            timeout=timeout,
            check=False,
        )

    def stop(self, seconds: float = 120) -> int:
        self.http.close()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        return self.process.wait(seconds)


UNHURRIED_HEALTH = {"HEALTH_LOOK_SECONDS": "20", "HEALTH_HARDWARE_SECONDS": "60"}
"""Every look at a Spark is a dozen processes of the simulator's."""


class Starter:
    """Starts products and sees to it that none outlives its test."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._running: list[Product] = []

    @property
    def run(self) -> Path:
        """Where the first product keeps its state."""
        return self._folder / "run"

    def start(self, *extra: str, again: Product | None = None) -> Product:
        if again is None:
            net = f"127.{random.randrange(20, 250)}.{random.randrange(0, 250)}"
            arguments = [
                "--run-dir", str(self.run),
                "--port", str(free_port()),
                "--service-ports", ",".join(str(free_port()) for _ in range(5)),
                "--control-port", str(free_port()),
                "--spark1", f"{net}.11",
                "--spark2", f"{net}.12",
                "--speed", str(SPEED),
                *extra,
            ]  # fmt: skip
        else:
            self._folder = again.folder.parent
            arguments = again.arguments
        output = self._folder / "demo.out"
        with output.open("a") as stream:
            process = subprocess.Popen(
                [sys.executable, "-m", "spark_cli", "demo", *arguments],
                env={**UNHURRIED_HEALTH, **os.environ},
                stdout=stream,
                stderr=stream,
                text=True,
                cwd=ROOT,
            )
        product = Product(self.run, arguments, process, output)
        self._running.append(product)
        announced = product.folder / "running.json"
        deadline = time.monotonic() + 180
        while not announced.exists():
            if process.poll() is not None or time.monotonic() > deadline:
                pytest.fail(f"the demo did not come up:\n{product.said()}")
            time.sleep(0.05)
        product.facts = json.loads(announced.read_text())
        return product

    def close(self) -> None:
        for product in self._running:
            product.stop()


@pytest.fixture(scope="module")
def product(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Product]:
    """One running product for the tests of a file, Sparks well behaved at the start of each."""
    starter = Starter(tmp_path_factory.mktemp("product"))
    yield starter.start()
    starter.close()


_OF_FOLDERS: dict[Path, Starter] = {}


@pytest.fixture(scope="session")
def starter_of(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Path], Starter]]:
    """Yield what makes a starter for all the tests of a folder, ended with the last of them."""

    def made(folder: Path) -> Starter:
        _OF_FOLDERS[folder] = Starter(tmp_path_factory.mktemp("product"))
        return _OF_FOLDERS[folder]

    yield made
    # Of a run that was cut short.
    for starter in _OF_FOLDERS.values():
        starter.close()


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """End what a folder shares with the last of its tests: the next ones need the processors."""
    folder = item.path.parent
    if folder in _OF_FOLDERS and (nextitem is None or nextitem.path.parent != folder):
        _OF_FOLDERS.pop(folder).close()


@pytest.fixture
def starter(tmp_path: Path) -> Iterator[Starter]:
    """Products of one test's own."""
    starter = Starter(tmp_path)
    yield starter
    starter.close()


@pytest.fixture
def microphone(tmp_path: Path) -> Path:
    """Return the WAV file that the browser's microphone hears, from its beginning, in a loop."""
    return tmp_path / "microphone.wav"


@pytest.fixture
def browser(microphone: Path) -> Iterator[Browser]:
    """Yield a Chromium of the machine's own, ended with the test."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        pytest.skip("chromium is missing: apt-get install chromium")
    ARTIFACTS.mkdir(exist_ok=True)
    with sync_playwright() as driver:
        found = driver.chromium.launch(
            executable_path=chromium,
            args=[
                "--no-sandbox",
                "--disable-background-networking",
                "--use-fake-device-for-media-stream",
                "--use-fake-ui-for-media-stream",
                f"--use-file-for-fake-audio-capture={microphone}",
            ],
        )
        yield found
        found.close()
