"""Which arguments follow from what is known, each with its reason. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from spark_common.contracts.models import Suggested
from spark_swapper.suggest.arguments import Arguments
from spark_swapper.suggest.facts import ModelFiles
from spark_swapper.suggest.families import FAST, Extra, Family
from spark_swapper.suggest.memory import MemoryPlan
from spark_swapper.suggest.traits import Traits

HYBRID_TOKENS = 8192
MULTIMODAL_TOKENS = 16_384
FAST_MOST = 0.55
"""Share of a Spark's memory up to which fastsafetensors is used; it holds weights twice."""
_RERANKER = (
    '--hf-overrides={"architectures":["Qwen3ForSequenceClassification"],'
    '"classifier_from_token":["no","yes"],"is_original_qwen3_reranker":true}'
)


@dataclass(frozen=True)
class Known:
    """Everything the flags depend on."""

    files: ModelFiles
    traits: Traits
    family: Family | None
    extra: Extra | None
    memory: MemoryPlan
    share: Suggested[float]
    context: Suggested[int | None]
    tool_parser: Suggested[str | None]
    reasoning_parser: Suggested[str | None]


def suggest_flags(known: Known) -> list[Suggested[str]]:
    """Return all arguments behind ``vllm serve REPO``, no flag twice."""
    found = Arguments()
    share, context = known.share, known.context
    found.add(
        f"--gpu-memory-utilization={share.value:g}", share.source, share.certainty, share.note
    )
    if context.value is not None:
        found.add(
            f"--max-model-len={context.value}", context.source, context.certainty, context.note
        )
    _batched_tokens(found, known.traits)
    if known.traits.pooling is not None:
        _pooling(found, known)
    else:
        _family(found, known)
        _parsers(found, known)
    if trait := known.traits.custom_code:
        found.add("--trust-remote-code", trait.source, "derived", trait.note)
    return found.suggested()


def _batched_tokens(found: Arguments, traits: Traits) -> None:
    if trait := traits.multimodal:
        note = "one picture must fit into a batch"
        found.add(f"--max-num-batched-tokens={MULTIMODAL_TOKENS}", trait.source, "derived", note)
    elif trait := traits.hybrid:
        note = "blocks of state layers are longer than the default batch"
        found.add(f"--max-num-batched-tokens={HYBRID_TOKENS}", trait.source, "derived", note)


def _pooling(found: Arguments, known: Known) -> None:
    trait = known.traits.pooling
    if trait is None:
        return
    found.add("--runner=pooling", trait.source, trait.certainty, trait.note)
    name = known.files.repo.rpartition("/")[2].lower()
    architectures = (known.files.config or {}).get("architectures")
    if "qwen3-reranker" in name and architectures == ["Qwen3ForCausalLM"]:
        note = "it also needs --chat-template with the template of the model card"
        found.add(_RERANKER, "family Qwen3 Reranker", "guessed", note)


def _family(found: Arguments, known: Known) -> None:
    family = known.family
    if family is None:
        return
    source = f"family {family.label}"
    flags: Sequence[str] = family.flags
    extra = known.extra
    # The way the weights are stored is the more special reason.
    for flag in (*(extra.flags if extra else ()), *flags):
        if flag == FAST and not _may_load_fast(known):
            continue
        found.add(flag, source, family.certainty, extra.note if extra else None)
    if family.label == "Mistral" and "mistral" in known.files.formats:
        note = "the repository has Mistral's own files, params.json and consolidated weights"
        for flag in ("--tokenizer-mode=mistral", "--load-format=mistral"):
            found.add(flag, source, "derived", note)


def _may_load_fast(known: Known) -> bool:
    plan = known.memory
    small = known.files.weight_bytes / plan.nodes <= FAST_MOST * plan.memory
    return small and "safetensors" in known.files.formats


def _parsers(found: Arguments, known: Known) -> None:
    reasoning, tool = known.reasoning_parser, known.tool_parser
    if reasoning.value is not None:
        flag = f"--reasoning-parser={reasoning.value}"
        found.add(flag, reasoning.source, reasoning.certainty, reasoning.note)
    if tool.value is not None:
        flag = f"--tool-call-parser={tool.value}"
        found.add(flag, tool.source, tool.certainty, tool.note)
        found.add("--enable-auto-tool-choice", "--tool-call-parser", "derived")
