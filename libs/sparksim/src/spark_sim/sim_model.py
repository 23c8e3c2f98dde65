"""A model on a simulated disk: what it is, and in which shape it lies there."""

from dataclasses import dataclass, field
from enum import StrEnum

GB = 1_000_000_000


class Shape(StrEnum):
    """What a download, a copy or an accident left in the cache."""

    CLASSIC = "classic"
    """Files in ``blobs``, links in ``snapshots``."""
    SHARED = "shared"
    """Weights in the store of the hub, as huggingface_hub leaves them since 1.32."""
    HARD_LINKED = "hard_linked"
    """Snapshots have second names of the files instead of links."""
    OLD_PARTIAL = "old_partial"
    """Unfinished files are named as before huggingface_hub 1.20."""
    DANGLING = "dangling"
    """Links into a store that is not there: what ``rsync -a`` copies to the peer."""
    MISSING_SHARD = "missing_shard"
    """One shard was removed by hand, with its link."""
    BROKEN_INDEX = "broken_index"
    """The index of the weights is cut off in the middle."""
    NO_SNAPSHOT = "no_snapshot"
    """The download ended before the first file."""
    ROOTS = "roots"
    """Downloaded inside the container: the files belong to root."""


@dataclass(frozen=True)
class SimModel:
    """A repository of the Hugging Face hub as it lies in a cache."""

    repo: str
    size_bytes: int
    hosts: tuple[str, ...]
    architecture: str
    model_type: str
    context_length: int
    """Tokens."""
    shards: int
    load_seconds: float
    """Of the weights, cold, on a real Spark."""
    reasoning: bool = False
    """Whether it thinks before it answers (needs ``--reasoning-parser`` to be told apart)."""
    downloaded: float = 1.0
    """Share of the shards that is on disk."""
    quantization: dict[str, object] = field(default_factory=dict)
    vision: bool = False
    details: dict[str, object] = field(default_factory=dict)
    """What else stands in ``config.json`` about the language model: layers, heads, experts."""
    auto_map: dict[str, str] = field(default_factory=dict)
    """Python classes of the repository itself; loading them needs ``--trust-remote-code``."""

    shape: Shape = Shape.CLASSIC
    """How it lies in the cache."""
    shapes: dict[str, Shape] = field(default_factory=dict)
    """Likewise on single hosts where it differs."""

    @property
    def folder(self) -> str:
        """Name of its folder in the hub."""
        return "models--" + self.repo.replace("/", "--")
