"""The ways a load ends badly, with the lines vLLM writes then. Pure tables."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Literal

from spark_sim.faults import Behaviour


class Stage(IntEnum):
    """Where in a load something happens, in order."""

    ARGUMENTS = 1
    FILES = 2
    ENGINE = 3
    RENDEZVOUS = 4
    NCCL = 5
    WEIGHTS = 6
    PROFILE = 7
    CACHE = 8
    GRAPHS = 9


@dataclass(frozen=True)
class LoadFailure:
    """What happens at a stage: lines, how the process ends, what the kernel notes."""

    stage: Stage
    error: str = ""
    """Last line of the traceback; "" when nobody lives to write one."""
    process: Literal["APIServer", "EngineCore", "Worker", "plain"] = "EngineCore"
    cores: Mapping[str, int] | None = None
    """Failed processes of the wrapper's last line; None when it says nothing."""
    cause: str = ""
    """For the journal."""
    kernel: tuple[str, ...] = ()
    """Lines of the kernel's log, ``{pid}`` being the engine's."""
    killed: bool = False
    """Whether the kernel ended it, which its control group counts."""
    waits_seconds: float = 0.0
    """Silence before it."""


_DIED = {"EngineCore": 1}
_CORE: Mapping[str, int] = {}
_NEEDS = (
    "(24.0 GiB KV cache is needed, which is larger than the available KV cache memory (8.0 GiB). "
    "Based on the available memory, the estimated maximum model length is 87360. Try increasing "
    "`gpu_memory_utilization` or decreasing `max_model_len` when initializing the engine."
)
OOM_KILL = (
    "VLLM::EngineCor invoked oom-killer: gfp_mask=0x140cca(GFP_HIGHUSER_MOVABLE|__GFP_COMP), "
    "order=0, oom_score_adj=0",
    "oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom,"
    "task_memcg=/system.slice,task=VLLM::EngineCor,pid={pid},uid=0",
    "Out of memory: Killed process {pid} (VLLM::EngineCor) total-vm:181210044kB, "
    "anon-rss:101220388kB, file-rss:1164kB, shmem-rss:8840kB, UID:0 pgtables:201452kB "
    "oom_score_adj:0",
)

