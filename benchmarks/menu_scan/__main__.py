"""``python -m benchmarks.menu_scan``: a thousand models on a simulated Spark, seen over SSH."""

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from pathlib import Path

from benchmarks.menu_scan.contenders import CONTENDERS, CountingShell
from benchmarks.menu_scan.plant import plant

from spark_common.clock import SystemClock
from spark_common.remote.ssh import SshShell
from spark_sim.cluster import SimulatedCluster
from spark_sim.two_sparks import two_sparks


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.menu_scan", description=__doc__)
    parser.add_argument("--models", type=int, default=1000)
    parser.add_argument("--files", type=int, default=50_000)
    parser.add_argument("--json", type=Path, help="also write everything to this file")
    return parser.parse_args()


async def main(options: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory(prefix="menu-scan-") as place:
        directory = Path(place)
        async with two_sparks(directory, catalogue=()) as sparks:
            cluster = sparks.cluster
            host = cluster.hosts["spark1"]
            files = plant(host.sandbox.hub, options.models, options.files)
            ssh = SshShell(sparks.settings, SystemClock())
            try:
                await measure(cluster, CountingShell(ssh), files, options)
            finally:
                await ssh.close()


async def measure(
    cluster: SimulatedCluster, shell: CountingShell, files: int, options: argparse.Namespace
) -> None:
    await shell.run("true")
    seconds: dict[str, list[float]] = {contender.name: [] for contender in CONTENDERS}
    facts: dict[str, dict[str, int]] = {}
    for number in range(max(contender.rounds for contender in CONTENDERS)):
        for contender in CONTENDERS:
            if number >= contender.rounds:
                continue
            shell.reset()
            commands = len(cluster.journal.of("ssh_command"))
            began = time.perf_counter()
            models, size = await contender.look(shell)
            seconds[contender.name].append(time.perf_counter() - began)
            # Counted by the Spark itself, not by us.
            trips = len(cluster.journal.of("ssh_command")) - commands
            assert trips == shell.trips
            assert models == options.models
            facts[contender.name] = {
                "round_trips": trips,
                "sent": shell.sent,
                "received": shell.received,
                "size_bytes": size,
            }
    print(f"{options.models} models, {files} files, one simulated Spark over SSH\n")
    report = tabulated(seconds, facts)
    print(report)
    if options.json is not None:
        options.json.write_text(json.dumps({"seconds": seconds, "facts": facts}, indent=2) + "\n")


def tabulated(seconds: dict[str, list[float]], facts: dict[str, dict[str, int]]) -> str:
    """Return one row per way, in Markdown; ratios are to ours in the same run."""
    ours = statistics.median(seconds[CONTENDERS[0].name])
    rows = [
        "| way | round trips | seconds | x ours | KB sent | KB received | knows |",
        "|---|--:|--:|--:|--:|--:|---|",
    ]
    for contender in CONTENDERS:
        took = statistics.median(seconds[contender.name])
        fact = facts[contender.name]
        rows.append(
            f"| {contender.name} | {fact['round_trips']} | {took:.2f} | {took / ours:.2f} "
            f"| {fact['sent'] / 1000:.0f} | {fact['received'] / 1000:.0f} | {contender.knows} |"
        )
    return "\n".join(rows)


if __name__ == "__main__":
    asyncio.run(main(arguments()))
