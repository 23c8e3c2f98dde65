"""The lines vLLM writes while it starts, as a GB10 shows them."""

from collections.abc import Iterator, Mapping

from spark_sim.catalogue import SimModel
from spark_sim.pace import now

_BANNER = (
    "",
    "       █     █     █▄   ▄█",
    " ▄▄ ▄█ █     █     █ ▀▄▀ █  version 0.33.0",
    "  █▄█▀ █     █     █     █  model   {model}",
    "   ▀▀  ▀▀▀▀▀ ▀▀▀▀▀ ▀     ▀",
    "",
)
ROUTES = (
    "/openapi.json, Methods: GET, HEAD", "/load, Methods: GET", "/version, Methods: GET",
    "/health, Methods: GET", "/metrics, Methods: GET", "/tokenize, Methods: POST",
    "/detokenize, Methods: POST", "/v1/models, Methods: GET", "/ping, Methods: GET",
    "/ping, Methods: POST", "/v1/chat/completions, Methods: POST", "/v1/responses, Methods: POST",
    "/v1/completions, Methods: POST", "/v1/messages, Methods: POST",
    "/v1/messages/count_tokens, Methods: POST",
)  # fmt: skip


def line(process: str, pid: int, text: str, *, where: str, level: str = "INFO") -> str:
    """Return one line of a process of vLLM."""
    return f"({process} pid={pid}) {level} {now():%m-%d %H:%M:%S} [{where}] {text}\n"


def first_lines(pid: int, model: str, given: Mapping[str, object]) -> Iterator[str]:
    """Yield banner and arguments."""
    for row in _BANNER:
        yield line("APIServer", pid, row.format(model=model), where="api_utils.py:347")
    yield line("APIServer", pid, f"non-default args: {dict(given)}", where="api_utils.py:286")


def config_lines(pid: int, model: SimModel, context: int) -> Iterator[str]:
    """Yield what vLLM finds in the model's files."""
    yield line("APIServer", pid, f"Resolved architecture: {model.architecture}",
               where="model.py:733")  # fmt: skip
    yield line("APIServer", pid, f"Using max model len {context}", where="model.py:2152")


def engine_lines(pid: int, model: SimModel, world: int, rank: int, head: str) -> Iterator[str]:
    """Yield the engine's first words and the rendezvous."""
    yield line("EngineCore", pid,
               f"Initializing a V1 LLM engine (v0.33.0) with config: model={model.repo!r}, "
               f"speculative_config=None, tokenizer={model.repo!r}, tensor_parallel_size={world}",
               where="core.py:133")  # fmt: skip
    yield line("EngineCore", pid,
               f"world_size={world} rank={rank} local_rank=0 "
               f"distributed_init_method=tcp://{head}:29501 backend=nccl",
               where="parallel_state.py:1906")  # fmt: skip
    if world > 1:
        yield line("EngineCore", pid, "vLLM is using nccl==2.28.9", where="pynccl.py:111")
    yield line("EngineCore", pid, f"Starting to load model {model.repo}...",
               where="gpu_model_runner.py:4871")  # fmt: skip


def shard_line(done: int, total: int, elapsed: float) -> str:
    """Return the progress bar of the weights, which begins with a carriage return."""
    percent = 100 * done // total
    rate = done / elapsed if elapsed else 0.0
    left = (total - done) / rate if rate else 0.0
    speed = f"{elapsed / done:.2f}s/it" if 0 < rate < 1 else f"{rate:.2f}it/s"
    tail = f"{_clock(elapsed)}<{_clock(left)}, {speed:>11}" if done else "00:00<?, ?it/s"
    return (
        f"\rLoading safetensors checkpoint shards: {percent:3d}% Completed | {done}/{total} "
        f"[{tail}]\n"
    )


def loaded_lines(pid: int, seconds: float, gib: float) -> Iterator[str]:
    """Yield the end of the weights."""
    yield "\n"
    yield line("EngineCore", pid, f"Loading weights took {seconds:.2f} seconds",
               where="default_loader.py:501")  # fmt: skip
    yield line("EngineCore", pid,
               f"Model loading took {gib:.2f} GiB memory and {seconds + 2.71:.6f} seconds",
               where="gpu_model_runner.py:4949")  # fmt: skip