LOAD_FAILURES: Mapping[Behaviour, LoadFailure] = {
    Behaviour.POST_PARSE: LoadFailure(
        Stage.ARGUMENTS, process="APIServer", cause="arguments",
        error="TypeError: Error: --enable-auto-tool-choice requires --tool-call-parser",
    ),
    Behaviour.BAD_PARSER: LoadFailure(
        Stage.ARGUMENTS, process="APIServer", cause="arguments",
        error="KeyError: 'invalid tool call parser: nosuch (chose from { hermes,qwen3_coder })'",
    ),
    Behaviour.CONTEXT_TOO_LONG: LoadFailure(
        Stage.FILES, process="APIServer", cause="context",
        error="  Value error, User-specified max_model_len (999999) is greater than the derived "
        "max_model_len (max_position_embeddings=262144 or model_max_length=None in model's "
        "config.json).",
    ),
    Behaviour.UNKNOWN_ARCHITECTURE: LoadFailure(
        Stage.FILES, process="APIServer", cause="architecture",
        error="  Value error, Model architectures ['Qwen9ForCausalLM'] are not supported for now.",
    ),
    Behaviour.GATED: LoadFailure(
        Stage.FILES, process="APIServer", cause="gated",
        error="huggingface_hub.errors.GatedRepoError: 401 Client Error. Cannot access gated repo "
        "for url https://huggingface.co/org/model/resolve/main/config.json.",
    ),
    Behaviour.OFFLINE_FILES: LoadFailure(
        Stage.FILES, process="APIServer", cause="files not found",
        error="huggingface_hub.errors.LocalEntryNotFoundError: Cannot find the requested files in "
        "the disk cache and outgoing traffic has been disabled.",
    ),
    Behaviour.DAMAGED_FILES: LoadFailure(
        Stage.WEIGHTS, cores=_DIED, cause="damaged files",
        error="safetensors_rust.SafetensorError: Error while deserializing header: "
        "MetadataIncompleteBuffer",
    ),
    Behaviour.NOFILE: LoadFailure(
        Stage.WEIGHTS, cores=_DIED, cause="too many files",
        error="OSError: [Errno 24] Too many open files: 'model-00004-of-00005.safetensors'",
    ),
    Behaviour.MAMBA_BLOCK: LoadFailure(
        Stage.ENGINE, cores=_DIED, cause="batch too small",
        error="AssertionError: In Mamba cache align mode, block_size (2096) must be <= "
        "max_num_batched_tokens (2048).",
    ),
    Behaviour.MM_BUDGET: LoadFailure(
        Stage.PROFILE, cores=_DIED, cause="batch too small",
        error="ValueError: Chunked MM input disabled but max_tokens_per_mm_item (16384) is larger "
        "than max_num_batched_tokens (8192). Please increase max_num_batched_tokens.",
    ),
    Behaviour.KV_NONE: LoadFailure(
        Stage.CACHE, cores=_DIED, cause="no memory for the cache",
        error="ValueError: No available memory for the cache blocks. Try increasing "
        "`gpu_memory_utilization` when initializing the engine.",
    ),
    Behaviour.KV_TOO_SMALL: LoadFailure(
        Stage.CACHE, cores=_DIED, cause="cache too small",
        error="ValueError: To serve at least one request with the model's max seq len (262144), "
        + _NEEDS,
    ),
    Behaviour.KV_TOO_SMALL_OLD: LoadFailure(
        Stage.CACHE, cores=_DIED, cause="cache too small",
        error="ValueError: To serve at least one request with the models's max seq len (262144), "
        + _NEEDS,
    ),
    Behaviour.CUDA_OOM: LoadFailure(
        Stage.PROFILE, process="Worker", cores=_DIED, cause="CUDA out of memory",
        error="torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a "
        "total capacity of 119.69 GiB of which 1.21 GiB is free.",
    ),
    Behaviour.DRIVER_OOM: LoadFailure(
        Stage.WEIGHTS, cause="driver out of memory", cores=_CORE,
        kernel=(
            "NVRM: nvAssertOkFailedNoLog: Assertion failed: Out of memory [NV_ERR_NO_MEMORY] "
            "(0x00000051) returned from _memdescAllocInternal(pMemDesc) @ mem_desc.c:1359",
        ),
    ),
    Behaviour.OOM_ON_LOAD: LoadFailure(
        Stage.WEIGHTS, cores=_CORE, cause="killed by the kernel for lack of memory",
        kernel=OOM_KILL, killed=True,
    ),
    Behaviour.EARLYOOM: LoadFailure(
        Stage.WEIGHTS, process="plain", cores=_CORE, cause="ended by earlyoom",
        error="mem avail:   498 of 122502 MiB ( 0.41%), swap free:   98 of 16384 MiB ( 0.60%)\n"
        "low memory! at or below SIGTERM limits: mem  0.42%, swap  0.61%\n"
        'sending SIGTERM to process {pid} uid 0 "VLLM::EngineCor": oom_score 1301, '
        "VmRSS 98211 MiB",
    ),
    Behaviour.RAY_OOM: LoadFailure(
        Stage.WEIGHTS, cores=_DIED, cause="Ray out of memory",
        error="ray.exceptions.OutOfMemoryError: 1 worker(s) were killed due to the node running "
        "low on memory",
    ),
    Behaviour.RENDEZVOUS: LoadFailure(
        Stage.RENDEZVOUS, process="Worker", cores=_DIED, cause="rendezvous", waits_seconds=601,
        error="torch.distributed.DistStoreError: Timed out after 601 seconds waiting for clients. "
        "1/2 clients joined.",
    ),
    Behaviour.READY_TIMEOUT: LoadFailure(
        Stage.PROFILE, process="APIServer", cause="ready timeout", waits_seconds=600,
        error="TimeoutError: Timed out waiting for engine core processes to start. This is often "
        "caused by slow weight loading for large models. Waited 600s (configured by "
        "VLLM_ENGINE_READY_TIMEOUT_S).",
    ),
    Behaviour.NCCL_ERROR: LoadFailure(
        Stage.NCCL, process="Worker", cores=_DIED, cause="NCCL error",
        error="torch.distributed.DistBackendError: NCCL error in: ProcessGroupNCCL.cpp:94, "
        "unhandled system error (run with NCCL_DEBUG=INFO for details), NCCL version 2.28.9\n"
        "ncclSystemError: System call (e.g. socket, malloc) or external library call failed or "
        "device error.",
    ),
    Behaviour.NCCL_WATCHDOG: LoadFailure(
        Stage.PROFILE, process="plain", cores=_DIED, cause="NCCL timeout", waits_seconds=600,
        error="[rank0]:[E1121 00:41:07.911 ProcessGroupNCCL.cpp:685] [Rank 0] Watchdog caught "
        "collective operation timeout: WorkNCCL(SeqNum=12, OpType=ALLREDUCE, NumelIn=1, "
        "NumelOut=1, Timeout(ms)=600000) ran for 600012 milliseconds before timing out.",
    ),
    Behaviour.SHM_STALL_DEATH: LoadFailure(
        Stage.PROFILE, process="plain", cause="a worker never answered",
        error="(EngineCore pid={pid}) INFO 11-21 00:31:05 [shm_broadcast.py:681] No available "
        "shared memory broadcast block found in 60 seconds. This typically happens when some "
        "processes are hanging or doing some time-consuming work (e.g. compilation, weight/kv "
        "cache quantization).",
    ),
    Behaviour.CUDA_FAULT: LoadFailure(
        Stage.WEIGHTS, process="Worker", cores=_DIED, cause="CUDA error",
        error="torch.AcceleratorError: CUDA error: unknown error (cudaErrorUnknown)",
    ),
    Behaviour.CUBLAS_FAULT: LoadFailure(
        Stage.PROFILE, process="Worker", cores=_DIED, cause="CUBLAS error",
        error="RuntimeError: CUDA error: CUBLAS_STATUS_EXECUTION_FAILED when calling "
        "`cublasGemmEx( handle, opa, opb, m, n, k )`",
    ),
    Behaviour.ENGINE_DEAD: LoadFailure(
        Stage.GRAPHS, process="APIServer", cause="engine dead",
        error="vllm.v1.engine.exceptions.EngineDeadError: EngineCore encountered an issue. See "
        "stack trace (above) for the root cause.",
    ),
    Behaviour.SILENT_DEATH: LoadFailure(Stage.WEIGHTS, cause="nobody knows"),
}  # fmt: skip
"""What hangs instead of ending is not here: ``vllm_process.py`` waits for ever then."""
