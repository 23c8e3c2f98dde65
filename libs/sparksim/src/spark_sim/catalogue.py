"""The models on the simulated disks: what vLLM would know from their files."""

from dataclasses import dataclass, field

GB = 1_000_000_000


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

    @property
    def folder(self) -> str:
        """Name of its folder in the hub."""
        return "models--" + self.repo.replace("/", "--")


_BOTH = ("spark1", "spark2")
_NEMOTRON_LAYERS = "MEMEM*EMEMEM*EMEMEM*EMEMEM*EMEMEM*EMEMEMEM*EMEMEMEME"
"""M is a Mamba layer, E a layer of experts, * one of attention."""

DEFAULT_CATALOGUE: tuple[SimModel, ...] = (
    SimModel(
        repo="nvidia/Qwen3.6-35B-A3B-NVFP4",
        size_bytes=int(23.4 * GB),
        hosts=("spark1",),
        architecture="Qwen3_5MoeForConditionalGeneration",
        model_type="qwen3_5_moe",
        context_length=262_144,
        shards=5,
        load_seconds=36,
        reasoning=True,
        quantization={"quant_method": "modelopt", "quant_algo": "NVFP4"},
        vision=True,
        details={
            "num_hidden_layers": 40,
            "layer_types": (["linear_attention"] * 3 + ["full_attention"]) * 10,
            "num_attention_heads": 16,
            "num_key_value_heads": 2,
            "head_dim": 256,
            "hidden_size": 2048,
            "num_experts": 256,
            "num_experts_per_tok": 8,
        },
    ),
    SimModel(
        repo="openai/gpt-oss-120b",
        size_bytes=int(63.4 * GB),
        hosts=("spark1",),
        architecture="GptOssForCausalLM",
        model_type="gpt_oss",
        context_length=131_072,
        shards=14,
        load_seconds=112,
        reasoning=True,
        quantization={"quant_method": "mxfp4"},
        details={
            "num_hidden_layers": 36,
            "layer_types": ["sliding_attention", "full_attention"] * 18,
            "num_attention_heads": 64,
            "num_key_value_heads": 8,
            "head_dim": 64,
            "hidden_size": 2880,
            "num_local_experts": 128,
            "num_experts_per_tok": 4,
            "rope_scaling": {
                "rope_type": "yarn",
                "factor": 32.0,
                "original_max_position_embeddings": 4096,
            },
        },
    ),
    SimModel(
        repo="google/gemma-4-26b-it",
        size_bytes=int(51.6 * GB),
        hosts=_BOTH,
        architecture="Gemma4ForConditionalGeneration",
        model_type="gemma4",
        context_length=131_072,
        shards=11,
        load_seconds=84,
        vision=True,
    ),
    SimModel(
        repo="MiniMaxAI/MiniMax-M2.7-AWQ",
        size_bytes=int(61.4 * GB),
        hosts=_BOTH,
        architecture="MiniMaxM2ForCausalLM",
        model_type="minimax_m2",
        context_length=196_608,
        shards=24,
        load_seconds=148,
        reasoning=True,
        quantization={"quant_method": "awq", "bits": 4},
        details={
            "num_hidden_layers": 62,
            "num_attention_heads": 48,
            "num_key_value_heads": 8,
            "head_dim": 128,
            "hidden_size": 3072,
            "num_local_experts": 256,
            "num_experts_per_tok": 8,
        },
        auto_map={"AutoConfig": "configuration_minimax_m2.MiniMaxM2Config"},
    ),
    SimModel(
        repo="nvidia/Nemotron-3-Nano-30B-A3B-FP8",
        size_bytes=int(32.1 * GB),
        hosts=("spark1",),
        architecture="NemotronHForCausalLM",
        model_type="nemotron_h",
        context_length=262_144,
        shards=7,
        load_seconds=48,
        reasoning=True,
        quantization={"quant_method": "modelopt", "quant_algo": "FP8"},
        details={
            "num_hidden_layers": 52,
            "hybrid_override_pattern": _NEMOTRON_LAYERS,
            "num_attention_heads": 32,
            "num_key_value_heads": 2,
            "head_dim": 128,
            "hidden_size": 2688,
            "n_routed_experts": 128,
            "num_experts_per_tok": 6,
            "mamba_num_heads": 64,
            "ssm_state_size": 128,
        },
        auto_map={
            "AutoConfig": "configuration_nemotron_h.NemotronHConfig",
            "AutoModelForCausalLM": "modeling_nemotron_h.NemotronHForCausalLM",
        },
    ),
    SimModel(
        repo="nvidia/Llama-4-Scout-17B-16E-NVFP4",
        size_bytes=int(61.0 * GB),
        hosts=("spark1",),
        architecture="Llama4ForConditionalGeneration",
        model_type="llama4",
        context_length=1_048_576,
        shards=13,
        load_seconds=100,
        downloaded=0.5,
        quantization={"quant_method": "modelopt", "quant_algo": "NVFP4"},
        vision=True,
    ),
)
