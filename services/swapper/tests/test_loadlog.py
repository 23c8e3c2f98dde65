from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from spark_swapper.loads.loadlog import LoadLog
from spark_swapper.loads.log_words import MAX_LINE
from spark_swapper.ports import LoadReader

DATA = Path(__file__).parent / "data" / "startup-logs"
ERROR = "(EngineCore pid=205) ERROR 11-21 00:21:05 [core.py:1072] "
SERVER = "(APIServer pid=91) ERROR 11-21 00:21:07 [entry.py:139] "
WRAPPER = "RuntimeError: Engine core initialization failed. See root cause above. "


def read(*lines: str) -> LoadLog:
    log = LoadLog()
    log.feed("".join(f"{line}\n" for line in lines))
    return log


def test_it_is_what_the_swap_path_asks_for() -> None:
    reader: LoadReader = LoadLog()
    assert reader.verdict(process_alive=True) is None


def test_the_log_of_a_real_start_reads_from_first_to_last_step() -> None:
    log = LoadLog()
    events = log.feed((DATA / "chat.log").read_text())
    steps = list(dict.fromkeys(event.milestone for event in events if event.milestone))
    assert steps == [
        "starting",
        "config",
        "distributed",
        "weights",
        "weights_loaded",
        "kv_cache",
        "engine",
        "serving",
    ]
    assert [event.percent for event in events if event.percent is not None] == [0.0, 100.0, 100.0]
    assert log.verdict(process_alive=True) is None


def test_a_real_shutdown_names_no_false_cause_while_the_process_lives() -> None:
    text = (DATA / "rerank.log").read_text()
    log = LoadLog()
    log.feed(text[: text.index("[shutdown]")])
    assert log.verdict(process_alive=True) is None


@pytest.mark.parametrize(
    ("line", "milestone", "percent"),
    [
        ("(APIServer pid=1) INFO non-default args: {'model_tag': 'm'}", "starting", None),
        ("(APIServer pid=1) INFO Resolved architecture: GptOssForCausalLM", "config", None),
        ("(APIServer pid=1) INFO Using max model len 262144", "config", None),
        ("(Worker_TP0 pid=2) INFO world_size=2 rank=0 local_rank=0", "distributed", None),
        ("(Worker_TP0 pid=2) INFO vLLM is using nccl==2.28.3", "distributed", None),
        (
            "Loading safetensors checkpoint shards:  38% Completed | 18/48 [00:08<00:17, 1.7it/s]",
            "weights",
            37.5,
        ),
        (
            "Loading safetensors using Fastsafetensor loader:  50% Completed | 1/2 [00:08<00:17]",
            "weights",
            50.0,
        ),
        (
            "Loading safetensors using InstantTensor loader:  25% Completed | 3/12 [00:08<00:17]",
            "weights",
            25.0,
        ),
        ("(Worker_TP0 pid=2) INFO Loading weights took 163.30 seconds", "weights_loaded", 100.0),
        (
            "(Worker_TP0 pid=2) INFO Model loading took 79.52 GiB memory and 197.764892 seconds",
            "weights_loaded",
            100.0,
        ),
        ("(Worker_TP0 pid=2) INFO Dynamo bytecode transform time: 9.6 s", "compile", None),
        ("(Worker_TP0 pid=2) INFO torch.compile took 2.18 s in total", "compile", None),
        ("(Worker_TP0 pid=2) INFO Available KV cache memory: 12.34 GiB", "kv_cache", None),
        ("(EngineCore pid=2) INFO GPU KV cache size: 3,076,565 tokens", "kv_cache", None),
        ("(Worker pid=2) [Autotuner]: Autotuning process starts ...", "autotune", None),
        ("Capturing CUDA graphs (decode, FULL):  12%|#2 | 4/35 [00:01<00:10]", "graphs", None),
        ("(Worker pid=2) INFO Graph capturing finished in 21 secs, took 0.82 GiB", "graphs", None),
        (
            "(EngineCore pid=2) INFO init engine (profile, create kv cache, warmup model) took "
            "59.60 s (compilation: 2.91 s)",
            "engine",
            None,
        ),
        ("(APIServer pid=1) INFO Starting vLLM server on http://0.0.0.0:8888", "serving", None),
        ("(APIServer pid=1) INFO:     Application startup complete.", "serving", None),
        ("(APIServer pid=1) INFO Route: /v1/models, Methods: GET", None, None),
    ],
)
def test_every_step_is_recognised(line, milestone, percent) -> None:
    (event,) = LoadLog().feed(line + "\n")
    assert (event.line, event.milestone, event.percent) == (line, milestone, percent)


