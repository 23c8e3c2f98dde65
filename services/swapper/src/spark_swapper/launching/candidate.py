"""A model that can be started right now, and everything needed to start it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from spark_swapper.launching.flags import is_pooling, merge_flags


@dataclass(frozen=True)
class Candidate:
    """A model of the menu that is complete on disk, turned into argument lists.

    Every argument list is data: one element reaches the Spark as one argument. Both
    ``launch_argv`` and ``stop_argv`` start with ``./launch-cluster.sh`` and are run in the
    checkout of spark-vllm-docker (``VLLM_DIR``).
    """

    key: str
    """Key of the recipe, unique on the menu."""
    name: str
    """What people call it."""
    repo: str
    """``owner/name``; equals ``root`` of the runtime's ``/v1/models`` once it serves."""
    served_name: str
    """The ``model`` that clients of ``/v1`` name."""
    mode: Literal["solo", "cluster"]
    hosts: tuple[str, ...]
    """Names of the hosts it runs on (``spark1`` ...), the head first; none in a mere preview."""
    image: str
    """Docker image of the runtime."""
    launch_argv: tuple[str, ...]
    """The whole list: ``./launch-cluster.sh -t IMAGE ... -d exec vllm serve REPO ...``."""
    vllm_argv: tuple[str, ...]
    """What follows ``vllm serve`` in it, for the pre-flight through vLLM's own parser."""
    stop_argv: tuple[str, ...]
    """Stops the container on the one host where it is run: ``... --name NAME --solo stop``."""
    env: Mapping[str, str] = field(default_factory=dict)
    """Environment of ``launch-cluster.sh`` itself, not of the container."""
    volumes: tuple[str, ...] = ()
    """``HOST:CONTAINER[:ro]`` of directories that the runtime needs besides the cache."""
    weight_bytes: int | None = None
    """Of the whole model on disk; None when nobody knows."""

    @property
    def pooling(self) -> bool:
        """Whether it was started to embed or to rank: it has no chat then."""
        return is_pooling(merge_flags(self.vllm_argv[1:]))

    @property
    def head(self) -> str:
        """The host that launches and answers HTTP."""
        return self.hosts[0]
