"""What lines of vLLM's log mean when a load fails, for the owner. Pure tables."""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from spark_common.contracts.swaps import Cause

AGAIN = "Press 'Switch to this' again."
_RECIPE = "Correct the recipe of this model, then press 'Switch to this' again."
_LESS_MEMORY = (
    "Stop other programs on that Spark, or lower the memory share (--gpu-memory-utilization) "
    "in the model's recipe, then press 'Switch to this' again."
)
_SHORTER = (
    "Lower the context length (--max-model-len) in the model's recipe, then press "
    "'Switch to this' again."
)
_RESTART = "Restart the Spark, then press 'Switch to this' again."
_CABLE = (
    "Check the cable between the Sparks and that both are on, then press 'Switch to this' again."
)
_DOWNLOAD = "Download the model again, then press 'Switch to this'."
_UPDATE = "Update the cluster software, then press 'Switch to this' again."
_MAX_DETAIL = 300


@dataclass(frozen=True)
class Sign:
    """One way a load fails: the line that shows it, and what to say."""

    code: str
    pattern: re.Pattern[str]
    sentence: Callable[[re.Match[str]], str]
    action: str
    consequence: bool = False
    """Whether it only reports that something else went wrong."""

    def cause(self, match: re.Match[str], line: str) -> Cause:
        """Return the cause for a line that matched."""
        sentence = self.sentence(match)
        return Cause(code=self.code, sentence=sentence, action=self.action, evidence=[line])


def sign(code: str, pattern: str, sentence: str, action: str, *, consequence: bool = False) -> Sign:
    """Build a sign; ``{0}`` ... in the sentence are the groups of the pattern."""

    def say(match: re.Match[str]) -> str:
        groups = [_short(group or "") for group in match.groups()]
        return sentence.format(*groups)

    return Sign(code, re.compile(pattern), say, action, consequence)


def _short(text: str) -> str:
    flat = " ".join(text.split()).rstrip(". ")
    return flat if len(flat) <= _MAX_DETAIL else flat[: _MAX_DETAIL - 1] + "…"


KILLED = sign(
    "out_of_memory_killed",
    r"Failed core proc\(s\): (?:\{\s*\}|\{[^}]*: -9\b[^}]*\})",
    "The Spark ran out of memory while the model was loading, and the system ended it.",
    _LESS_MEMORY,
    consequence=True,
)
"""An empty list of failed processes: nobody lived to say why."""

