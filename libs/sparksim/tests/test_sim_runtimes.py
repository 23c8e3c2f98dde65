"""Who counts as running on a host."""

import asyncio
from unittest.mock import sentinel

import pytest

from spark_sim import vllm_runtime
from spark_sim.vllm_runtime import Runtimes


async def test_a_process_whose_container_is_stopped_while_it_ends_is_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    closing = asyncio.Event()

    class Ending:
        """Crashes at once and takes for ever to close its connections."""

        def __init__(self, *_: object) -> None:
            pass

        async def run(self) -> int:
            return 1

        async def close(self) -> None:
            closing.set()
            await asyncio.Event().wait()

    monkeypatch.setattr(vllm_runtime, "VllmProcess", Ending)
    runtimes = Runtimes(sentinel.host, sentinel.config, sentinel.journal)
    serving = asyncio.create_task(runtimes.serve(sentinel.call, {}, {}, ()))
    await closing.wait()
    serving.cancel()
    await asyncio.gather(serving, return_exceptions=True)
    assert runtimes.live == []