def test_progress_bars_are_lines_of_their_own() -> None:
    bar = "Loading safetensors checkpoint shards: {}% Completed | {}/4 [00:01<00:02]"
    text = "".join("\r" + bar.format(25 * done, done) for done in range(5)) + "\n\n"
    events = LoadLog().feed(text)
    assert [event.percent for event in events] == [0.0, 25.0, 50.0, 75.0, 100.0]


def test_the_share_never_falls_when_a_draft_model_follows() -> None:
    log = LoadLog()
    bar = "Loading safetensors checkpoint shards: {}% Completed | {}/2 [00:01<00:02]\n"
    log.feed("".join(bar.format(50 * done, done) for done in range(3)))
    assert [event.percent for event in log.feed(bar.format(0, 0))] == [100.0]


def test_a_line_counts_when_it_is_complete() -> None:
    log = LoadLog()
    assert log.feed("(APIServer pid=1) INFO Using max mod") == []
    (event,) = log.feed("el len 4096\nrest")
    assert event.milestone == "config"


def test_control_characters_and_endless_lines_do_not_pass() -> None:
    log = LoadLog()
    (event,) = log.feed("\x1b[0;36m(APIServer pid=1)\x1b[0m \x00hello\x07\n")
    assert event.line == "(APIServer pid=1) hello"
    (event,) = log.feed("x" * 300_000 + "\n")
    assert len(event.line) == MAX_LINE


@given(st.data())
def test_where_the_log_is_cut_changes_nothing(data: st.DataObject) -> None:
    text = (DATA / "chat.log").read_text()[:6000]
    whole = LoadLog().feed(text)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=8)))
    log, pieces, start = LoadLog(), [], 0
    for cut in [*cuts, len(text)]:
        pieces += log.feed(text[start:cut])
        start = cut
    assert pieces == whole


