"""What a swap leaves behind for reading: everything that was said, without secrets."""

import json

import pytest

from spark_common.contracts.swaps import GetSwapLog, Phase
from spark_common.errors import NotFoundError
from spark_swapper.records.swap_log import SwapLogVerbs
from spark_swapper.testing import MemoryLogs, PlainReader


@pytest.fixture
def verbs(bench):
    return SwapLogVerbs(bench.logs, bench.store)


async def test_a_swap_writes_down_phases_lines_and_its_end(bench, verbs):
    await bench.swap()
    page = await verbs.read(GetSwapLog(id="swap-1"))
    text = "\n".join(page.lines)
    assert page.lines[0].endswith("] preflight: Checking that QWEN can start.")
    for phase in (Phase.DRAINING, Phase.STOPPING, Phase.LAUNCHING, Phase.LOADING, Phase.WARMING):
        assert f"] {phase.value}: " in text
    assert page.lines.count("weights 50") == 1
    assert page.lines[-1].endswith("] ready: QWEN is serving.")
    assert (page.first, page.total, page.cut) == (1, len(page.lines), False)


async def test_a_failure_says_why_and_what_to_do(bench, verbs):
    bench.runtime.faults.dies_after = 20
    bench.runtime.faults.last_words = "FATAL out of memory"
    await bench.swap()
    lines = (await verbs.read(GetSwapLog(id="swap-1"))).lines
    assert "FATAL out of memory" in lines
    assert "] failed: Spark 1: out of memory" in lines[-2]
    assert lines[-1].endswith("] what to do: Press another.")


async def test_a_sentence_that_only_counts_on_is_written_once(bench, verbs):
    bench.clients.busy_until = 20
    await bench.swap()
    lines = (await verbs.read(GetSwapLog(id="swap-1"))).lines
    assert sum("Letting 2 answers finish" in line for line in lines) == 1


async def test_secrets_in_the_runtimes_log_are_neither_kept_nor_told(bench, verbs, monkeypatch):
    line = "vllm serve org/qwen --api-key sk-not-for-everybody --port 8888"
    bench.runtime.faults.says_fatal_but_lives = f"INFO {line}"
    await bench.swap()
    kept = "\n".join((await verbs.read(GetSwapLog(id="swap-1"))).lines)
    told = "\n".join(line for event in bench.told() for line in event.lines)
    for text in (kept, told):
        assert "--api-key *** --port 8888" in text
        assert "sk-not" not in text
    assert PlainReader().feed(f"{line}\n")


async def test_the_decisive_lines_of_a_cause_hold_no_secret_either(bench):
    secrets = "Bearer abcdefghijklmnop, HF_TOKEN=hf_abcdefghijklmnopqrst"
    bench.runtime.faults.no_token = f"HTTP 401: {secrets}"
    job = await bench.swap()
    assert job.cause.evidence == ["HTTP 401: Bearer ***, HF_TOKEN=***"]


async def test_pages_follow_each_other_and_stay_below_the_bus_limit(bench, verbs):
    lines = ["\u20ac" * 3900 for _ in range(200)]
    bench.logs.write("big", lines)
    read, pages = [], 0
    while True:
        page = await verbs.read(GetSwapLog(id="big", after=len(read), limit=5000))
        assert len(json.dumps(page.model_dump()).encode()) < 900_000
        assert page.first == len(read) + 1
        read += page.lines
        pages += 1
        if len(read) >= page.total:
            break
    assert (read, pages > 1) == (lines, True)
    beyond = await verbs.read(GetSwapLog(id="big", after=9999))
    assert (beyond.lines, beyond.total) == ([], 200)


async def test_a_swap_that_never_began_has_an_empty_log_and_an_unknown_one_none(bench, verbs):
    await bench.store.admit(bench.job())
    assert (await verbs.read(GetSwapLog(id="swap-1"))).lines == []
    with pytest.raises(NotFoundError):
        await verbs.read(GetSwapLog(id="unknown"))


async def test_a_new_attempt_goes_on_in_the_same_log(bench, verbs):
    logs = bench.logs
    assert isinstance(logs, MemoryLogs)
    first = bench.attempt()
    first.journal.begin()
    await first.journal.enter(Phase.PREFLIGHT, "Checking.")
    second = bench.attempt(first.journal.job.model_copy(update={"attempt": 2}))
    second.journal.begin()
    lines = (await verbs.read(GetSwapLog(id="swap-1"))).lines
    assert "asked for by Alice, attempt 1" in lines[0]
    assert "attempt 2" in lines[2]