def compile_lines(pid: int, warm: bool, seconds: float) -> Iterator[str]:
    """Yield compilation; with a warm cache it is a look-up."""
    if warm:
        yield line("EngineCore", pid,
                   f"Directly load the compiled graph(s) for compile range (1, 8192) from the "
                   f"cache, took {seconds:.3f} s", where="backends.py:391")  # fmt: skip
    else:
        yield line("EngineCore", pid, "Dynamo bytecode transform time: 6.42 s",
                   where="backends.py:1002")  # fmt: skip
        yield line("EngineCore", pid,
                   f"Compiling a graph for compile range (1, 8192) takes {seconds:.2f} s",
                   where="backends.py:415")  # fmt: skip
    yield line("EngineCore", pid, f"torch.compile took {seconds:.2f} s in total",
               where="monitor.py:76")  # fmt: skip


def cache_lines(pid: int, free_gib: float, tokens: int, context: int) -> Iterator[str]:
    """Yield the size of the KV cache."""
    yield line("EngineCore", pid, f"Available KV cache memory: {free_gib:.2f} GiB",
               where="gpu_worker.py:480")  # fmt: skip
    yield line("EngineCore", pid,
               f"GPU KV cache size: {tokens:,} tokens, Maximum concurrency for {context:,} tokens "
               f"per request: {tokens / context:.2f}x", where="kv_cache_utils.py:2327")  # fmt: skip


def graph_lines(done: int, total: int) -> str:
    """Return a piece of the graph bar: parts of one line, put apart by carriage returns."""
    percent = 100 * done // total
    return (
        f"\rCapturing CUDA graphs (mixed prefill-decode, PIECEWISE): {percent:3d}%|"
        f"{'█' * (percent // 10):<10}| {done}/{total} [00:{done // 4:02d}<00:00, 11.93it/s]"
    )


def engine_ready_lines(pid: int, seconds: float, compile_seconds: float) -> Iterator[str]:
    """Yield the end of the engine's start."""
    yield line("EngineCore", pid, "Graph capturing finished in 6 secs, took 0.61 GiB",
               where="gpu_model_runner.py:6122")  # fmt: skip
    yield line("EngineCore", pid,
               "init engine (profile, create kv cache, warmup model) took "
               f"{seconds:.2f} s (compilation: {compile_seconds:.2f} s)",
               where="core.py:402")  # fmt: skip


def serving_lines(pid: int, host: str, port: int) -> Iterator[str]:
    """Yield what the HTTP server says once it listens."""
    yield line("APIServer", pid, "Supported tasks: ['generate']", where="entry.py:136")
    yield line("APIServer", pid, f"Starting vLLM server on http://{host}:{port}",
               where="entry.py:140")  # fmt: skip
    yield line("APIServer", pid, "Available routes are:", where="launcher.py:186")
    for route in ROUTES:
        yield line("APIServer", pid, f"Route: {route}", where="launcher.py:195")
    yield f"(APIServer pid={pid}) INFO:     Started server process [{pid}]\n"
    yield f"(APIServer pid={pid}) INFO:     Waiting for application startup.\n"
    yield f"(APIServer pid={pid}) INFO:     Application startup complete.\n"


def engine_failed_lines(pid: int, cores: Mapping[str, object]) -> Iterator[str]:
    """Yield how the API server reports the death of its engine: never the cause."""
    shown = dict(cores)
    yield f"(APIServer pid={pid}) Traceback (most recent call last):\n"
    yield (
        f'(APIServer pid={pid})   File "/usr/local/lib/python3.12/dist-packages/vllm/v1/engine/'
        'utils.py", line 1133, in wait_for_engine_startup\n'
    )
    yield (
        f"(APIServer pid={pid}) RuntimeError: Engine core initialization failed. See root cause "
        f"above. Failed core proc(s): {shown}\n"
    )


def stall_line(pid: int, seconds: int) -> str:
    """Return what the engine says while it waits for a worker."""
    return line("EngineCore", pid,
                f"No available shared memory broadcast block found in {seconds} seconds. This "
                "typically happens when some processes are hanging or doing some time-consuming "
                "work (e.g. compilation, weight/kv cache quantization).",
                where="shm_broadcast.py:681")  # fmt: skip


def traceback_lines(process: str, pid: int, error: str, where: str) -> Iterator[str]:
    """Yield an error of a process of the engine with its traceback."""
    yield line(process, pid, "EngineCore failed to start.", where="core.py:1186", level="ERROR")
    rows = [
        "Traceback (most recent call last):",
        f'  File "{where}", line 271, in init',
        *error.splitlines(),
    ]
    for row in rows:
        yield line(process, pid, row, where="core.py:1186", level="ERROR")


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60:02d}:{int(seconds) % 60:02d}"