@pytest.mark.parametrize(
    ("line", "code", "words"),
    [
        (
            "vllm: error: unrecognized arguments: --bogus 1",
            "bad_arguments",
            "vLLM does not accept the launch arguments: unrecognized arguments: --bogus 1.",
        ),
        (
            "vllm serve: error: argument --port: invalid int value: 'abc'",
            "bad_arguments",
            "invalid int value: 'abc'",
        ),
        (
            SERVER + "TypeError: Error: --enable-auto-tool-choice requires --tool-call-parser",
            "bad_arguments",
            "--enable-auto-tool-choice requires --tool-call-parser",
        ),
        (
            "KeyError: 'invalid tool call parser: nosuch (chose from { a,b })'",
            "bad_arguments",
            "invalid tool call parser: nosuch",
        ),
        (
            "  Value error, User-specified max_model_len (999999) is greater than the derived "
            "max_model_len (max_position_embeddings=8192.0 or model_max_length=None in model's "
            "config.json).",
            "context_too_long",
            "a context of 999999 tokens, and the model was made for 8192.",
        ),
        (
            ERROR + "ValueError: Free memory on device cuda:0 (88.4/119.69 GiB) on startup is "
            "less than desired GPU memory utilization (0.85, 101.74 GiB). Decrease GPU memory "
            "utilization or reduce GPU memory used by other processes.",
            "not_enough_memory",
            "Not enough free memory: it asked for 101.74 GB, 88.4 GB was free.",
        ),
        (
            ERROR + "ValueError: No available memory for the cache blocks. Try increasing "
            "`gpu_memory_utilization` when initializing the engine.",
            "no_memory_for_context",
            "nothing is left for conversations",
        ),
        (
            ERROR + "ValueError: To serve at least one request with the model's max seq len "
            "(262144), (24.0 GiB KV cache is needed, which is larger than the available KV cache "
            "memory (8.0 GiB). Based on the available memory, the estimated maximum model length "
            "is 87360. Try increasing `gpu_memory_utilization`.",
            "context_does_not_fit",
            "a context of 262144 tokens; at most 87360 fit",
        ),
        (
            ERROR + "ValueError: To serve at least one request with the models's max seq len "
            "(262144), more memory is needed",
            "context_does_not_fit",
            "does not hold a context of 262144 tokens",
        ),
        (
            ERROR + "AssertionError: In Mamba cache align mode, block_size (2096) must be <= "
            "max_num_batched_tokens (2048).",
            "batch_too_small",
            "read 2048 tokens at a time, and this kind of model needs 2096",
        ),
        (
            ERROR + "ValueError: Chunked MM input disabled but max_tokens_per_mm_item (16384) is "
            "larger than max_num_batched_tokens (8192). Please increase max_num_batched_tokens.",
            "batch_too_small",
            "one image can need 16384",
        ),
        (
            "(Worker_TP0 pid=300) ERROR 11-21 00:21:05 [multiproc_executor.py:871] "
            "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.",
            "out_of_gpu_memory",
            "The GPU ran out of memory",
        ),
        (
            ERROR + "torch.distributed.DistStoreError: Timed out after 601 seconds waiting for "
            "clients. 1/2 clients joined.",
            "sparks_did_not_meet",
            "Only 1 of 2 Sparks joined within 601 s.",
        ),
        (
            ERROR + "torch.distributed.DistBackendError: NCCL error in: ProcessGroupNCCL.cpp:94, "
            "unhandled system error",
            "sparks_lost_each_other",
            "lost the fast connection",
        ),
        (
            "(Worker_TP1 pid=300) ERROR 11-21 00:21:05 [pynccl.py:1] RuntimeError: NCCL failure: "
            "ncclRemoteError: remote process exited",
            "sparks_lost_each_other",
            "lost the fast connection",
        ),
        (
            "[rank1]:[E1121 00:41:07] [PG ID 2] Watchdog caught collective operation timeout: "
            "WorkNCCL(SeqNum=12)",
            "sparks_lost_each_other",
            "lost the fast connection",
        ),
        (
            ERROR + "TimeoutError: Timed out waiting for engine core processes to start. This is "
            "often caused by slow weight loading for large models. Waited 600s (configured by "
            "VLLM_ENGINE_READY_TIMEOUT_S).",
            "start_too_slow",
            "after 600 s",
        ),
        (
            "ray.exceptions.OutOfMemoryError: 1 worker(s) were killed due to the node running "
            "low on memory",
            "out_of_memory_killed",
            "ran low on memory",
        ),
        ("OSError: [Errno 98] Address already in use", "port_taken", "already uses the port"),
        (
            ERROR + "RuntimeError: CUDA error: CUBLAS_STATUS_EXECUTION_FAILED when calling "
            "`cublasGemmEx`",
            "gpu_fault",
            "The GPU reported a fault",
        ),
        (
            ERROR + "torch.AcceleratorError: CUDA error: unknown error (cudaErrorUnknown)",
            "gpu_fault",
            "The GPU reported a fault",
        ),
        (
            ERROR + "OSError: [Errno 28] No space left on device",
            "disk_full",
            "The disk of the Spark is full",
        ),
        (
            ERROR + "safetensors_rust.SafetensorError: Error while deserializing header: "
            "MetadataIncompleteBuffer",
            "files_damaged",
            "damaged or missing",
        ),
        (
            SERVER + "  Value error, Model architectures ['Qwen9ForCausalLM'] are not supported "
            "for now.",
            "model_not_supported",
            "'Qwen9ForCausalLM'",
        ),
        ("bash: line 1: vllm: command not found", "wrong_image", "does not contain a vLLM"),
    ],
)
def test_every_known_failure_is_named_at_once(line, code, words) -> None:
    log = read("(EngineCore pid=205) INFO 11-21 00:19:55 [core.py:133] loading", line)
    cause = log.verdict(process_alive=True)
    assert cause is not None
    assert cause.code == code
    assert words in cause.sentence
    assert cause.sentence.endswith(".")
    assert cause.action.endswith(".")
    assert cause.evidence == [line.rstrip()]


