"""What kind of model it is, as far as its launch depends on that. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass

from spark_common.contracts.models import Suggested
from spark_swapper.suggest.config import Config
from spark_swapper.suggest.facts import ModelFiles

_EXPERTS = ("num_experts", "num_local_experts", "n_routed_experts", "moe_num_experts")
_STATEFUL = ("linear_attention", "mamba", "mamba2", "recurrent", "linear")
_GENERATES = ("ForCausalLM", "ForConditionalGeneration", "LMHeadModel", "ChatModel")
_POOLS = (
    "ForSequenceClassification",
    "ForTokenClassification",
    "ForTextEncoding",
    "EmbeddingModel",
    "RewardModel",
    "Model",
)
"""Endings of architectures; those of ``_GENERATES`` are looked at first."""


@dataclass(frozen=True)
class Traits:
    """The traits that were found, each with its proof."""

    moe: Suggested[str] | None = None
    hybrid: Suggested[str] | None = None
    vision: Suggested[str] | None = None
    audio: Suggested[str] | None = None
    pooling: Suggested[str] | None = None
    custom_code: Suggested[str] | None = None

    @property
    def multimodal(self) -> Suggested[str] | None:
        """Whether it takes anything beside text."""
        return self.vision or self.audio

    def listed(self) -> list[Suggested[str]]:
        """Return all of them."""
        found = (self.moe, self.hybrid, self.multimodal, self.pooling, self.custom_code)
        return [trait for trait in found if trait is not None]


def read_traits(files: ModelFiles, config: Config) -> Traits:
    """Return what the files say."""
    pooling = _pooling(files, config)
    return Traits(
        moe=_moe(config),
        hybrid=_hybrid(config),
        vision=_sense(config, "vision_config"),
        audio=_sense(config, "audio_config"),
        pooling=pooling,
        custom_code=_custom_code(files, config),
    )


def _moe(config: Config) -> Suggested[str] | None:
    experts = config.number(*_EXPERTS)
    # Dense models of mixed families say zero or one.
    if experts is None or experts.value == 1:
        return None
    note = f"{experts.value} experts"
    if used := config.number("num_experts_per_tok", "top_k_experts", "moe_topk"):
        note += f", {used.value} per token"
    return Suggested(value="moe", source=experts.source, certainty="read", note=note)


def _hybrid(config: Config) -> Suggested[str] | None:
    for key in ("layer_types", "layers_block_type"):
        stateful = [word for word in config.words(key) if word in _STATEFUL]
        if stateful:
            found = config.find(key)
            source = found[1] if found else key
            note = f"{len(stateful)} layers of {stateful[0]}"
            return Suggested(value="hybrid", source=source, certainty="read", note=note)
    pattern = config.find("hybrid_override_pattern")
    if pattern and isinstance(pattern[0], str) and "M" in pattern[0]:
        note = f"{pattern[0].count('M')} Mamba layers"
        return Suggested(value="hybrid", source=pattern[1], certainty="read", note=note)
    if every := config.number("full_attention_interval", "attn_layer_period"):
        note = f"only every {every.value}. layer is full attention"
        return Suggested(value="hybrid", source=every.source, certainty="derived", note=note)
    return None


def _sense(config: Config, key: str) -> Suggested[str] | None:
    top = config.top.fields
    thinker = top.get("thinker_config")
    for place, fields in (("", top), ("thinker_config.", thinker)):
        if isinstance(fields, Mapping) and isinstance(fields.get(key), Mapping):
            source = config.top.source(place + key)
            return Suggested(value="multimodal", source=source, certainty="read")
    return None


def _pooling(files: ModelFiles, config: Config) -> Suggested[str] | None:
    if files.sentence_transformers:
        note = "a sentence-transformers repository"
        return Suggested(value="pooling", source="modules.json", certainty="derived", note=note)
    architecture = config.architecture or ""
    if architecture.endswith(_POOLS) and not architecture.endswith(_GENERATES):
        source = config.top.source("architectures")
        return Suggested(value="pooling", source=source, certainty="derived", note=architecture)
    name = files.repo.rpartition("/")[2].lower()
    for word in ("embedding", "reranker"):
        if word in name:
            note = f"its name says {word}"
            return Suggested(value="pooling", source="name", certainty="guessed", note=note)
    return None


def _custom_code(files: ModelFiles, config: Config) -> Suggested[str] | None:
    note = "Python files of the repository run inside the container"
    if mapped := config.mapping("auto_map"):
        source = mapped.place.rstrip(".")
        return Suggested(value="custom_code", source=source, certainty="read", note=note)
    mapped_by_tokenizer = (files.tokenizer or {}).get("auto_map")
    if isinstance(mapped_by_tokenizer, Mapping) and mapped_by_tokenizer:
        source = "tokenizer_config.json: auto_map"
        return Suggested(value="custom_code", source=source, certainty="read", note=note)
    return None
