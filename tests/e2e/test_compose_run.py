"""deploy/ as it runs: the bundle on a real Docker, with Sparks that nobody can reach."""

import functools
import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from testcontainers.compose import DockerCompose

from spark_common.testing.ports import free_port

ROOT = Path(__file__).parents[2]
BASE, NATS, REDIS = "python:3.12-slim", "nats:2.12-alpine", "valkey/valkey:9-alpine"
IMAGE = "spark-control:tested"
SERVICES = {"gateway", "swapper", "health", "audio-proxy", "redaction", "coordinator"}
RUNNING = {*SERVICES, "nats", "redis"}

# A transaction and a script: Valkey drops these first when it may not replay what it confirmed.
WRITE = """
import asyncio, os, sys
from pathlib import Path
from redis.asyncio import Redis

async def main():
    password = Path(os.environ["REDIS_PASSWORD_FILE"]).read_text().strip()
    redis = Redis.from_url(
        os.environ["REDIS_URL"], username=os.environ["REDIS_USER"], password=password,
        decode_responses=True,
    )
    if sys.argv[1] == "write":
        await redis.eval("redis.call('SET', KEYS[1], 'a') redis.call('SET', KEYS[2], 'b')",
                         2, "sc:test:a", "sc:test:b")
    print(await redis.get("sc:test:a"), await redis.get("sc:test:b"))

asyncio.run(main())
"""

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(600)]


def run(*command: str, check: bool = True, seconds: float = 300) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=seconds, cwd=ROOT)
    if check and done.returncode:
        raise AssertionError(f"{' '.join(command)}: {done.stdout[-2000:]}{done.stderr[-4000:]}")
    return done.stdout


def missing() -> str | None:
    """Return what stands between this machine and the bundle."""
    if shutil.which("docker") is None:
        return "docker is not installed"
    if subprocess.run(["docker", "info"], capture_output=True).returncode:
        return "no Docker engine answers"
    if subprocess.run(["docker", "compose", "version"], capture_output=True).returncode:
        return "the compose plugin of Docker (`docker compose`) is not installed"
    for image in (BASE, NATS, REDIS):
        if subprocess.run(["docker", "image", "inspect", image], capture_output=True).returncode:
            return f"the image {image} is not here: docker pull {image}, or see CONTRIBUTING.md"
    return None


@dataclass
class Project(DockerCompose):
    """A compose project of a name of its own: nobody's bundle and volumes are touched."""

    name: str = ""

    @functools.cached_property
    def compose_command_property(self) -> list[str]:
        docker, compose, *options = super().compose_command_property
        return [docker, compose, "-p", self.name, *options]


@dataclass(frozen=True)
class Bundle:
    """A running compose project."""

    project: Project
    port: int

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def compose(self, *arguments: str, check: bool = True) -> str:
        return run(*self.project.compose_command_property, *arguments, check=check)

    def up(self) -> None:
        try:
            self.project.start()
        except subprocess.CalledProcessError as error:
            raise AssertionError(error.stderr.decode()[-4000:]) from None

    def containers(self) -> dict[str, dict[str, Any]]:
        """Return what Docker knows about every container, by service."""
        listed: list[dict[str, Any]] = json.loads(
            run("docker", "inspect", *self.compose("ps", "-aq").split())
        )
        return {c["Config"]["Labels"]["com.docker.compose.service"]: c for c in listed}

    def python(self, service: str, code: str, *arguments: str, check: bool = True) -> str:
        return self.compose("exec", "-T", service, "python", "-c", code, *arguments, check=check)

    def secrets(self) -> list[str]:
        code = (
            "from pathlib import Path\n"
            "for path in [*Path('/secrets/nats').glob('*.nk'), Path('/secrets/redis/password')]:\n"
            "    print(path.read_text().strip())"
        )
        return self.python("swapper", code).split()

    def public_keys(self) -> set[str]:
        return set(re.findall(r"ssh-ed25519 \S+", self.compose("logs", "init")))

    def until_healthy(self, seconds: float = 90) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            states = {name: c["State"] for name, c in self.containers().items() if name != "init"}
            if all(s.get("Health", {}).get("Status") == "healthy" for s in states.values()):
                return
            time.sleep(0.5)
        raise AssertionError(self.compose("ps", "-a") + self.compose("logs", "--tail", "20"))


