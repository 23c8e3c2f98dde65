"""``python -m benchmarks.metering``: the data plane bare, metered and logged, in turns."""

import argparse
import asyncio
import os
import sys
import tempfile
from pathlib import Path

import uvloop
from benchmarks.gateway.__main__ import measure
from benchmarks.gateway.contenders import Arena, Contender
from benchmarks.gateway.load import WHOLE, drive
from benchmarks.gateway.report import Figure, Round, paired

from spark_common.embedded.child import free_port

WAYS = ("off", "metered", "logged")


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.metering", description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=0.7, help="of full load per round")
    parser.add_argument("--in-flight", type=int, default=32)
    parser.add_argument("--streams", type=int, default=50)
    return parser.parse_args()


async def main(options: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory() as directory, Arena(Path(directory)) as arena:
        python = [sys.executable, "-m"]
        upstream = await arena.start("direct", [*python, "benchmarks.gateway.upstream"])
        os.environ["UPSTREAM"] = f"http://127.0.0.1:{upstream.port}"
        contenders: list[Contender] = []
        for way in WAYS:
            port = free_port()
            argv = [*python, "benchmarks.metering.server", str(port), way]
            contenders.append(await arena.run(way, port, argv))
        for contender in contenders:
            await drive(contender.port, WHOLE, 4, 0.3)
        rounds: dict[str, list[Round]] = {way: [] for way in WAYS}
        for number in range(options.rounds):
            turn = number % len(contenders)
            for contender in contenders[turn:] + contenders[:turn]:
                rounds[contender.name].append(await measure(contender, options))
    for way in WAYS[1:]:
        print(f"{way:8}  throughput x off  {_shown(paired(rounds, way, 'off', _throughput))}")
        print(f"{way:8}  CPU/request x off {_shown(paired(rounds, way, 'off', _cpu))}")
        print(f"{way:8}  CPU/chunk x off   {_shown(paired(rounds, way, 'off', _chunks))}")
    print("failures", sum(each.failures for own in rounds.values() for each in own))


def _throughput(one: Round, other: Round) -> float:
    return one.per_second / other.per_second


def _cpu(one: Round, other: Round) -> float:
    return one.cpu_per_request / other.cpu_per_request


def _chunks(one: Round, other: Round) -> float:
    return one.stream_cpu_per_1000_chunks / other.stream_cpu_per_1000_chunks


def _shown(found: Figure | None) -> str:
    return "-" if found is None else found.show(digits=2)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(arguments()))
