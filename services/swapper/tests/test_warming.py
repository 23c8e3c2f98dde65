"""The first token: through the gateway, else at the runtime's own port, and never in the way."""

import asyncio
from dataclasses import replace

import pytest

from spark_common.contracts.swaps import Phase

FALLBACK = "The first token is asked for through the runtime's own port"


def lines(bench):
    return [line for event in bench.told() for line in event.lines]


async def test_ready_means_a_token_through_the_front_door(bench):
    job = await bench.swap()
    assert job.phase is Phase.READY
    assert bench.clients.asked == [("qwen-served", False)]
    assert not any(FALLBACK in line for line in lines(bench))


async def test_no_token_through_the_front_door_is_not_ready(bench):
    bench.runtime.faults.no_token = "HTTP 503: model_loading"
    job = await bench.swap()
    assert (job.phase, job.cause.code) == (Phase.FAILED, "no_first_token")
    assert job.cause.evidence == ["HTTP 503: model_loading"]


async def test_without_a_gateway_the_runtime_itself_is_asked_and_the_log_says_so(bench):
    bench.clients.away = True
    job = await bench.swap()
    assert job.phase is Phase.READY
    assert f"{FALLBACK}: no gateway answers." in lines(bench)


async def test_a_gateway_killed_while_warming_is_replaced_by_the_runtimes_port(bench):
    bench.clients.answer_seconds = 40
    attempt = bench.attempt()

    async def kill():
        await bench.until(lambda: attempt.journal.job.phase is Phase.WARMING)
        bench.clients.away = True

    job = await bench.swap(attempt=attempt, meanwhile=kill)
    assert job.phase is Phase.READY
    assert f"{FALLBACK}: no gateway answers." in lines(bench)


async def test_a_model_on_the_other_spark_is_asked_there(bench):
    elsewhere = replace(bench.new, hosts=("spark2",))
    job = await bench.swap(elsewhere)
    assert (job.phase, bench.clients.asked) == (Phase.READY, [])
    assert f"{FALLBACK}: clients are sent to Spark 1." in lines(bench)


@pytest.mark.parametrize(
    ("argv", "pooling"),
    [
        (("org/qwen", "--runner", "pooling"), True),
        (("org/qwen", "--runner=pooling", "--port=8888"), True),
        (("org/qwen", "--task=embed"), True),
        (("org/qwen", "--task", "score", "--seed", "1"), True),
        (("org/qwen", "--runner=generate"), False),
        (("org/qwen", "--served-model-name", "a --runner pooling b"), False),
        (("org/qwen", "--served-model-name=--runner pooling-like"), False),
    ],
)
async def test_a_model_without_chat_is_asked_for_a_vector(bench, argv, pooling):
    job = await bench.swap(replace(bench.new, vllm_argv=argv))
    assert job.phase is Phase.READY
    assert bench.clients.asked == [("qwen-served", pooling)]


@pytest.mark.parametrize("away", [False, True])
async def test_a_cancel_while_warming_does_not_wait_for_the_first_token(bench, away):
    bench.clients.answer_seconds = 10_000
    bench.runtime.token_seconds = 10_000
    bench.clients.away = away
    bench.clients.answer_seconds = 0 if away else 10_000
    attempt = bench.attempt()
    running = asyncio.create_task(bench.swap(attempt=attempt))
    await bench.until(lambda: attempt.journal.job.phase is Phase.WARMING)
    await bench.clock.advance(20)
    asked_at = bench.clock.monotonic()
    attempt.cancellation.by = "Bob"
    job = await running
    assert bench.clock.monotonic() - asked_at < 15
    assert (job.phase, job.serving, bench.runtime.loaded) == (Phase.CANCELLED, None, None)
    assert bench.clients.abandoned == 1
