"""How the weights are stored. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from spark_common.contracts.models import Suggested
from spark_swapper.suggest.config import Config, Section, text, whole
from spark_swapper.suggest.facts import JsonObject, ModelFiles

Kind = Literal["none", "nvfp4", "mxfp4", "fp8", "int4", "other"]
"""As far as launch flags differ."""

_KINDS: Mapping[str, Kind] = {
    "fp8": "fp8",
    "fbgemm_fp8": "fp8",
    "mxfp4": "mxfp4",
    "awq": "int4",
    "gptq": "int4",
    "auto-round": "int4",
    "intel/auto-round": "int4",
    "auto_round": "int4",
    "inc": "int4",
}
_KNOWN = frozenset({*_KINDS, "compressed-tensors", "modelopt", "quark", "torchao", "bitsandbytes"})
_FLAG_NOTE = "vLLM finds this out by itself: it needs no flag"


@dataclass(frozen=True)
class Quantization:
    """What the weights are, for the rules and for a person."""

    kind: Kind
    suggested: Suggested[str | None]


def read_quantization(files: ModelFiles, config: Config) -> Quantization:
    """Return how the weights are stored."""
    section = config.mapping("quantization_config", "compression_config")
    if section is not None:
        return _from_config(section, files.hf_quant)
    if algorithm := _modelopt_algorithm(files.hf_quant or {}):
        return _modelopt(algorithm, "hf_quant_config.json: quantization.quant_algo")
    dtype = config.find("dtype") or config.find("torch_dtype")
    spelled = text(dtype[0]) if dtype else None
    if dtype is None or spelled is None:
        source = "config.json has no quantization_config"
        return _plain(Suggested(value=None, source=source, certainty="derived"))
    note = f"not quantized: {spelled.removeprefix('torch.')}"
    return _plain(Suggested(value=None, source=dtype[1], certainty="read", note=note))


def _plain(suggested: Suggested[str | None]) -> Quantization:
    return Quantization("none", suggested)


def _from_config(section: Section, hf_quant: JsonObject | None) -> Quantization:
    fields = section.fields
    method = (text(fields.get("quant_method")) or "").lower().replace("_tensors", "-tensors")
    source = section.source("quant_method")
    if method.startswith("modelopt") or (not method and "quant_algo" in fields):
        if algorithm := _modelopt_algorithm(fields):
            return _modelopt(algorithm, section.source("quant_algo"))
        if algorithm := _modelopt_algorithm(hf_quant or {}):
            return _modelopt(algorithm, "hf_quant_config.json: quantization.quant_algo")
    if method in {"compressed-tensors", "sparseml"} or (not method and "config_groups" in fields):
        return _compressed(section)
    if not method:
        note = "a quantization without a method that is known here"
        place = section.place.rstrip(".")
        return _other(Suggested(value="unknown", source=place, certainty="guessed", note=note))
    bits = whole(fields.get("bits")) or whole(fields.get("w_bit"))
    value = f"{method} {bits}-bit" if bits else method
    if method not in _KNOWN:
        note = "not among the methods known here; the check before the swap asks vLLM"
        return _other(Suggested(value=value, source=source, certainty="read", note=note))
    kind = _KINDS.get(method, "other")
    if kind == "int4" and bits not in {None, 4}:
        kind = "other"
    return Quantization(
        kind, Suggested(value=value, source=source, certainty="read", note=_FLAG_NOTE)
    )


def _compressed(section: Section) -> Quantization:
    found = text(section.fields.get("format")) or ""
    groups = section.fields.get("config_groups")
    weights: JsonObject = {}
    if isinstance(groups, Mapping):
        for group in groups.values():
            if isinstance(group, Mapping) and isinstance(group.get("weights"), Mapping):
                weights = group["weights"]  # type: ignore[assignment]
                found = text(group.get("format")) or found
                break
    bits = whole(weights.get("num_bits"))
    spelled = found.lower()
    kind: Kind = "other"
    if "nvfp4" in spelled:
        kind = "nvfp4"
    elif "mxfp4" in spelled:
        kind = "mxfp4"
    elif weights.get("type") == "float" and bits == 8:
        kind = "fp8"
    elif bits == 4:
        kind = "int4"
    detail = found or (f"{bits}-bit" if bits else "")
    value = f"compressed-tensors {detail}".strip()
    source = section.place.rstrip(".")
    return Quantization(
        kind, Suggested(value=value, source=source, certainty="read", note=_FLAG_NOTE)
    )


def _modelopt_algorithm(fields: JsonObject) -> str | None:
    nested = fields.get("quantization")
    for place in (fields, nested if isinstance(nested, Mapping) else {}):
        if algorithm := text(place.get("quant_algo")):
            return algorithm.upper()
    return None


def _modelopt(algorithm: str, source: str) -> Quantization:
    kind: Kind = "other"
    if "NVFP4" in algorithm:
        kind = "nvfp4"
    elif algorithm.startswith("FP8"):
        kind = "fp8"
    note = _FLAG_NOTE
    if algorithm.startswith("MIXED"):
        note = "layers are quantized in different ways; " + note
    value = f"modelopt {algorithm}"
    return Quantization(kind, Suggested(value=value, source=source, certainty="read", note=note))


def _other(suggested: Suggested[str | None]) -> Quantization:
    return Quantization("other", suggested)
