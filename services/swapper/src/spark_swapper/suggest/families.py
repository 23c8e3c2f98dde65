"""Which parsers and flags a family of models is run with on Sparks. Data."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from spark_swapper.suggest.quantization import Kind

FP8_CACHE = "--kv-cache-dtype=fp8"
FLASHINFER = "--attention-backend=flashinfer"
FAST = "--load-format=fastsafetensors"
INSTANT = "--load-format=instanttensor"


@dataclass(frozen=True)
class Extra:
    """What one way of storing the weights adds."""

    flags: tuple[str, ...] = ()
    env: tuple[str, ...] = ()
    image: str | None = None
    note: str | None = None
    moe_only: bool = False


@dataclass(frozen=True)
class Family:
    """Models that are launched alike."""

    label: str
    types: tuple[str, ...] = ()
    """``model_type`` or its beginning up to an underscore; empty: any."""
    name: str = ""
    """What the repository's name has to contain, as a pattern; empty: anything."""
    tool: str | None = None
    reasoning: str | None = None
    certainty: Literal["derived", "guessed"] = "guessed"
    """Derived: run like this on Sparks. Guessed: known of relatives."""
    flags: tuple[str, ...] = ()
    extras: Mapping[Kind, Extra] = field(default_factory=dict)

    def fits(self, types: tuple[str, ...], name: str) -> bool:
        """Whether a model belongs here; ``name`` in lower case."""
        if self.types and not any(
            one == known or one.startswith(f"{known}_") for one in types for known in self.types
        ):
            return False
        return re.search(self.name, name) is not None


_B12X = "fetched with ./build-and-copy.sh --exp-b12x; its b12x flags exist in no other image"
_QWEN_35 = ("qwen3_5", "qwen3_5_moe")
_GPT_OSS_MXFP4 = Extra(
    flags=(
        "--quantization=mxfp4",
        "--mxfp4-backend=CUTLASS",
        "--mxfp4-layers=moe,qkv,o,lm_head",
        "--attention-backend=FLASHINFER",
        FP8_CACHE,
        FAST,
    ),
    env=("VLLM_USE_FLASHINFER_MOE_MXFP4_MXFP8=1",),
    image="vllm-node-mxfp4",
    note="built with ./build-and-copy.sh --exp-mxfp4; its mxfp4 flags exist in no other image",
)
_MARLIN = Extra(
    flags=("--moe-backend=marlin",), env=("VLLM_MARLIN_USE_ATOMIC_ADD=1",), moe_only=True
)
_CUTLASS = Extra(flags=("--moe-backend=cutlass",), moe_only=True)

