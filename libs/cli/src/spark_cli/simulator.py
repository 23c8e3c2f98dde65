"""The two simulated Sparks as a child process, and the switch for their behaviour."""

import json
from dataclasses import dataclass
from pathlib import Path

import httpx

from spark_cli.addresses import Listener
from spark_cli.parts import Program, clean_environment, http_ready
from spark_cli.run_folder import RunFolder

SPARK_PORTS = {"SSH": 2222, "vLLM": 8888}
"""Ports on every simulated Spark that are checked before anything starts."""


@dataclass(frozen=True)
class SimulatedSparks:
    """Where the simulated Sparks are and how fast their time runs."""

    spark1: str = "127.0.0.11"
    spark2: str = "127.0.0.12"
    ssh_port: int = 2222
    control_port: int = 9190
    speed: float = 10.0

    def listeners(self) -> list[Listener]:
        """Every place where the simulator will listen that can be checked before."""
        control = Listener("simulator", "127.0.0.1", self.control_port)
        ssh = [Listener("simulator", host, self.ssh_port) for host in (self.spark1, self.spark2)]
        return [control, *ssh, Listener("simulator", self.spark1, 8888)]

    @property
    def control_url(self) -> str:
        """Address of the control API."""
        return f"http://127.0.0.1:{self.control_port}"

    def cluster(self, key: Path, known_hosts: Path) -> dict[str, str]:
        """Return the settings that point the services at these Sparks."""
        return {
            "DEMO": "true",
            "SPARK1_HOST": self.spark1,
            "SPARK1_USER": "spark",
            "SPARK1_SSH_PORT": str(self.ssh_port),
            "SPARK2_HOST": self.spark2,
            "SPARK2_USER": "spark",
            "SPARK2_SSH_PORT": str(self.ssh_port),
            "SSH_KEY_PATH": str(key),
            "SSH_KNOWN_HOSTS": str(known_hosts),
            "VLLM_PORT": "8888",
            "MATRIX_BRIDGE_USER": "bridge",
        }

    def timing(self) -> dict[str, str]:
        """Return the swapper's limits in the simulator's faster time."""
        return {
            "DRAIN_SECONDS": "5",
            "STOP_SECONDS": "30",
            "LOAD_DEADLINE_SECONDS": str(max(30, round(1800 / self.speed))),
            "STALL_SECONDS": str(max(15, round(300 / self.speed))),
            "APPEAR_SECONDS": "10",
            "POLL_SECONDS": "0.3",
            "MEMORY_SETTLE_SECONDS": str(max(10, round(60 / self.speed))),
            "FREEZE_SECONDS": str(max(15, round(120 / self.speed))),
        }


def simulator_program(
    sparks: SimulatedSparks, public_key: Path, folder: RunFolder, client: httpx.AsyncClient
) -> Program:
    """Return the simulator as a part."""
    return Program(
        name="two Sparks",
        module="spark_sim",
        arguments=(
            "--dir", str(folder.sub("sparks")),
            "--spark1", sparks.spark1,
            "--spark2", sparks.spark2,
            "--ssh-port", str(sparks.ssh_port),
            "--control-port", str(sparks.control_port),
            "--authorized-key", str(public_key),
            "--speed", str(sparks.speed),
        ),
        env=clean_environment(),
        log=folder.log("sparks"),
        probe=http_ready(
            client,
            f"{sparks.control_url}/_sim/state",
            f"simulated, {sparks.spark1} and {sparks.spark2}, time runs {sparks.speed:g} x",
        ),
    )  # fmt: skip


def set_behaviour(control_url: str, host: str, behaviour: str) -> None:
    """Switch a simulated Spark to a behaviour, its launcher, or one of its speech services.

    Raises httpx.HTTPError.
    """
    service, dot, switch = behaviour.partition(".")
    name, equals, value = switch.partition("=")
    if dot and equals and service in ("parakeet", "kokoro"):
        _put(f"{control_url}/_sim/speech", {"service": service, name: _read(value)})
        return
    launcher = behaviour.removeprefix("launcher=")
    what = "behaviour" if launcher == behaviour else "launcher"
    _put(f"{control_url}/_sim/{what}", {"host": host, what: launcher})


def set_checkout(control_url: str, host: str, state: str) -> None:
    """Put the launcher's checkout of a simulated Spark into a state. Raises httpx.HTTPError."""
    _put(f"{control_url}/_sim/checkout", {"host": host, "state": state})


def _read(value: str) -> object:
    """Return what is JSON as what it is, and anything else as text."""
    try:
        return json.loads(value)
    except ValueError:
        return value


def _put(url: str, body: dict[str, object]) -> None:
    answer = httpx.put(
        url,
        content=json.dumps(body),
        headers={"content-type": "application/json"},
        timeout=5.0,
    )
    answer.raise_for_status()
