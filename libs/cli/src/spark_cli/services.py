"""The six services as child processes, with the environment each one gets."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from spark_cli.parts import Program, Start, clean_environment, http_ready
from spark_cli.redaction_key import ensure_redaction_key
from spark_cli.run_folder import RunFolder
from spark_common.owner import TABLE

GATEWAY_PORT = 9999
_PORTS = {
    "coordinator": 9105,
    "swapper": 9101,
    "health": 9102,
    "audio-proxy": 9103,
    "redaction": 9104,
}
_SSH_USERS = frozenset({"swapper", "health"})
_TIMED = frozenset({"swapper", "coordinator"})
"""Who acts on the timings, and who shows the owner what holds."""
_SECRETS = frozenset(field.name for field in TABLE.fields if field.secret)
_SECRETS_OF = {
    "swapper": frozenset({"HF_TOKEN"}),
    "health": frozenset({"NGC_API_KEY"}),
    "coordinator": _SECRETS - {"HF_TOKEN"},
}


@dataclass(frozen=True)
class Wiring:
    """Where the bus and the record are, and what the Sparks' settings say."""

    bus: Mapping[str, str]
    """NATS_URL, REDIS_URL, REDIS_USER, REDIS_PASSWORD_FILE as the services read them."""
    seeds: Path | None = None
    """Folder with one seed file per identity, ``<identity>.nk``; None where none is asked for."""
    cluster: Mapping[str, str] = field(default_factory=dict)
    """SPARKn_*, SSH_*, VLLM_*, HF_TOKEN* and WEBHOOK_* as the services read them."""
    timing: Mapping[str, str] = field(default_factory=dict)
    bind_host: str = "127.0.0.1"
    gateway_port: int = GATEWAY_PORT
    ports: Mapping[str, int] = field(default_factory=lambda: dict(_PORTS))
    """Port of every service but the gateway, all on loopback."""

    @staticmethod
    def usual_ports() -> dict[str, int]:
        """Return the port of every service but the gateway, as documented."""
        return dict(_PORTS)


def service_programs(
    wiring: Wiring, folder: RunFolder, client: httpx.AsyncClient, begin: Start
) -> list[Program]:
    """Return all six, ready to be started at the same time by ``begin``."""
    ports = {**wiring.ports, "gateway": wiring.gateway_port}
    programs = []
    for name, port in ports.items():
        url = f"http://127.0.0.1:{port}"
        programs.append(
            Program(
                name=name,
                module=f"spark_{name.replace('-', '_')}",
                env=service_environment(name, port, wiring, folder),
                log=folder.log(name),
                probe=http_ready(client, f"{url}/readyz", url),
                begin=begin,
            )
        )
    return programs


def service_environment(name: str, port: int, wiring: Wiring, folder: RunFolder) -> dict[str, str]:
    """Return the whole environment of one service; secrets are paths to files."""
    environment = clean_environment() | {
        **wiring.bus,
        "BIND_HOST": wiring.bind_host if name == "gateway" else "127.0.0.1",
        "BIND_PORT": str(port),
        "DATA_DIR": str(folder.sub("data", name)),
    }
    if name == "gateway":
        environment |= {
            "AUDIO_PROXY_PORT": str(wiring.ports["audio-proxy"]),
            "REDACTION_PORT": str(wiring.ports["redaction"]),
        }
    if name == "redaction":
        environment |= {
            "REDACTION_MAP_DB": str(folder.sub("data", name) / "redaction.db"),
            "REDACTION_KEY_FILE": str(ensure_redaction_key(folder.sub("redaction"))),
        }
    environment |= wiring.cluster
    if name in _TIMED:
        environment |= wiring.timing
    if name != "swapper":
        environment = {key: v for key, v in environment.items() if not key.startswith("HF_")}
    hidden = _SECRETS - _SECRETS_OF.get(name, frozenset())
    environment = {key: value for key, value in environment.items() if key not in hidden}
    if wiring.seeds is not None:
        environment["NATS_SEED_FILE"] = str(wiring.seeds / f"{name}.nk")
        if name == "coordinator":
            environment["NATS_PROVISIONER_SEED_FILE"] = str(wiring.seeds / "provisioner.nk")
    if name == "coordinator":
        environment["GATEWAY_PORT"] = str(wiring.gateway_port)
    else:
        environment = {key: v for key, v in environment.items() if not key.startswith("WEBHOOK_")}
    if name not in _SSH_USERS:
        environment = {key: v for key, v in environment.items() if not key.startswith("SSH_")}
    return environment