FAMILIES: tuple[Family, ...] = (
    Family(
        "Gemma 4",
        types=("gemma4",),
        tool="gemma4",
        reasoning="gemma4",
        certainty="derived",
        # Never fastsafetensors: it froze Sparks with this family.
        flags=(FP8_CACHE, INSTANT),
        extras={"none": Extra(flags=("--quantization=fp8",))},
    ),
    Family(
        "gpt-oss",
        types=("gpt_oss",),
        tool="openai",
        reasoning="openai_gptoss",
        certainty="derived",
        extras={"mxfp4": _GPT_OSS_MXFP4},
    ),
    Family(
        "Nemotron 3 Super",
        types=("nemotron_h",),
        name=r"nemotron-?3.*super",
        tool="qwen3_coder",
        reasoning="nemotron_v3",
        certainty="derived",
        flags=("--attention-backend=TRITON_ATTN", "--mamba_ssm_cache_dtype=float32", FAST),
        extras={"nvfp4": _CUTLASS},
    ),
    Family(
        "Nemotron 3",
        types=("nemotron_h",),
        name=r"nemotron-?3",
        tool="qwen3_coder",
        reasoning="nemotron_v3",
        certainty="derived",
        flags=(FAST,),
        extras={"nvfp4": _CUTLASS},
    ),
    Family(
        "Qwen3.8 Flash Next",
        name=r"qwen3\.8-flash-next",
        tool="qwen3_xml",
        reasoning="qwen3",
        flags=("--load-format=b12x", "--moe-backend=b12x", "--linear-backend=b12x"),
        extras={
            kind: Extra(image="vllm-node-b12x", note=_B12X)
            for kind in ("none", "nvfp4", "fp8", "int4", "mxfp4", "other")
        },
    ),
    Family(
        "Qwen3.8",
        types=_QWEN_35,
        name=r"qwen3\.8",
        tool="qwen3_xml",
        reasoning="qwen3",
        certainty="derived",
        flags=(FP8_CACHE, FLASHINFER, INSTANT),
    ),
    Family(
        "Qwen3.6",
        types=_QWEN_35,
        name=r"qwen3\.6",
        tool="qwen3_xml",
        reasoning="qwen3",
        certainty="derived",
        flags=(FP8_CACHE, FLASHINFER, FAST),
        extras={"nvfp4": _MARLIN},
    ),
    Family(
        "Qwen3.5",
        types=_QWEN_35,
        name=r"qwen3\.5",
        tool="qwen3_coder",
        reasoning="qwen3",
        certainty="derived",
        flags=(FAST,),
    ),
    Family("Qwen3.5 or later", types=_QWEN_35, tool="qwen3_coder", reasoning="qwen3"),
    Family(
        "Qwen3 Coder Next",
        types=("qwen3_next",),
        name="coder",
        tool="qwen3_coder",
        certainty="derived",
        flags=(FP8_CACHE, FLASHINFER, FAST),
    ),
    Family("Qwen3 Coder", types=("qwen3", "qwen3_moe"), name="coder", tool="qwen3_coder"),
    Family("Qwen3 Instruct", types=("qwen3",), name="instruct", tool="hermes"),
    Family("Qwen3", types=("qwen3",), tool="hermes", reasoning="qwen3"),
    Family("DeepSeek R1 distillate", name=r"deepseek-r1-distill|qwq", reasoning="deepseek_r1"),
    Family("Qwen2", types=("qwen2", "qwen2_5", "qwen2_moe"), tool="hermes"),
    Family(
        "GLM 4.7 Flash",
        types=("glm4_moe_lite",),
        tool="glm47",
        reasoning="glm45",
        certainty="derived",
    ),
    Family(
        "GLM 5.3 Flash",
        name=r"glm-?5\.3-flash",
        tool="glm47",
        reasoning="glm45",
        extras={"nvfp4": Extra(image="vllm-node-b12x", note=_B12X)},
    ),
    Family("GLM 4.7 or 5", name=r"glm-?(4\.7|5)", tool="glm47", reasoning="glm45"),
    Family("GLM 4.5", types=("glm4_moe", "glm4v_moe", "glm4v"), tool="glm45", reasoning="glm45"),
    Family(
        "MiniMax M2",
        types=("minimax_m2",),
        tool="minimax_m2",
        reasoning="minimax_m2",
        certainty="derived",
        flags=(FAST,),
    ),
    Family("MiniMax M3", types=("minimax_m3",), tool="minimax_m3"),
    Family(
        "DeepSeek V4",
        types=("deepseek_v4",),
        tool="deepseek_v4",
        reasoning="deepseek_v4",
        certainty="derived",
        flags=("--tokenizer-mode=deepseek_v4", "--block-size=256"),
    ),
    Family("DeepSeek R1", types=("deepseek_v3",), name="r1", reasoning="deepseek_r1"),
    Family("DeepSeek V3", types=("deepseek_v3", "deepseek_v32"), tool="deepseek_v3"),
    Family(
        "Mistral",
        types=("mistral3", "mistral4", "ministral3"),
        tool="mistral",
        reasoning="mistral",
        certainty="derived",
    ),
    Family("Mistral", types=("mistral", "mixtral", "ministral"), tool="mistral"),
    Family("Llama 4", types=("llama4",), tool="llama4_pythonic", certainty="derived"),
    Family("Llama 3", types=("llama", "mllama"), name=r"llama-?3", tool="llama3_json"),
    Family("Granite 4", types=("granite", "granitemoehybrid"), name="granite-4", tool="granite4"),
    Family("Granite", types=("granite", "granitemoe"), tool="granite", reasoning="granite"),
    Family("Kimi K2", types=("kimi_k2",), tool="kimi_k2", reasoning="kimi_k2"),
    Family("Seed OSS", types=("seed_oss",), tool="seed_oss", reasoning="seed_oss"),
    Family("Step 3", types=("step3", "step3_vl"), reasoning="step3"),
)
"""The first that fits is taken, so special ones stand before general ones."""


def family_of(types: tuple[str, ...], repo: str) -> Family | None:
    """Return the family of a model by its types and its repository's name."""
    name = repo.rpartition("/")[2].lower()
    return next((family for family in FAMILIES if family.fits(types, name)), None)