def test_the_engine_knows_better_than_the_server() -> None:
    oom = ERROR + "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB."
    log = read(
        SERVER + "OSError: [Errno 98] Address already in use",
        ERROR + "EngineCore encountered a fatal error.",
        oom,
        SERVER + WRAPPER + "Failed core proc(s): {'EngineCore_DP0': 1}",
    )
    cause = log.verdict(process_alive=False)
    assert cause is not None
    assert (cause.code, cause.evidence) == ("out_of_gpu_memory", [oom])


def test_the_first_error_of_the_engine_is_the_cause() -> None:
    log = read(
        "(Worker_TP1 pid=7) ERROR 11-21 00:21:05 [x.py:1] torch.OutOfMemoryError: CUDA out of m",
        "(Worker_TP0 pid=6) ERROR 11-21 00:21:06 [x.py:1] torch.distributed.DistBackendError: "
        "NCCL error in: x",
    )
    cause = log.verdict(process_alive=False)
    assert cause is not None
    assert cause.code == "out_of_gpu_memory"


@pytest.mark.parametrize("failed", ["{}", "{ }", "{'EngineCore_DP0': -9}"])
def test_an_engine_that_left_no_word_was_killed_for_memory(failed) -> None:
    log = read(SERVER + WRAPPER + f"Failed core proc(s): {failed}")
    for alive in (True, False):
        cause = log.verdict(process_alive=alive)
        assert cause is not None
        assert cause.code == "out_of_memory_killed"
        assert "ran out of memory" in cause.sentence


def test_an_engine_that_left_a_traceback_was_not() -> None:
    line = ERROR + "RuntimeError: weight 'x' has the wrong shape"
    log = read(line, SERVER + WRAPPER + "Failed core proc(s): {}")
    cause = log.verdict(process_alive=True)
    assert cause is not None
    assert cause.code == "engine_failed"
    assert "weight 'x' has the wrong shape" in cause.sentence
    assert cause.evidence == [line]


def test_the_guard_of_the_container_says_whom_it_ended() -> None:
    log = read('sending SIGTERM to process 6330 uid 0 "VLLM::EngineCor": oom_score 1200')
    cause = log.verdict(process_alive=True)
    assert cause is not None
    assert cause.code == "out_of_memory_killed"


def test_an_unknown_exception_counts_only_when_the_process_is_gone() -> None:
    log = read("Traceback (most recent call last):", "somelib.errors.OddError: it is odd.")
    assert log.verdict(process_alive=True) is None
    cause = log.verdict(process_alive=False)
    assert cause is not None
    assert cause.sentence == "The model server failed while loading: it is odd."


def test_what_vllm_only_warns_of_is_no_cause() -> None:
    log = read(
        "(APIServer pid=1) WARNING 11-21 02:05:22 [system_utils.py:255] Found ulimit of 20000; "
        "this can cause errors like `OSError: [Errno 24] Too many open files`.",
        "(Worker pid=2) INFO 11-21 02:05:22 [x.py:1] skipping tactic: CUDA out of memory",
    )
    assert log.verdict(process_alive=True) is None


def test_a_stall_is_a_cause_only_without_a_process() -> None:
    log = read(
        "(EngineCore pid=2) INFO 11-21 02:05:22 [shm_broadcast.py:501] No available shared memory "
        "broadcast block found in 60 seconds. This typically happens when some processes are "
        "hanging or doing some time-consuming work."
    )
    assert log.verdict(process_alive=True) is None
    cause = log.verdict(process_alive=False)
    assert cause is not None
    assert cause.code == "stalled"


def test_a_silent_end_still_has_words_and_the_last_lines() -> None:
    log = read(*(f"line {number}" for number in range(9)))
    cause = log.verdict(process_alive=False)
    assert cause is not None
    assert cause.code == "ended_silently"
    assert cause.evidence == [f"line {number}" for number in range(3, 9)]


def test_the_last_words_count_without_their_line_end() -> None:
    log = LoadLog()
    log.feed("OSError: [Errno 98] Address already in use")
    cause = log.verdict(process_alive=False)
    assert cause is not None
    assert cause.code == "port_taken"
