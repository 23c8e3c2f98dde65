"""What is known before anything is inferred: a model's files and the Sparks. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from pydantic import JsonValue

JsonObject: TypeAlias = Mapping[str, JsonValue]

GIB = 2**30


@dataclass(frozen=True)
class ModelFiles:
    """The files of one repository as far as they say how to launch it."""

    repo: str
    """As spelled on disk."""
    config: JsonObject | None = None
    """``config.json``; None when there is none that can be read."""
    tokenizer: JsonObject | None = None
    """``tokenizer_config.json``."""
    hf_quant: JsonObject | None = None
    """``hf_quant_config.json`` of older ModelOpt checkpoints."""
    sentence_bert: JsonObject | None = None
    """``sentence_bert_config.json``."""
    sentence_transformers: bool = False
    """Whether ``modules.json`` is there."""
    chat_template: Literal["tools", "plain", "none", "unknown"] = "unknown"
    """Whether there is one, and whether it speaks of tools."""
    formats: frozenset[str] = frozenset()
    """Of ``safetensors``, ``bin``, ``gguf``, ``mistral``."""
    weight_bytes: int = 0
    """Of all weight files; 0 when unknown."""


@dataclass(frozen=True)
class HostFacts:
    """One Spark, as far as it matters for a suggestion."""

    name: str
    label: str
    memory_bytes: int | None = None
    """All of it; the GPU uses the same."""
    holds: bool = False
    """Whether all files of the model are on its disk."""


@dataclass(frozen=True)
class ClusterFacts:
    """The Sparks in the order of the settings, the head first."""

    hosts: tuple[HostFacts, ...] = field(default_factory=tuple)

    @property
    def memory_bytes(self) -> int | None:
        """Memory of the smallest Spark that said how much it has."""
        return min((host.memory_bytes for host in self.hosts if host.memory_bytes), default=None)

    def lacking(self, nodes: int) -> tuple[str, ...]:
        """Return labels of the first ``nodes`` hosts without the files."""
        return tuple(host.label for host in self.hosts[:nodes] if not host.holds)
