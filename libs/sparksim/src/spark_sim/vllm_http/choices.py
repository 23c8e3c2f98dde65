"""Running the choices of a request together and adding up what they cost."""

import asyncio
import contextlib
import secrets
from collections.abc import AsyncGenerator, Sequence
from typing import Any

from spark_sim.vllm_http.engine import Asked, Engine, Piece, Tally

FINGERPRINT = "vllm-0.33.0-5f1e0c2a"


def new_id(prefix: str) -> str:
    """Return an id as vLLM makes them."""
    return prefix + secrets.token_hex(8)


async def run_all(engine: Engine, asked: Sequence[Asked]) -> list[Tally]:
    """Generate all choices to the end."""
    return list(await asyncio.gather(*(_run(engine, one) for one in asked)))


async def _run(engine: Engine, asked: Asked) -> Tally:
    tally = Tally()
    async with contextlib.aclosing(engine.generate(asked)) as pieces:
        async for piece in pieces:
            tally.add(piece)
    return tally


async def interleaved(
    engine: Engine, asked: Sequence[Asked]
) -> AsyncGenerator[tuple[int, Piece], None]:
    """Yield (choice, piece) as they come."""
    if len(asked) == 1:
        async with contextlib.aclosing(engine.generate(asked[0])) as pieces:
            async for piece in pieces:
                yield 0, piece
        return
    queue: asyncio.Queue[tuple[int, Piece | BaseException | None]] = asyncio.Queue()

    async def feed(index: int, one: Asked) -> None:
        try:
            async with contextlib.aclosing(engine.generate(one)) as pieces:
                async for piece in pieces:
                    queue.put_nowait((index, piece))
        except Exception as error:
            queue.put_nowait((index, error))
        else:
            queue.put_nowait((index, None))

    tasks = [asyncio.create_task(feed(index, one)) for index, one in enumerate(asked)]
    try:
        left = len(tasks)
        while left:
            index, found = await queue.get()
            if found is None:
                left -= 1
            elif isinstance(found, BaseException):
                raise found
            else:
                yield index, found
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def usage(prompt: int, tallies: Sequence[Tally]) -> dict[str, int]:
    """Return the sums that every usage object has."""
    completion = sum(tally.completion for tally in tallies)
    return {
        "prompt_tokens": prompt, "total_tokens": prompt + completion,
        "completion_tokens": completion,
    }  # fmt: skip


def reasoning_details(tallies: Sequence[Tally]) -> dict[str, Any]:
    """Return ``completion_tokens_details`` of a chat."""
    return {"reasoning_tokens": sum(tally.reasoning for tally in tallies)}
