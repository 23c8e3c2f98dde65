"""``python -m benchmarks.gateway``: one command, one run, some two minutes."""

import argparse
import asyncio
import json
import re
import tempfile
import time
from pathlib import Path

import uvloop
from benchmarks.gateway.contenders import Arena, Contender
from benchmarks.gateway.goals import as_verdicts
from benchmarks.gateway.load import drive
from benchmarks.gateway.report import Round, as_json, as_table, percentile

_AMOUNTS = ("rounds", "at_most", "seconds", "in_flight", "streams")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.gateway", description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--at-most", type=float, default=110.0, help="seconds for all rounds")
    parser.add_argument("--seconds", type=float, default=0.7, help="of full load per round")
    parser.add_argument("--in-flight", type=int, default=32)
    parser.add_argument("--streams", type=int, default=50)
    parser.add_argument("--only", type=re.compile, help="contenders whose name matches")
    parser.add_argument("--json", type=Path, help="also write everything to this file")
    return parser.parse_args()


async def measure(contender: Contender, options: argparse.Namespace) -> Round:
    """One contender, one round: full load, one at a time, streams."""
    before = contender.cpu()
    full = await drive(contender.port, contender.whole, options.in_flight, options.seconds)
    cpu = contender.cpu() - before
    single = await drive(contender.port, contender.whole, 1, options.seconds / 2)
    before = contender.cpu()
    streams = await drive(contender.port, contender.stream, options.streams, 0, 0.01)
    stream_cpu = contender.cpu() - before
    return Round(
        per_second=full.requests / sum(full.latencies) * options.in_flight,
        cpu_per_request=cpu / full.requests,
        p50=percentile(single.latencies, 0.5),
        p99=percentile(single.latencies, 0.99),
        stream_cpu_per_1000_chunks=stream_cpu / streams.chunks * 1000,
        stream_first_byte_p50=percentile(streams.first_bytes, 0.5),
        failures=full.failures + single.failures + streams.failures,
    )


async def main(options: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory() as directory, Arena(Path(directory)) as arena:
        contenders = await arena.contenders(options.only)
        for contender in contenders:
            await drive(contender.port, contender.whole, 4, 0.3)
        rounds: dict[str, list[Round]] = {contender.name: [] for contender in contenders}
        began = time.monotonic()
        for number in range(options.rounds):
            # Leave out a round that would end too late rather than measure part of it.
            spent = time.monotonic() - began
            if number and spent + spent / number > options.at_most:
                break
            turn = number % len(contenders)
            for contender in contenders[turn:] + contenders[:turn]:
                rounds[contender.name].append(await measure(contender, options))
        for line in arena.missing:
            print(line)
        print(as_table(rounds), as_verdicts(rounds), sep="\n\n")
        if options.json is not None:
            amounts = {key: value for key, value in vars(options).items() if key in _AMOUNTS}
            text = json.dumps(as_json(rounds, arena.missing, amounts), indent=2)
            options.json.write_text(text + "\n")


if __name__ == "__main__":
    given = arguments()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(given))
