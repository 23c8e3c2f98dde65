"""More models for the simulated disks: many families, sizes and shapes, none of them large.

What is large and loaded by the tests stands in ``catalogue.py``.
"""

from spark_sim.sim_model import GB, Shape, SimModel

_BOTH = ("spark1", "spark2")
_ONE, _TWO = ("spark1",), ("spark2",)


def _model(
    repo: str,
    gigabytes: float,
    hosts: tuple[str, ...],
    architecture: str,
    model_type: str,
    context_length: int,
    *,
    shape: Shape = Shape.CLASSIC,
    on_spark2: Shape | None = None,
    quantization: dict[str, object] | None = None,
    vision: bool = False,
    downloaded: float = 1.0,
    details: dict[str, object] | None = None,
) -> SimModel:
    return SimModel(
        repo=repo,
        size_bytes=int(gigabytes * GB),
        hosts=hosts,
        architecture=architecture,
        model_type=model_type,
        context_length=context_length,
        shards=max(1, round(gigabytes / 4.9)),
        load_seconds=8 + 1.5 * gigabytes,
        downloaded=downloaded,
        quantization=quantization or {},
        vision=vision,
        details=details or {},
        shape=shape,
        shapes={"spark2": on_spark2} if on_spark2 else {},
    )


MORE: tuple[SimModel, ...] = (
    _model("Qwen/Qwen3-Embedding-0.6B", 1.2, _ONE, "Qwen3ForCausalLM", "qwen3", 32_768),
    _model(
        "BAAI/bge-m3", 2.3, _ONE, "XLMRobertaModel", "xlm-roberta", 8_194,
        shape=Shape.HARD_LINKED,
    ),
    _model(
        "openai/gpt-oss-20b", 13.8, _TWO, "GptOssForCausalLM", "gpt_oss", 131_072,
        shape=Shape.SHARED, quantization={"quant_method": "mxfp4"},
        details={"num_local_experts": 32, "num_experts_per_tok": 4},
    ),
    _model(
        "Qwen/Qwen3-8B-FP8", 9.5, _BOTH, "Qwen3ForCausalLM", "qwen3", 40_960,
        shape=Shape.SHARED, quantization={"quant_method": "fp8"},
    ),
    _model(
        "Qwen/Qwen3-VL-8B-Instruct", 17.5, _TWO, "Qwen3VLForConditionalGeneration", "qwen3_vl",
        262_144, vision=True,
    ),
    _model(
        "Qwen/Qwen3-14B-AWQ", 10.0, _ONE, "Qwen3ForCausalLM", "qwen3", 40_960,
        shape=Shape.SHARED, quantization={"quant_method": "awq", "bits": 4},
    ),
    _model(
        "mistralai/Ministral-3-8B-Instruct-2512", 10.4, _TWO,
        "Mistral3ForConditionalGeneration", "mistral3", 262_144, vision=True,
    ),
    _model(
        "mistralai/Magistral-Small-2509-FP8", 25.1, _TWO, "Mistral3ForConditionalGeneration",
        "mistral3", 131_072, shape=Shape.ROOTS, quantization={"quant_method": "fp8"},
    ),
    _model(
        "meta-llama/Llama-3.1-8B-Instruct", 16.1, _BOTH, "LlamaForCausalLM", "llama", 131_072,
        shape=Shape.SHARED, on_spark2=Shape.DANGLING,
    ),
    _model(
        "microsoft/phi-4", 29.3, _TWO, "Phi3ForCausalLM", "phi3", 16_384,
        shape=Shape.MISSING_SHARD,
    ),
    _model(
        "microsoft/Phi-4-mini-instruct", 7.7, _ONE, "Phi3ForCausalLM", "phi3", 131_072,
    ),
    _model(
        "ibm-granite/granite-4.0-h-small", 64.4, _TWO, "GraniteMoeHybridForCausalLM",
        "granitemoehybrid", 131_072,
        details={"layer_types": (["mamba"] * 9 + ["attention"]) * 4},
    ),
    _model(
        "ibm-granite/granite-embedding-278m", 0.6, _ONE, "XLMRobertaModel", "xlm-roberta", 514,
    ),
    _model(
        "deepseek-ai/DeepSeek-R1-Distill-Qwen-14B", 29.5, _TWO, "Qwen2ForCausalLM", "qwen2",
        131_072, shape=Shape.OLD_PARTIAL, downloaded=0.5,
    ),
    _model(
        "zai-org/GLM-4.1V-9B-Thinking", 20.6, _TWO, "Glm4vForConditionalGeneration", "glm4v",
        65_536, vision=True, shape=Shape.BROKEN_INDEX,
    ),
    _model(
        "allenai/Olmo-3-7B-Instruct", 14.6, _ONE, "Olmo3ForCausalLM", "olmo3", 65_536,
        downloaded=0.7,
    ),
    _model(
        "moonshotai/Moonlight-16B-A3B-Instruct", 32.0, _TWO, "DeepseekV3ForCausalLM",
        "deepseek_v3", 8_192, details={"n_routed_experts": 64, "num_experts_per_tok": 6},
    ),
    _model(
        "google/gemma-4-e4b-it", 15.9, _TWO, "Gemma4ForConditionalGeneration", "gemma4",
        131_072, vision=True, shape=Shape.SHARED,
    ),
    _model(
        "HuggingFaceTB/SmolLM3-3B", 6.2, _ONE, "SmolLM3ForCausalLM", "smollm3", 65_536,
        shape=Shape.ROOTS,
    ),
    _model(
        "tiiuae/Falcon-H1-7B-Instruct", 15.2, _TWO, "FalconH1ForCausalLM", "falcon_h1", 262_144,
        shape=Shape.NO_SNAPSHOT,
    ),
)  # fmt: skip
