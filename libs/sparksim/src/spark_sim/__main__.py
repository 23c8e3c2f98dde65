"""``python -m spark_sim``: two simulated Sparks until SIGTERM or SIGINT."""

from spark_common import quick_start  # noqa: F401

# isort: split

import argparse
import asyncio
import contextlib
import errno
import gc
import json
import re
import signal
import socket
import sys
from pathlib import Path

from spark_sim.cluster import SimulatedCluster
from spark_sim.config import SimConfig


def _address(name: str) -> str:
    """Return the IPv4 address of a name, as an alias of a container has one."""
    try:
        return socket.gethostbyname(name)
    except OSError as error:
        raise argparse.ArgumentTypeError(f"{name} has no address: {error}") from error


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="spark_sim", description="Two simulated Sparks.")
    parser.add_argument("--dir", type=Path, required=True, help="where their state lives")
    parser.add_argument("--authorized-key", type=Path, required=True, help="public key file")
    parser.add_argument("--spark1", default="127.0.0.11", type=_address)
    parser.add_argument("--spark2", default="127.0.0.12", type=_address)
    parser.add_argument("--ssh-port", type=int, default=2222)
    parser.add_argument("--control-port", type=int, default=9190)
    parser.add_argument("--speed", type=float, default=10.0, help="how much faster than real time")
    parser.add_argument("--tokens-per-second", type=float, default=45.0)
    parser.add_argument("--no-neighbours", action="store_true")
    return parser.parse_args()


async def _run(config: SimConfig) -> None:
    stopping = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    gc.freeze()
    gc.enable()
    async with SimulatedCluster(config) as cluster:
        ready = {
            "ready": True,
            "control": cluster.control_url,
            "hosts": {
                name: {"address": host.address, "ssh_port": host.ssh_port}
                for name, host in cluster.hosts.items()
            },
        }
        sys.stdout.write(json.dumps(ready) + "\n")
        sys.stdout.flush()
        await stopping.wait()


def explain(error: OSError, config: SimConfig) -> str:
    """Return one line that says what is in the way and what to do about it."""
    found = re.search(r"\('([^']+)', (\d+)\)", str(error))
    where = f"{found[1]}:{found[2]}" if found else "an address"
    if error.errno == errno.EADDRNOTAVAIL:
        missing = " && ".join(f"sudo ifconfig lo0 alias {a} up" for a in config.addresses.values())
        hint = f"; run: {missing}" if sys.platform == "darwin" else ""
        return f"spark_sim: {where} is not on this machine{hint}"
    if error.errno == errno.EADDRINUSE:
        return f"spark_sim: {where} is taken: stop what uses it or choose other ports"
    return f"spark_sim: {error.strerror or error}"


def main() -> int:
    """Run and return the exit code."""
    arguments = _arguments()
    try:
        key = arguments.authorized_key.read_text()
    except OSError as error:
        sys.stderr.write(f"spark_sim: cannot read the public key: {error}\n")
        return 2
    config = SimConfig(
        directory=arguments.dir.resolve(),
        authorized_key=key,
        spark1=arguments.spark1,
        spark2=arguments.spark2,
        ssh_port=arguments.ssh_port,
        control_port=arguments.control_port,
        speed=arguments.speed,
        tokens_per_second=arguments.tokens_per_second,
        neighbours=not arguments.no_neighbours,
    )
    try:
        with contextlib.suppress(KeyboardInterrupt):
            asyncio.run(_run(config))
    except OSError as error:
        sys.stderr.write(explain(error, config) + "\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
