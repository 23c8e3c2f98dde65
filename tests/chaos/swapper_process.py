"""Swapper processes for the chaos tests: imports once, then forks one for every line ``start``.

A fork stands where a supervisor would start the program anew; it shares nothing but loaded code.
Arguments: folder of the sandbox, NATS url, its seed file, Redis url, its password file, epoch of
the clock, worker (``real``, ``ack_first`` or ``unguarded``).
Writes ``started PID`` and ``ended PID CODE``; ends, and ends its forks, with its standard input.
"""

import asyncio
import ctypes
import os
import select
import signal
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from chaos_lab.downloads import wire_sandbox_downloads
from chaos_lab.fast_clock import FastClock
from chaos_lab.plain_worker import PlainWorker
from chaos_lab.sandbox import MODELS, LocalShell, Sandbox, SandboxRuntime

from spark_common.bus.nats import connect_bus
from spark_common.clock import Clock
from spark_common.errors import UnavailableError
from spark_common.leasing import LeaseGate
from spark_common.redis_access import connect_redis, require_redis
from spark_common.settings import BusSettings, RedisSettings
from spark_common.tasks import together
from spark_common.testing.logs import plain_tracebacks
from spark_swapper.adapters.redis_jobs import RedisJobs
from spark_swapper.adapters.redis_records import RedisRecords
from spark_swapper.driving.cancelling import Cancelling
from spark_swapper.guarding.quarantining import Quarantining
from spark_swapper.handlers import Handlers
from spark_swapper.launching.candidate import Candidate
from spark_swapper.ports import PreflightResult
from spark_swapper.readiness.canary_watch import CanaryWatch
from spark_swapper.readiness.observer import RuntimeObserver
from spark_swapper.settings import GuardSettings, SwapTimings
from spark_swapper.swap_path import assemble
from spark_swapper.testing import FakeShelf, FakeSuggesting, MemoryLogs

TIMINGS = SwapTimings(
    drain_seconds=1,
    stop_seconds=120,
    load_deadline_seconds=240,
    stall_seconds=240,
    poll_seconds=0.3,
)
T = TypeVar("T")
_LIBC = ctypes.CDLL(None)
_PR_SET_PDEATHSIG = 1


async def _accept(candidate: Candidate, *, deep: bool = False) -> PreflightResult:
    return PreflightResult("good", "The arguments are accepted.")


async def _nothing() -> None:
    return


def _fenced() -> None:
    os._exit(76)


async def live(arguments: list[str]) -> None:
    """Be a swapper until killed or fenced; a loop that ends is an error, as in the product."""
    folder, nats_url, seed, redis_url, password, epoch, variant = arguments
    clock = FastClock(float(epoch))
    sandbox = Sandbox(Path(folder))
    redis = connect_redis(
        RedisSettings(url=redis_url, user="spark", password_file=Path(password)),
        "swapper",
        idempotent_reads=True,
    )
    settings = BusSettings(url=nats_url, seed_file=Path(seed))
    await _patiently(clock, lambda: require_redis(redis))
    bus = await _patiently(clock, lambda: connect_bus(settings, "swapper", clock))
    await _patiently(clock, lambda: bus.bounds("SC_PROGRESS"))

    runtime = SandboxRuntime(sandbox, LocalShell(sandbox, guarded=variant == "real"))
    store = RedisJobs(redis)
    shelf = FakeShelf(clock, MODELS.values())  # type: ignore[arg-type]  # any clock will do
    path = assemble(
        bus=bus,
        store=store,
        gate=LeaseGate(redis),
        runtime=runtime,
        shelf=shelf,
        preflight=_accept,
        suggesting=FakeSuggesting(),
        observer=RuntimeObserver(runtime, clock, shelf.key_for, _nothing),
        canary=CanaryWatch(runtime, store, clock),
        quarantining=Quarantining(RedisRecords(redis), clock, _nothing),
        guarding=GuardSettings,
        timings=lambda: TIMINGS,
        clock=clock,
        logs=MemoryLogs(),
        unsaved=lambda candidate, knobs, flags: candidate,
        refresh_soon=shelf.refresh_soon,
        lost=_fenced,
    )
    if variant != "real":
        plain = PlainWorker(
            ack_first=variant == "ack_first",
            bus=bus,
            store=store,
            shelf=shelf,
            runtime=runtime,
            outcomes=path.outcomes,
            clock=clock,
        )
        path = replace(
            path,
            worker=plain,
            handlers=Handlers(bus, store, path.admission, plain, shelf, FakeSuggesting()),  # type: ignore[arg-type]
            cancelling=Cancelling(bus, store, plain, path.outcomes, clock),  # type: ignore[arg-type]
        )
    downloads = wire_sandbox_downloads(sandbox, bus, redis, clock)
    verbs = [*path.handlers.verbs(), *downloads.verbs.verbs()]
    await _patiently(clock, lambda: bus.serve("swapper", "0.0.0", "chaos", verbs))
    loops = (
        path.teller,
        path.observer,
        path.worker,
        path.cancelling,
        path.ingress,
        path.sweeping,
        downloads.runner,
    )
    await together([loop.run for loop in loops])


async def _patiently(clock: Clock, ask: Callable[[], Awaitable[T]]) -> T:
    while True:
        try:
            return await ask()
        except UnavailableError:
            await clock.sleep(1)


def _fork(arguments: list[str]) -> int:
    pid = os.fork()
    if pid:
        return pid
    try:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        log = os.open(
            Path(arguments[0]) / f"swapper-{os.getpid()}.log", os.O_CREAT | os.O_WRONLY, 0o600
        )
        silence = os.open(os.devnull, os.O_RDONLY)
        for mine, standard in ((silence, 0), (log, 1), (log, 2)):
            os.dup2(mine, standard)
        asyncio.run(live(arguments))
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(1)


def _tell(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main(arguments: list[str]) -> None:
    """Fork when asked and tell who ended, until nobody asks any more."""
    plain_tracebacks()
    forks: set[int] = set()
    while True:
        ready, _, _ = select.select([0], [], [], 0.02)
        if ready:
            asked = os.read(0, 4096)
            if not asked:
                break
            for _ in range(asked.count(b"\n")):
                pid = _fork(arguments)
                forks.add(pid)
                _tell(f"started {pid}")
        while forks:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if not pid:
                break
            forks.discard(pid)
            _tell(f"ended {pid} {os.waitstatus_to_exitcode(status)}")
    for pid in forks:
        os.kill(pid, signal.SIGKILL)


if __name__ == "__main__":
    main(sys.argv[1:])
