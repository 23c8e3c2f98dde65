"""The groups of settings that more than one service reads."""

import re
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field

from spark_common.settings.load import (
    Env,
    Environment,
    Settings,
    SettingsError,
    Shown,
    read_fields,
)
from spark_common.settings.values import (
    Address,
    BindPort,
    ContainerName,
    ImageName,
    NatsUrl,
    Port,
    RedisUrl,
    RemoteDirectory,
    User,
)

_HOST_VARIABLE = re.compile(r"SPARK([1-9][0-9]{0,2})_(HOST|USER|SSH_PORT)\Z")


class BusSettings(Settings):
    """Where NATS is and who we are there."""

    url: Annotated[NatsUrl, Env("NATS_URL")] = Field(
        description="for example nats://127.0.0.1:4222"
    )
    seed_file: Annotated[Path | None, Env("NATS_SEED_FILE")] = None
    """File with this service's nkey seed, mode 0600; None where the server asks for none."""


class RedisSettings(Settings):
    """Where Redis is and who we are there."""

    url: Annotated[RedisUrl, Env("REDIS_URL")] = Field(
        description="for example redis://127.0.0.1:6379/0"
    )
    user: Annotated[str | None, Env("REDIS_USER")] = None
    password_file: Annotated[Path | None, Env("REDIS_PASSWORD_FILE")] = None
    """File with the password, mode 0600; None where the server asks for none."""


class HttpSettings(Settings):
    """Where the process listens and how much it says."""

    bind_host: Address = "127.0.0.1"
    bind_port: BindPort = Field(description="the port of this service")
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], BeforeValidator(str.lower)
    ] = "info"


class HostSettings(Settings):
    """How to reach one Spark."""

    name: str
    """``spark1``"""
    label: str
    """``Spark 1``"""
    address: Annotated[Address, Env("HOST")]
    user: Annotated[User, Env("USER")] = Field(description="the login name on this Spark")
    ssh_port: Port = 22


class RuntimeSettings(Settings):
    """The vLLM server on the Sparks, and what starts it there."""

    vllm_port: Annotated[Port, Shown(label="Port of vLLM")] = 8888
    """Where vLLM listens on the Sparks. The gateway sends new requests there at once; a model that
    is loaded stays where it was started until the next swap."""
    vllm_container: Annotated[ContainerName, Shown(label="Container of vLLM")] = "vllm_node"
    """Name of the container that the launcher starts. Change it while no model is loaded: a
    container under the old name is not stopped any more."""
    vllm_dir: Annotated[RemoteDirectory, Shown(label="Folder of the launcher")] = (
        "spark-vllm-docker"
    )
    """Checkout of the launcher, relative to the remote home."""
    vllm_image: Annotated[ImageName, Shown(label="Image of vLLM")] = "vllm-node"
    """The image of recipes that name none of their own."""


_RUNTIME = ("vllm_port", "vllm_container", "vllm_dir", "vllm_image")


class HostsSettings(RuntimeSettings):
    """The Sparks by number, and the runtime on them."""

    hosts: tuple[HostSettings, ...]

    @classmethod
    def read(cls, environment: Environment) -> Self:
        """Read ``SPARKn_*`` for every n; at least ``SPARK1_HOST`` and ``SPARK1_USER``."""
        hosts = _read_hosts(environment)
        return cls(hosts=hosts, **read_fields(cls, environment, leave_out=frozenset({"hosts"})))

    @property
    def beside(self) -> HostSettings:
        """The Spark for what runs beside the model: the second one, or the only one."""
        return self.hosts[min(1, len(self.hosts) - 1)]

    @property
    def runtime(self) -> RuntimeSettings:
        """The runtime alone, as a group that the owner edits."""
        return RuntimeSettings(**{name: getattr(self, name) for name in _RUNTIME})

    def with_runtime(self, runtime: RuntimeSettings) -> Self:
        """Return the same Sparks with another runtime on them."""
        return self.model_copy(update={name: getattr(runtime, name) for name in _RUNTIME})


class ClusterSettings(HostsSettings):
    """The Sparks, the key that opens them, and the runtime on them."""

    ssh_key_path: Path = Field(description="the private key file that opens the Sparks")
    known_hosts_path: Annotated[Path, Env("SSH_KNOWN_HOSTS")] = Field(
        description="a file this service may write; it remembers the Sparks' host keys"
    )


def _read_hosts(environment: Environment) -> tuple[HostSettings, ...]:
    numbers = sorted(
        {int(found[1]) for name in environment.variables if (found := _HOST_VARIABLE.match(name))}
    )
    hosts = []
    for number in numbers:
        variable = f"SPARK{number}_HOST"
        if environment.raw(variable):
            hosts.append(_read_host(number, environment))
        elif number > 1:
            environment.warnings.append(f"{variable} is not set; Spark {number} is left out")
    if not environment.raw("SPARK1_HOST"):
        raise SettingsError("SPARK1_HOST is not set: the address of the first Spark is required")
    return tuple(hosts)


def _read_host(number: int, environment: Environment) -> HostSettings:
    own = environment.below(f"SPARK{number}_")
    fields = read_fields(HostSettings, own, leave_out=frozenset({"name", "label"}))
    return HostSettings(name=f"spark{number}", label=f"Spark {number}", **fields)
