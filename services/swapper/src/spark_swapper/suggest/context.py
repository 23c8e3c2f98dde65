"""How many tokens a model was made for, by vLLM's own rules. Pure."""

from collections.abc import Mapping

from spark_common.contracts.models import Suggested
from spark_swapper.suggest.config import MOST, Config, Number, Section, factor, text, whole
from spark_swapper.suggest.facts import ModelFiles

_KEYS = (
    "max_position_embeddings",
    "n_positions",
    "max_seq_len",
    "seq_length",
    "model_max_length",
    "max_sequence_length",
    "max_seq_length",
    "seq_len",
)
_INCLUDED = frozenset({"su", "longrope", "llama3", "default", "mrope", "proportional"})
"""Kinds of rope scaling whose factor is part of the length already, or that have none."""
_ROBERTA_LOST = 2
"""Positions in front of the first token."""


def read_context(files: ModelFiles, config: Config) -> Suggested[int | None]:
    """Return the longest context the files allow; None when they do not say."""
    named = [number for key in _KEYS if (number := config.number(key))]
    if not named:
        source = "config.json names no length"
        note = "vLLM would take 2048; look it up and enter it"
        return Suggested(value=None, source=source, certainty="guessed", note=note)
    found = _scaled(min(named, key=lambda number: number.value), config)
    sentence = files.sentence_bert or {}
    if limit := whole(sentence.get("max_seq_length")):
        source = "sentence_bert_config.json: max_seq_length"
        return Suggested(value=limit, source=source, certainty="read")
    limit = whole((files.tokenizer or {}).get("model_max_length"))
    if limit and found.value and limit < found.value:
        source = "tokenizer_config.json: model_max_length"
        note = f"the configuration alone would allow {found.value}"
        return Suggested(value=limit, source=source, certainty="derived", note=note)
    return found


def _scaled(length: Number, config: Config) -> Suggested[int | None]:
    plain: Suggested[int | None] = Suggested(
        value=length.value, source=length.source, certainty="read"
    )
    if any("roberta" in one for one in config.model_types) and length.value > _ROBERTA_LOST:
        value = length.value - _ROBERTA_LOST
        note = f"{length.value} positions, of which this family cannot use {_ROBERTA_LOST}"
        return Suggested(value=value, source=length.source, certainty="derived", note=note)
    rope = _rope(config)
    if rope is None or any("gemma3" in one for one in config.model_types):
        return plain
    kind = (text(rope.fields.get("rope_type")) or text(rope.fields.get("type")) or "").lower()
    times = factor(rope.fields.get("factor"))
    if times is None or kind in _INCLUDED or not kind:
        return plain
    start = length.value
    if kind == "yarn":
        start = whole(rope.fields.get("original_max_position_embeddings")) or start
    value = int(start * times)
    if not 0 < value <= MOST:
        return plain
    note = f"{kind}: {start} x {times:g}"
    return Suggested(value=value, source=rope.source("factor"), certainty="derived", note=note)


def _rope(config: Config) -> Section | None:
    rope = config.mapping("rope_parameters", "rope_scaling")
    if rope is None:
        return None
    # Newer configurations have one set of parameters per kind of layer.
    full = rope.fields.get("full_attention")
    if isinstance(full, Mapping):
        return Section(full, rope.source("full_attention."))
    return rope