SIGNS: Sequence[Sign] = (
    sign(
        "bad_arguments",
        r"^(?:vllm|vllm [a-z-]+): error: (.+)$",
        "vLLM does not accept the launch arguments: {0}.",
        _RECIPE,
    ),
    sign(
        "bad_arguments",
        r"TypeError: Error: (--\S+ requires --\S+)",
        "vLLM does not accept the launch arguments: {0}.",
        _RECIPE,
    ),
    sign(
        "bad_arguments",
        r"KeyError: [\"'](invalid tool call parser: \S+|Reasoning parser '[^']*' not found)",
        "vLLM does not accept the launch arguments: {0}.",
        _RECIPE,
    ),
    sign(
        "bad_arguments",
        r"The supplied chat template string \(([^)]*)\) appears path-like, but doesn't exist",
        "The chat template {0} is not there.",
        _RECIPE,
    ),
    sign(
        "bad_arguments",
        r"(Unknown quantization method: [^.\s]+)",
        "vLLM does not accept the launch arguments: {0}.",
        _RECIPE,
    ),
    sign(
        "context_too_long",
        r"max_model_len \((\d+)\) is greater than the derived max_model_len "
        r"\((?:max_position_embeddings=)?(\d+)",
        "The recipe asks for a context of {0} tokens, and the model was made for {1}.",
        _SHORTER,
    ),
    sign(
        "not_enough_memory",
        r"Free memory on device \S+ \(([\d.]+)/[\d.]+ GiB\) on startup is less than desired GPU "
        r"memory utilization \([\d.]+, ([\d.]+) GiB\)",
        "Not enough free memory: it asked for {1} GB, {0} GB was free.",
        _LESS_MEMORY,
    ),
    sign(
        "context_does_not_fit",
        r"max seq len \((\d+)\).*?the estimated maximum model length is (\d+)",
        "The memory that is left does not hold a context of {0} tokens; at most {1} fit.",
        _SHORTER,
    ),
    sign(
        "context_does_not_fit",
        r"To serve at least one request with the models?'s max seq len \((\d+)\)",
        "The memory that is left does not hold a context of {0} tokens.",
        _SHORTER,
    ),
    sign(
        "no_memory_for_context",
        r"No available memory for the cache blocks",
        "The weights fill the model's share of the memory; nothing is left for conversations.",
        "Raise the memory share (--gpu-memory-utilization) in the recipe, or choose a smaller "
        "model, then press 'Switch to this' again.",
    ),
    sign(
        "batch_too_small",
        r"In Mamba cache align mode, block_size \((\d+)\) must be <= max_num_batched_tokens "
        r"\((\d+)\)",
        "The recipe lets vLLM read {1} tokens at a time, and this kind of model needs {0}.",
        "Raise --max-num-batched-tokens in the model's recipe to 8192 or more, then press "
        "'Switch to this' again.",
    ),
    sign(
        "batch_too_small",
        r"max_tokens_per_mm_item \((\d+)\) is larger than max_num_batched_tokens \((\d+)\)",
        "The recipe lets vLLM read {1} tokens at a time, and one image can need {0}.",
        "Raise --max-num-batched-tokens in the model's recipe to 16384 or more, then press "
        "'Switch to this' again.",
    ),
    sign(
        "out_of_gpu_memory",
        r"torch\.(?:cuda\.)?OutOfMemoryError|CUDA out of memory|NV_ERR_NO_MEMORY",
        "The GPU ran out of memory while the model was loading.",
        _LESS_MEMORY,
    ),
    sign(
        "out_of_memory_killed",
        r"ray\.exceptions\.OutOfMemoryError|running low on memory",
        "The Spark ran low on memory while the model was loading, and a part was ended.",
        _LESS_MEMORY,
    ),
    sign(
        "out_of_memory_killed",
        r"^sending SIG(?:TERM|KILL) to process \d+",
        "The Spark ran out of memory while the model was loading, and the model was ended.",
        _LESS_MEMORY,
    ),
    sign(
        "sparks_did_not_meet",
        r"DistStoreError: Timed out after (\d+) seconds waiting for clients\. (\d+)/(\d+) clients",
        "Only {1} of {2} Sparks joined within {0} s.",
        _CABLE,
    ),
    sign(
        "sparks_lost_each_other",
        r"DistBackendError: NCCL error|nccl(?:Internal|System|Remote)Error"
        r"|Watchdog caught collective operation timeout",
        "The Sparks lost the fast connection between them.",
        _CABLE,
    ),
    sign(
        "port_taken",
        r"\[Errno 98\] [Aa]ddress already in use|address already in use",
        "Another program on the Spark already uses the port of the model server.",
        "Stop that program or choose another VLLM_PORT, then press 'Switch to this' again.",
    ),
    sign(
        "disk_full",
        r"\[Errno 28\]|No space left on device",
        "The disk of the Spark is full.",
        "Delete a model you no longer need, then press 'Switch to this' again.",
    ),
    sign(
        "too_many_files",
        r"\[Errno 24\]|Too many open files",
        "The Spark does not let the model server open enough files.",
        _UPDATE,
    ),
    sign(
        "files_damaged",
        r"SafetensorError|InvalidHeaderDeserialization|MetadataIncompleteBuffer"
        r"|Cannot find any model weights|does not appear to have a file named",
        "Files of the model are damaged or missing.",
        _DOWNLOAD,
    ),
    sign(
        "files_gated",
        r"GatedRepoError|Cannot access gated repo",
        "The model's files are not complete on the Spark, and its owner gives them only to those "
        "who accepted the terms.",
        "Accept the terms on the model's page, set the Hugging Face token, download the model, "
        "then press 'Switch to this'.",
    ),
    sign(
        "launcher_mismatch",
        r"World size \((\d+)\) is larger than the number of available GPUs \((\d+)\)",
        "The model was to run on {0} Sparks, and vLLM saw only {1}.",
        _UPDATE,
    ),
    sign(
        "files_not_found",
        r"LocalEntryNotFoundError|OfflineModeIsEnabled|RepositoryNotFoundError"
        r"|is not a local folder and is not a valid model identifier",
        "vLLM did not find the model's files on the Spark and could not fetch them.",
        _DOWNLOAD,
    ),
    sign(
        "model_not_supported",
        r"Model architectures \[(.+?)\] are not supported",
        "The vLLM on the Sparks does not know this kind of model ({0}).",
        _UPDATE,
    ),
    sign(
        "wrong_image",
        r"vllm: command not found|exec format error",
        "The image of the recipe does not contain a vLLM that runs on a Spark.",
        _UPDATE,
    ),
    sign(
        "gpu_fault",
        r"cudaErrorUnknown|CUBLAS_STATUS_\w+|CUDA error: (?!out of memory)\S",
        "The GPU reported a fault.",
        _RESTART,
    ),
    sign(
        "start_too_slow",
        r"Timed out waiting for engine core processes to start.*?Waited ([\d.]+) ?s",
        "vLLM gave up waiting for its own start after {0} s.",
        "Raise VLLM_ENGINE_READY_TIMEOUT_S in the recipe's env to 3600, then press "
        "'Switch to this' again.",
    ),
    KILLED,
    sign(
        "engine_died",
        r"EngineDeadError|EngineCore encountered (?:a fatal error|an issue)"
        r"|Engine core initialization failed",
        "The model's engine stopped while it was starting.",
        "Read the lines below. " + AGAIN,
        consequence=True,
    ),
)
"""The first that matches a line is what the line means, so the more exact ones stand first."""

STALL = re.compile(r"No available shared memory broadcast block found in (\d+) seconds")
"""Also printed during long compilations: a reason only when the process is gone."""
