"""The options of ``vllm serve`` in 0.33: names, types and choices."""

import argparse
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

TOOL_PARSERS = [
    "apertus",
    "cohere_command3",
    "cohere_command4",
    "deepseek_v3",
    "deepseek_v31",
    "deepseek_v32",
    "deepseek_v4",
    "deepseek_v41",
    "dots",
    "ernie45",
    "functiongemma",
    "gemma4",
    "gigachat3",
    "glm45",
    "glm47",
    "granite",
    "granite-20b-fc",
    "granite4",
    "hermes",
    "hf",
    "hunyuan_a13b",
    "hy_v3",
    "hy_v4",
    "inkling",
    "internlm",
    "jamba",
    "k2_horizon",
    "kimi_k2",
    "kimi_k3",
    "lfm2",
    "ling3",
    "llama3_json",
    "llama4_json",
    "llama4_pythonic",
    "longcat",
    "mimo",
    "minicpm5",
    "minimax_m2",
    "minimax_m3",
    "mistral",
    "muse_glimmer",
    "olmo3",
    "openai",
    "phi4_mini_json",
    "plamo3",
    "poolside_v1",
    "pythonic",
    "qwen3_coder",
    "qwen3_json",
    "qwen3_xml",
    "seed_oss",
    "step3",
    "step3p5",
    "xlam",
]

REASONING_PARSERS = [
    "cohere_command3",
    "cohere_command4",
    "deepseek_r1",
    "deepseek_v3",
    "deepseek_v4",
    "deepseek_v41",
    "ernie45",
    "gemma4",
    "glm45",
    "glm47",
    "granite",
    "granite_thinking_parser",
    "hf",
    "holo2",
    "hunyuan_a13b",
    "hy_v3",
    "hy_v4",
    "inkling",
    "k2_horizon",
    "kimi_k2",
    "kimi_k3",
    "ling3",
    "mimo",
    "minicpmv",
    "minimax_m2",
    "minimax_m2_append_think",
    "minimax_m3",
    "mistral",
    "muse_glimmer",
    "nemotron_v3",
    "olmo3",
    "openai_gptoss",
    "plamo3",
    "poolside_v1",
    "qwen3",
    "seed_oss",
    "step3",
    "step3p5",
]

QUANTIZATIONS = [
    "awq",
    "auto_awq",
    "fp8",
    "fbgemm_fp8",
    "fp_quant",
    "modelopt",
    "modelopt_fp4",
    "modelopt_mxfp8",
    "modelopt_mixed",
    "auto_gptq",
    "gptq",
    "gptq_marlin",
    "awq_marlin",
    "humming",
    "compressed-tensors",
    "experts_int8",
    "quark",
    "moe_wna16",
    "torchao",
    "inc",
    "mxfp4",
    "gpt_oss_mxfp4",
    "deepseek_v4_fp8",
    "online",
    "fp8_per_tensor",
    "fp8_per_block",
    "fp8_per_channel",
    "int8_per_channel_weight_only",
    "nvfp4_per_token",
    "mxfp8",
]


def human_readable_int(value: str) -> int:
    """Read ``8192``, ``8k`` (8000) or ``8K`` (8192). Raises ValueError."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)([kKmMgGtT])?", value.strip())
    if match is None:
        raise ValueError(value)
    number, unit = match[1], match[2]
    if unit is None:
        return int(number)
    power: int = "kmgt".index(unit.lower()) + 1
    if unit.isupper():
        if "." in number:
            raise argparse.ArgumentTypeError(
                f"Decimals are not allowed with binary suffixes like {unit}. Did you mean to use "
                f"{number}{unit.lower()} instead?"
            )
        return int(number) * int(1024**power)
    return int(float(number) * float(1000**power))


def human_readable_int_or_auto(value: str) -> int:
    """Read a human number, or ``auto`` and ``-1`` for what fits."""
    return -1 if value in {"auto", "-1"} else human_readable_int(value)


def parse_json(value: str) -> Any:
    """Read JSON the way vLLM's option type does, with its error text."""
    try:
        return json.loads(value)
    except ValueError as error:
        raise argparse.ArgumentTypeError(
            f"Value {value} cannot be converted to {json.loads}."
        ) from error


