"""What a simulated cluster is made of."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from spark_sim.catalogue import DEFAULT_CATALOGUE, SimModel

VLLM_PORT = 8888
CONTROL_ADDRESS = "127.0.0.1"


@dataclass(frozen=True)
class SimConfig:
    """Settings of a simulated cluster. Addresses are on 127.0.0.0/8, port 0 means a free one."""

    directory: Path
    """Where the sandboxes, host keys, container states and the journal live."""
    authorized_key: str
    """The one public key that may log in, as a line of ``authorized_keys``."""
    spark1: str = "127.0.0.11"
    spark2: str = "127.0.0.12"
    ssh_port: int = 2222
    """The same on both hosts; 0 gives each host a free port of its own."""
    control_port: int = 9190
    speed: float = 10.0
    """How many times faster than on a real Spark everything takes place."""
    tokens_per_second: float = 45.0
    """Real speed of one answer; divided by nothing: ``speed`` does not touch it."""
    neighbours: bool = True
    """Whether speech, voice, embeddings and Qdrant listen too."""
    service_containers: bool = True
    """Whether voice, embeddings, Qdrant and a Matrix bridge are in containers: their ports open
    and close with them. Else they listen without."""
    resume: bool = True
    """Whether containers that ran when the simulator stopped come back running."""
    env_file: bool = True
    """Whether the checkout has its ``.env`` with the cluster's nodes."""
    launcher: Literal["2026-09", "2026-01"] = "2026-09"
    """Of which time the checkout of spark-vllm-docker is: without Ray, or with it."""
    kernel_log: bool = True
    """Whether the SSH user may read the kernel's log."""
    docker: Literal["28", "29"] = "28"
    """Whose wording docker has: from 29 on some errors begin in lower case."""
    images: dict[str, dict[str, str]] = field(default_factory=dict)
    """Image ids that differ from the usual ones: host -> tag -> 64 hex digits."""
    reboot_seconds: float = 180.0
    """How long a host hangs that ran out of memory before somebody starts it anew."""
    plain_user: bool = False
    """Whether files that were downloaded inside the container are beyond the SSH user's rights.

    A simulator run by root then runs SSH commands as somebody else, so ``directory`` has to lie
    where everybody may go; run by anybody else it takes the right to write from those folders.
    """
    catalogue: tuple[SimModel, ...] = DEFAULT_CATALOGUE

    @property
    def addresses(self) -> dict[str, str]:
        """Address of each host by name."""
        return {"spark1": self.spark1, "spark2": self.spark2}
