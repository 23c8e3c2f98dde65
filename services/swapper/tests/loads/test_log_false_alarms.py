"""What stands in a log and looks like a failure is not one; and what came first is the cause."""

import time

import pytest

from spark_swapper.loads.loadlog import LoadLog
from spark_swapper.loads.log_words import MAX_LINE

INFO = "(APIServer pid=91) INFO 11-21 00:20:01 [entry.py:139] "
ENGINE = "(EngineCore pid=205) ERROR 11-21 00:21:05 [core.py:1072] "
WORKER = "(Worker_TP1 pid=300) ERROR 11-21 00:21:05 [multiproc_executor.py:871] "
SERVER = "(APIServer pid=91) ERROR 11-21 00:21:07 [entry.py:139] "
FAILED = SERVER + "RuntimeError: Engine core initialization failed. See root cause above. "
TRACEBACK = "Traceback (most recent call last):"
OOM = "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB."


def read(*lines: str) -> LoadLog:
    log = LoadLog()
    log.feed("".join(f"{line}\n" for line in lines))
    return log


@pytest.mark.parametrize(
    "line",
    [
        '(APIServer pid=1) INFO:     127.0.0.1:5 - "GET /v1/EngineDeadError HTTP/1.1" 404',
        INFO + "Received request cmpl-1: prompt: 'Why does CUDA out of memory happen?'",
        INFO + "non-default args: {'model_tag': '/models/EngineDeadError-tuned'}",
        "(EngineCore pid=2) 2026-07-05 12:00:00,123 - WARNING - autotuner.py:496 - flashinfer.jit: "
        "[Autotuner]: Skipping tactic x 3, due to failure while profiling: CUDA out of memory",
        "2026-07-05 12:00:00,123 - INFO - autotuner.py:496 - flashinfer.jit: CUDA error: invalid",
        "[rank0]:[W1121 00:41:07.1 socket.cpp:462] [c10d] The server socket cannot be initialized "
        "on [::]:29501 ([Errno 98] Address already in use).",
        "(Worker_TP0 pid=3) /usr/lib/python3/x.py:12: UserWarning: CUDA out of memory is near",
        "WARNING:ray:[Errno 28] No space left on device",
        "\x1b[33mWARNING\x1b[0m 11-21 02:05:22 [x.py:1] NCCL error in the past: ncclSystemError",
    ],
)
def test_what_calls_itself_no_error_is_none_whatever_it_quotes(line: str) -> None:
    assert read(line).verdict(process_alive=True) is None
    cause = read(line).verdict(process_alive=False)
    assert cause is not None
    assert cause.code == "ended_silently"


@pytest.mark.parametrize(
    ("line", "code"),
    [
        (
            "OSError: acme/ncclSystemError-7b does not appear to have a file named config.json.",
            "files_damaged",
        ),
        (
            "vllm serve: error: unrecognized arguments: --x /models/CUBLAS_STATUS_OK",
            "bad_arguments",
        ),
        (
            "ValueError: Free memory on device cuda:0 (88.4/119.69 GiB) on startup is less than "
            "desired GPU memory utilization (0.85, 101.74 GiB). /models/EngineDeadError",
            "not_enough_memory",
        ),
    ],
)
def test_the_name_of_a_model_is_no_sign(line: str, code: str) -> None:
    cause = read(SERVER + line).verdict(process_alive=True)
    assert cause is not None
    assert cause.code == code
    assert cause.evidence == [SERVER + line]


def test_the_source_code_in_a_traceback_is_no_sign() -> None:
    log = read(
        ENGINE + TRACEBACK,
        ENGINE + '  File "/usr/lib/python3/dist-packages/vllm/nccl/ncclSystemError.py", line 7',
        ENGINE + "    raise EngineDeadError(CUBLAS_STATUS_OK)",
        ENGINE + "RuntimeError: weight 'x' has the wrong shape",
        FAILED + "Failed core proc(s): {'EngineCore_DP0': 1}",
    )
    cause = log.verdict(process_alive=True)
    assert cause is not None
    assert cause.code == "engine_failed"
    assert "weight 'x' has the wrong shape" in cause.sentence