@dataclass(frozen=True)
class Flag:
    """One option."""

    names: tuple[str, ...]
    kind: Callable[[str], Any] | None = str
    """None for an on/off option that also has a ``--no-`` form."""
    choices: tuple[str, ...] | None = None
    many: bool = False
    default: Any = None
    store_true: bool = False


_TEXT = [
    "--host",
    "--uds",
    "--download-dir",
    "--tokenizer",
    "--hf-config-path",
    "--revision",
    "--code-revision",
    "--tokenizer-revision",
    "--chat-template",
    "--response-role",
    "--api-key",
    "--ssl-keyfile",
    "--ssl-certfile",
    "--ssl-ca-certs",
    "--root-path",
    "--middleware",
    "--load-format",
    "--quantization,-q",
    "--tool-call-parser",
    "--tool-parser-plugin",
    "--reasoning-parser",
    "--reasoning-parser-plugin",
    "--master-addr",
    "--distributed-executor-backend",
    "--chat-template-content-format",
    "--otlp-traces-endpoint",
    "--worker-cls",
    "--worker-extension-cls",
    "--logits-processor-pattern",
    "--generation-config",
    "--lora-modules",
    "--mm-encoder-attn-backend",
    "--attention-backend,-ab",
    "--model-impl",
    "--allowed-local-media-path",
    "--log-config-file",
    "--config",
    "--linear-backend",
]
_WHOLE = [
    "--port",
    "--tensor-parallel-size,-tp",
    "--pipeline-parallel-size,-pp",
    "--data-parallel-size,-dp",
    "--decode-context-parallel-size,-dcp",
    "--prefill-context-parallel-size,-pcp",
    "--nnodes,-n",
    "--node-rank,-r",
    "--master-port",
    "--seed",
    "--max-logprobs",
    "--max-num-partial-prefills",
    "--max-long-partial-prefills",
    "--num-gpu-blocks-override",
    "--max-loras",
    "--max-lora-rank",
    "--max-cpu-loras",
    "--max-parallel-loading-workers",
    "--max-cudagraph-capture-size",
    "--api-server-count,-asc",
    "--uvicorn-backlog",
    "--h11-max-incomplete-event-size",
    "--mm-processor-cache-gb",
    "--renderer-num-workers",
    "--stream-interval",
    "--sse-keep-alive-interval",
    "--shutdown-timeout",
]
_HUMAN = [
    "--max-num-batched-tokens",
    "--max-num-seqs",
    "--long-prefill-token-threshold",
    "--kv-cache-memory-bytes",
    "--max-log-len",
    "--block-size",
]
_FRACTION = ["--gpu-memory-utilization", "--cpu-offload-gb", "--kv-offloading-size"]
_JSON = [
    "--speculative-config,-sc",
    "--compilation-config,-cc",
    "--kv-transfer-config",
    "--kv-events-config",
    "--hf-overrides",
    "--override-generation-config",
    "--limit-mm-per-prompt",
    "--mm-processor-kwargs",
    "--default-chat-template-kwargs",
    "--model-loader-extra-config",
    "--additional-config",
    "--attention-config",
    "--kernel-config",
    "--structured-outputs-config",
    "--pooler-config",
    "--profiler-config",
    "--ec-transfer-config",
    "--media-io-kwargs",
    "--eplb-config",
]
_SWITCH = [
    "--enforce-eager",
    "--trust-remote-code",
    "--enable-prefix-caching",
    "--enable-chunked-prefill",
    "--async-scheduling",
    "--enable-expert-parallel,-ep",
    "--disable-log-stats",
    "--skip-tokenizer-init",
    "--enable-sleep-mode",
    "--enable-lora",
    "--disable-custom-all-reduce",
    "--disable-sliding-window",
    "--enable-prompt-embeds",
    "--language-model-only",
    "--skip-mm-profiling",
    "--enable-dbo",
    "--enable-eplb",
    "--disable-hybrid-kv-cache-manager",
    "--use-tqdm-on-load",
    "--disable-cascade-attn",
    "--enable-auto-tool-choice",
    "--enable-log-requests",
    "--enable-log-outputs",
    "--enable-request-id-headers",
    "--enable-prompt-tokens-details",
    "--enable-server-load-tracking",
    "--enable-force-include-usage",
    "--enable-tokenizer-info-endpoint",
    "--enable-scale-out",
    "--disable-fastapi-docs",
    "--allow-credentials",
    "--trust-request-chat-template",
    "--exclude-tools-when-tool-choice-none",
    "--enable-ssl-refresh",
    "--return-tokens-as-token-ids",
    "--mamba-cache-align",
    "--interleave-mm-strings",
    "--enable-mfu-metrics",
    "--disable-uvicorn-access-log",
    "--enable-return-routed-experts",
    "--enable-offline-docs",
]
_CHOICES: dict[str, tuple[tuple[str, ...], str]] = {
    "--dtype": (("auto", "bfloat16", "float", "float16", "float32", "half"), "auto"),
    "--kv-cache-dtype": (
        ("auto", "bfloat16", "float16", "fp8", "fp8_ds_mla", "fp8_e4m3", "fp8_e5m2", "fp8_inc",
         "fp8_per_token_head", "int8_per_token_head", "nvfp4", "turboquant_k8v4"),
        "auto",
    ),
    "--moe-backend": (
        ("aiter", "auto", "b12x", "cutlass", "deep_gemm", "flashinfer_cutedsl",
         "flashinfer_cutlass", "flashinfer_trtllm", "marlin", "triton"),
        "auto",
    ),
    "--runner": (("auto", "draft", "generate", "pooling"), "auto"),
    "--convert": (("auto", "classify", "embed", "none", "reward"), "auto"),
    "--tokenizer-mode": (
        ("auto", "deepseek_v32", "deepseek_v4", "hf", "kimi_audio", "mistral", "slow"), "auto"),
    "--config-format": (("auto", "hf", "mistral"), "auto"),
    "--scheduling-policy": (("fcfs", "priority"), "fcfs"),
    "--mamba-cache-dtype": (("auto", "bfloat16", "float16", "float32"), "auto"),
    "--mamba-ssm-cache-dtype": (("auto", "bfloat16", "float16", "float32"), "auto"),
    "--mamba-cache-mode": (("align", "all", "none"), "none"),
    "--prefix-caching-hash-algo": (("sha256", "sha256_cbor", "xxhash", "xxhash_cbor"), "sha256"),
    "--uvicorn-log-level": (("critical", "debug", "error", "info", "trace", "warning"), "info"),
    "--safetensors-load-strategy": (("eager", "lazy", "prefetch", "torchao"), "lazy"),
    "--data-parallel-backend": (("mp", "ray"), "mp"),
    "--performance-mode": (("balanced", "interactivity", "throughput"), "balanced"),
    "--optimization-level": (("0", "1", "2", "3"), "2"),
}  # fmt: skip
_DEFAULTS: dict[str, Any] = {
    "--port": 8000, "--gpu-memory-utilization": 0.9, "--tensor-parallel-size": 1,
    "--pipeline-parallel-size": 1, "--data-parallel-size": 1, "--nnodes": 1, "--node-rank": 0,
    "--load-format": "auto", "--seed": 0, "--master-port": 29501, "--master-addr": "127.0.0.1",
}  # fmt: skip


