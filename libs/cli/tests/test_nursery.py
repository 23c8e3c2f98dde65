"""The nursery: what it forks is a process of its own in all but the pages it shares."""

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from spark_cli.nursery import Nursery
from spark_cli.parts import Program, clean_environment
from spark_cli.supervisor import Stage, StartFailedError, Supervisor
from spark_cli.terminal import Terminal
from spark_common.testing.wait import until

TELLING = """
import json, os, sys, threading
from pathlib import Path
print(json.dumps({
    "main": __name__,
    "spec": sys.modules["__main__"].__spec__.name,
    "argv": sys.argv[1:],
    "environment": dict(os.environ),
    "session": os.getsid(0) == os.getpid(),
    "parent": os.getppid(),
    "open": sorted(os.listdir("/proc/self/fd"))[:4],
    "input": os.read(0, 1).decode(),
    "name": Path("/proc/self/comm").read_text().strip(),
    "threads": threading.active_count(),
    "read": sorted(sys.modules),
}))
sys.exit(7)
"""
STAYING = "import signal; print('here', flush=True); signal.pause()"
ENVIRONMENT = {"PATH": os.environ["PATH"], "DATA_DIR": "/nowhere"}

pytestmark = pytest.mark.connected


@pytest.fixture
async def nursery(tmp_path: Path) -> AsyncIterator[Nursery]:
    for name, source in (("spark_quite_telling", TELLING), ("spark_staying", STAYING)):
        package = tmp_path / name
        package.mkdir()
        (package / "__init__.py").touch()
        (package / "__main__.py").write_text(source)
    made = Nursery(
        {**clean_environment(), "PYTHONPATH": str(tmp_path), "SECRET": "of sparkctl"},
        tmp_path / "nursery.log",
    )
    yield made
    await made.close()


def _parent_of(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


async def _ended(pid: int) -> None:
    await until(lambda: not Path(f"/proc/{pid}").exists(), f"{pid} is gone")


async def test_a_fork_is_what_the_module_would_be_by_itself(
    nursery: Nursery, tmp_path: Path
) -> None:
    log = tmp_path / "telling.log"
    log.write_text("an earlier life\n")
    child = await nursery.start("spark_quite_telling", ("--speed", "2"), ENVIRONMENT, log)
    assert await child.wait() == 7
    first, told = log.read_text().splitlines()
    assert first == "an earlier life"
    seen = json.loads(told)
    assert (seen["main"], seen["spec"]) == ("__main__", "spark_quite_telling.__main__")
    assert seen["argv"] == ["--speed", "2"]
    assert seen["environment"] == ENVIRONMENT
    assert seen["session"]
    # The fourth is the look itself.
    assert seen["open"] == ["0", "1", "2", "3"]
    assert seen["input"] == ""
    assert seen["name"] == "quite-telling"
    assert seen["threads"] == 1
    # It was forked from who had read what the services share, and nothing of one of them.
    assert seen["parent"] == nursery.pid
    read = set(seen["read"])
    assert {"pydantic", "redis", "nats", "asyncssh", "spark_common.service.run"} <= read
    ours = {name.partition(".")[0] for name in read if name.startswith("spark_")}
    assert ours == {"spark_cli", "spark_common", "spark_quite_telling"}
    assert not {name for name in read if name.startswith("spark_common.testing")}


async def test_whoever_is_killed_is_told_and_can_be_started_again(
    nursery: Nursery, tmp_path: Path
) -> None:
    log = tmp_path / "staying.log"
    first = await nursery.start("spark_staying", (), ENVIRONMENT, log)
    second = await nursery.start("spark_staying", (), ENVIRONMENT, log)
    os.kill(first.pid, signal.SIGKILL)
    assert await first.wait() == -signal.SIGKILL
    assert second.returncode is None
    again = await nursery.start("spark_staying", (), ENVIRONMENT, log)
    await until(lambda: log.read_text().count("here") >= 2, "both run")
    again.terminate()
    assert await again.wait() == -signal.SIGTERM
    again.terminate()
    # Children end with the nursery, and the next one is begun when it is needed.
    old = nursery.pid
    assert old is not None
    os.kill(old, signal.SIGKILL)
    assert await second.wait() == -signal.SIGKILL
    await _ended(second.pid)
    # All that lost it come back at the same time.
    later = await asyncio.gather(
        *(nursery.start("spark_staying", (), ENVIRONMENT, log) for _ in range(6))
    )
    assert nursery.pid not in (None, old)
    assert {_parent_of(child.pid) for child in later} == {nursery.pid}
    await nursery.close()
    for child in later:
        assert await child.wait() == -signal.SIGKILL
        await _ended(child.pid)


async def test_a_nursery_that_does_not_start_is_one_line(tmp_path: Path) -> None:
    log = tmp_path / "nursery.log"
    broken = Nursery({"PYTHONHOME": "/nowhere"}, log)

    async def never() -> str | None:
        return None

    part = Program("health", "spark_health", {}, tmp_path / "health.log", never, begin=broken.start)
    supervisor = Supervisor([Stage([part])], Terminal())
    with pytest.raises(ExceptionGroup) as failure:
        await supervisor.start()
    await supervisor.stop()
    await broken.close()
    (error,) = failure.value.exceptions
    assert isinstance(error, StartFailedError)
    assert str(error) == f"health cannot be started: the nursery has ended, {log} says why"
