"""``python -m benchmarks.lease``: acquire, gate and release, beside bare Redis in the same run."""

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from benchmarks.lease.contenders import Bare, Lease, Pair, pairs
from redis.asyncio import Redis

from spark_common.embedded import RedisServer
from spark_common.redis_access import connect_redis


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.lease", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--times", type=int, default=200, help="of each step in a round")
    parser.add_argument("--workers", type=int, default=8, help="for the throughput")
    parser.add_argument("--line", type=int, default=50, help="how many wait, in the last rows")
    parser.add_argument("--json", type=Path, help="also write every figure to this file")
    return parser.parse_args()


async def one_at_a_time(pair: Pair, ours: bool, times: int) -> list[float]:
    """Return microseconds of each."""
    step, prepare = (pair.ours, pair.prepare) if ours else (pair.bare, pair.prepare_bare)
    took = []
    for _ in range(times):
        await prepare(0)
        began = time.perf_counter()
        await step(0)
        took.append((time.perf_counter() - began) * 1e6)
    return took


async def at_once(pair: Pair, ours: bool, times: int, workers: int) -> float:
    """Return how many are done in a second by several workers."""
    step, prepare = (pair.ours, pair.prepare) if ours else (pair.bare, pair.prepare_bare)
    await prepare(0)

    async def work(number: int) -> None:
        for _ in range(times):
            await step(number)

    began = time.perf_counter()
    await asyncio.gather(*(work(number) for number in range(workers)))
    return workers * times / (time.perf_counter() - began)


async def cycles(first: Lease | Bare, times: int) -> float:
    """Return how many take-and-give-back there are in a second, one after the other."""
    await first.free()
    began = time.perf_counter()
    for _ in range(times):
        await first.acquire()
        await first.release()
        if isinstance(first, Lease):
            # What the coordinator does once nothing runs any more.
            epoch = int(await first.redis.get("sc:fence:lock"))
            await first.book.drained(epoch, cut=False)
    return times / (time.perf_counter() - began)


async def with_a_line(redis: Redis, waiting: int, times: int) -> list[float]:
    """Return microseconds of the loop's look while many wait."""
    lease = Lease(redis)
    await lease.held()
    for _ in range(waiting):
        assert await lease.acquire(wait=True) == "waiting"
    took = []
    for _ in range(times):
        began = time.perf_counter()
        await lease.book.tick()
        took.append((time.perf_counter() - began) * 1e6)
    await redis.delete("sc:lock:line")
    await lease.free()
    return took


def percentile(values: Sequence[float], share: float) -> float:
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


async def main(options: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory(prefix="lease-bench-") as place:
        server = RedisServer(Path(place))
        await server.start()
        redis = connect_redis(server.settings, "bench")
        bare = connect_redis(server.settings, "bare")
        try:
            await measure(redis, bare, options)
        finally:
            await redis.aclose()
            await bare.aclose()
            await server.kill()


async def measure(redis: Redis, bare: Redis, options: argparse.Namespace) -> None:
    figures: dict[str, dict[str, list[float]]] = {}

    def note(row: str, column: str, value: float) -> None:
        figures.setdefault(row, {}).setdefault(column, []).append(value)

    for number in range(options.rounds):
        for pair in pairs(redis, bare):
            # Turns change, so that whatever else the machine does hits both alike.
            for ours in (True, False) if number % 2 else (False, True):
                who = "ours" if ours else "bare"
                took = await one_at_a_time(pair, ours, options.times)
                note(pair.name, f"{who} p50 us", statistics.median(took))
                note(pair.name, f"{who} p99 us", percentile(took, 0.99))
                if pair.many:
                    rate = await at_once(pair, ours, options.times, options.workers)
                    note(pair.name, f"{who} per s", rate)
        note("take and give back", "ours per s", await cycles(Lease(redis), options.times))
        note("take and give back", "bare per s", await cycles(Bare(bare), options.times))
        took = await with_a_line(redis, options.line, options.times)
        note(f"look, {options.line} wait", "ours p50 us", statistics.median(took))
        note(f"look, {options.line} wait", "ours p99 us", percentile(took, 0.99))
    print(tabulated(figures, {pair.name: pair.bare_name for pair in pairs(redis, bare)}))
    if options.json is not None:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")


def tabulated(figures: dict[str, dict[str, list[float]]], bare: dict[str, str]) -> str:
    """Return one row per step, in Markdown; ratios are medians of pairs of one round."""
    rows = [
        "| step | beside | p50 us | x bare | p99 us | x bare | per second | x bare |",
        "|---|---|--:|--:|--:|--:|--:|--:|",
    ]
    for name, columns in figures.items():
        cells = [name, bare.get(name, "SET NX PX, DEL" if "per s" in str(columns) else "-")]
        for what in ("p50 us", "p99 us", "per s"):
            ours, theirs = columns.get(f"ours {what}"), columns.get(f"bare {what}")
            cells.append(f"{statistics.median(ours):.0f}" if ours else "-")
            if ours and theirs:
                ratios = [mine / other for mine, other in zip(ours, theirs, strict=True)]
                low, high = min(ratios), max(ratios)
                cells.append(f"{statistics.median(ratios):.2f} [{low:.2f}-{high:.2f}]")
            else:
                cells.append("-")
        rows.append("| " + " | ".join(cells) + " |")
    return "\n".join(rows)


if __name__ == "__main__":
    asyncio.run(main(arguments()))