def _flags() -> list[Flag]:
    table: list[Flag] = [
        Flag(("--model",), default="Qwen/Qwen3-0.6B"),
        Flag(("--served-model-name",), many=True),
        Flag(("--allowed-origins",), kind=parse_json),
        Flag(("--cudagraph-capture-sizes",), kind=int, many=True),
        Flag(("--max-model-len",), kind=human_readable_int_or_auto),
        Flag(("--headless", "-hl"), store_true=True),
    ]
    kinds: list[tuple[list[str], Callable[[str], Any] | None]] = [
        (_TEXT, str), (_WHOLE, int), (_HUMAN, human_readable_int), (_FRACTION, float),
        (_JSON, parse_json), (_SWITCH, None),
    ]  # fmt: skip
    for rows, kind in kinds:
        for row in rows:
            names = tuple(row.split(","))
            table.append(Flag(names, kind=kind, default=_DEFAULTS.get(names[0])))
    for name, (choices, default) in _CHOICES.items():
        names = (name, "-O") if name == "--optimization-level" else (name,)
        table.append(Flag(names, choices=choices, default=default))
    return table


FLAGS = tuple(_flags())
MXFP4_FORK_FLAGS = (
    Flag(("--mxfp4-backend",), choices=("CUTLASS", "MARLIN", "TRITON")),
    Flag(("--mxfp4-layers",)),
)
"""Known only in the image ``vllm-node-mxfp4``."""