def test_a_message_that_is_indented_is_no_source_code() -> None:
    said = "  Value error, Model architectures ['Qwen9ForCausalLM'] are not supported for now."
    cause = read(SERVER + TRACEBACK, SERVER + '  File "x.py", line 7', SERVER + said).verdict(
        process_alive=False
    )
    assert cause is not None
    assert (cause.code, cause.evidence) == ("model_not_supported", [SERVER + said])


@pytest.mark.parametrize(
    ("last", "said"),
    [
        (ENGINE + "AssertionError", "AssertionError."),
        (ENGINE + "torch._dynamo.exc.Unsupported: a graph break", "a graph break."),
        (ENGINE + "ray.exceptions.RayTaskError(ValueError): odd", "odd."),
        ("(EngineCore pid=205) KeyError: 'layers.61'", "'layers.61'."),
    ],
)
def test_an_empty_list_after_any_traceback_of_the_engine_is_no_kill(last: str, said: str) -> None:
    process = last[: last.index(")") + 2]
    begins = ENGINE if last.startswith(ENGINE) else process
    log = read(begins + TRACEBACK, last, FAILED + "Failed core proc(s): {}")
    cause = log.verdict(process_alive=True)
    assert cause is not None
    assert (cause.code, cause.evidence) == ("engine_failed", [last])
    assert cause.sentence.endswith(said)


def test_a_rank_that_pytorch_names_is_an_engine() -> None:
    line = "[rank0]: RuntimeError: weight 'x' has the wrong shape"
    cause = read(line, FAILED + "Failed core proc(s): {}").verdict(process_alive=True)
    assert cause is not None
    assert (cause.code, cause.evidence) == ("engine_failed", [line])


def test_an_empty_list_on_a_line_of_its_own_is_a_kill() -> None:
    log = read(FAILED.rstrip(), SERVER + "Failed core proc(s): {}")
    cause = log.verdict(process_alive=True)
    assert cause is not None
    assert cause.code == "out_of_memory_killed"


@pytest.mark.parametrize(
    "follows",
    [
        SERVER + "TimeoutError: Timed out waiting for engine core processes to start. Waited 600s",
        ENGINE + "torch.distributed.DistBackendError: NCCL error in: ProcessGroupNCCL.cpp:94",
        "[rank1]:[E1121 00:41:07] Watchdog caught collective operation timeout: WorkNCCL",
    ],
)
def test_what_an_engine_threw_before_its_echo_is_the_cause(follows: str) -> None:
    first = WORKER + "RuntimeError: weight 'x' has the wrong shape"
    cause = read(first, follows).verdict(process_alive=False)
    assert cause is not None
    assert (cause.code, cause.evidence) == ("engine_failed", [first])
    cause = read(follows, first).verdict(process_alive=False)
    assert cause is not None
    assert cause.code != "engine_failed"


GOES_ON = "(EngineCore pid=205) INFO 11-21 00:22:05 [core.py:1] GPU KV cache size: 3,076,565 tokens"


@pytest.mark.parametrize(
    ("later", "fails"),
    [
        (GOES_ON, False),
        ("(APIServer pid=91) INFO:     Application startup complete.", False),
        (GOES_ON.replace("pid=205", "pid=206"), True),
        ("(Worker_TP0 pid=300) INFO 11-21 00:22:05 [x.py:1] torch.compile took 2 s", True),
        (INFO + "Using max model len 4096", True),
    ],
)
def test_an_error_is_forgotten_when_its_own_process_goes_on(later: str, fails: bool) -> None:
    log = read("(EngineCore pid=205) INFO 11-21 00:20:05 [core.py:1] world_size=1", ENGINE + OOM)
    assert log.verdict(process_alive=True) is not None
    log.feed(later + "\n")
    assert (log.verdict(process_alive=True) is not None) is fails


def test_a_step_that_was_reached_before_is_not_going_on() -> None:
    log = read(GOES_ON, ENGINE + OOM, GOES_ON)
    assert log.verdict(process_alive=True) is not None


@pytest.mark.parametrize("line", ["x" * 300_000, "a/" * 100_000, "A." * 100_000, "(" * 100_000])
def test_no_line_takes_long_to_read(line: str) -> None:
    log = LoadLog()
    began = time.process_time()
    (event,) = log.feed(line + "\n")
    assert time.process_time() - began < 2
    assert len(event.line) == MAX_LINE