@pytest.fixture(scope="module")
def bundle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bundle]:
    reason = missing()
    if reason is not None:
        pytest.skip(reason)
    run("docker", "build", "-q", "-f", "deploy/Dockerfile", "-t", IMAGE, ".", seconds=500)
    port = free_port()
    settings = tmp_path_factory.mktemp("compose") / "env"
    settings.write_text(
        "SPARK1_HOST=127.0.0.11\nSPARK1_USER=alice\nSPARK2_HOST=127.0.0.12\nSPARK2_USER=alice\n"
        f"GATEWAY_PORT={port}\nSPARK_CONTROL_IMAGE={IMAGE}\n"
    )
    project = Project(
        ROOT / "deploy",
        compose_file_name=str(ROOT / "deploy" / "compose.yaml"),
        env_file=str(settings),
        name=f"spark-test-{os.getpid()}",
    )
    bundle = Bundle(project, port)
    try:
        bundle.up()
        yield bundle
    finally:
        project.stop()
        run("docker", "image", "rm", IMAGE, check=False)


def test_the_dashboard_and_its_api_answer(bundle: Bundle) -> None:
    with httpx.Client(base_url=bundle.url, trust_env=False, timeout=20) as http:
        assert http.get("/").headers["content-type"].startswith("text/html")
        status = http.get("/api/status").raise_for_status().json()
        assert status["bus"]["connected"]
        assert {part["name"] for part in status["components"]} == SERVICES
        assert {part["state"] for part in status["components"]} == {"up"}
        refused = http.post("/api/swap", json={"model": "gpt-oss-120b"})
    assert refused.status_code == 503
    assert refused.headers["content-type"] == "application/problem+json"
    assert "Spark 1" in refused.json()["detail"]


def test_no_container_has_rights_or_writes_outside_its_volumes(bundle: Bundle) -> None:
    for name, container in bundle.containers().items():
        host = container["HostConfig"]
        assert (container["Config"]["User"], host["ReadonlyRootfs"]) == ("10001:10001", True), name
        assert host["Memory"] > 0, name
        assert host["LogConfig"]["Config"]["max-size"] == "10m", name
        mounts = {mount["Destination"] for mount in container["Mounts"]} | {"/tmp"}
        changed = {line[2:] for line in run("docker", "diff", container["Id"]).splitlines()}
        assert changed <= mounts, name
    for name in SERVICES:
        assert "CapEff:\t0000000000000000" in bundle.python(
            name, "print(open('/proc/1/status').read())"
        )


def test_secrets_are_in_no_environment_argument_or_log(bundle: Bundle) -> None:
    secrets = bundle.secrets()
    assert len(secrets) > len(SERVICES)
    shown = json.dumps(bundle.containers()) + bundle.compose("logs")
    assert not [number for number, secret in enumerate(secrets) if secret in shown]
    assert "PRIVATE KEY" not in shown


def test_only_those_who_log_in_can_read_the_ssh_key(bundle: Bundle) -> None:
    code = "import os; print(os.path.exists('/secrets/ssh/id_ed25519'))"
    seen = {name for name in SERVICES if bundle.python(name, code).strip() == "True"}
    assert seen == {"swapper", "health"}


def test_a_second_start_keeps_every_key(bundle: Bundle) -> None:
    secrets, public = bundle.secrets(), bundle.public_keys()
    assert len(public) == 1
    bundle.compose("up", "-d", "--wait", "--force-recreate")
    assert bundle.secrets() == secrets
    assert bundle.public_keys() == public


def test_the_record_survives_a_restart(bundle: Bundle) -> None:
    assert bundle.python("swapper", WRITE, "write").split() == ["a", "b"]
    bundle.compose("restart", "redis", "nats")
    bundle.until_healthy()
    assert bundle.python("swapper", WRITE, "read").split() == ["a", "b"]


def test_what_ends_by_itself_is_started_again(bundle: Bundle) -> None:
    before = bundle.containers()["coordinator"]["State"]["StartedAt"]
    bundle.python("coordinator", "import os, signal; os.kill(1, signal.SIGTERM)", check=False)
    deadline = time.monotonic() + 60
    while bundle.containers()["coordinator"]["State"]["StartedAt"] == before:
        assert time.monotonic() < deadline
        time.sleep(0.5)
    bundle.until_healthy()


def test_stopping_is_graceful_and_quick_with_a_page_open(bundle: Bundle) -> None:
    with httpx.stream("GET", f"{bundle.url}/api/live", trust_env=False, timeout=20) as page:
        assert page.status_code == 200
        started = time.monotonic()
        bundle.compose("stop")
        took = time.monotonic() - started
    assert took < 15
    ends = {name: c["State"]["ExitCode"] for name, c in bundle.containers().items()}
    assert ends == dict.fromkeys(RUNNING | {"init"}, 0)
    bundle.up()
