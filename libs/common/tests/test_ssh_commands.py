"""How a remote command ends: well, badly, by a signal, too late, too long, or unseen."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from spark_common.errors import DeadlineExceededError, RemoteCommandError
from spark_common.remote import RemoteCommand, RemoteResult
from spark_common.remote.ssh import SshShell
from spark_common.testing.proxy import TcpProxy
from spark_common.testing.sshd import LoopbackSshd
from spark_common.testing.wait import until, within

pytestmark = pytest.mark.connected

FAMILY = "echo $$ > parent; sleep 300 & echo $! > child; wait"


def script(text: str) -> RemoteCommand:
    return RemoteCommand(("sh", "-c", text))


def gone(home: Path, name: str) -> bool:
    """Whether a process that wrote its number to a file has ended; a zombie has."""
    number = int((home / name).read_text())
    try:
        return Path(f"/proc/{number}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except FileNotFoundError:
        return True


def written(home: Path, *names: str) -> bool:
    return all((home / name).exists() and (home / name).read_text() for name in names)


@pytest.fixture
def shell(sshd: LoopbackSshd, connect: Callable[..., SshShell]) -> SshShell:
    return connect(sshd.port)


@pytest.fixture
async def proxy(sshd: LoopbackSshd) -> AsyncIterator[TcpProxy]:
    async with TcpProxy(sshd.port) as relay:
        yield relay


@pytest.mark.parametrize("code", [0, 1, 76, 255])
async def test_the_exit_code_and_both_outputs_come_back(shell: SshShell, code: int) -> None:
    result = await shell.run("spark1", script(f"echo out; echo err >&2; exit {code}"))
    assert result == RemoteResult(code, "out\n", "err\n")


async def test_an_end_by_signal_has_no_exit_code(shell: SshShell) -> None:
    assert await shell.run("spark1", script("kill -9 $$")) == RemoteResult(None, "", "")


async def test_output_that_is_not_utf8_is_readable_all_the_same(shell: SshShell) -> None:
    result = await shell.run("spark1", script(r"printf 'a\377b'"))
    assert result.stdout == "a\N{REPLACEMENT CHARACTER}b"


async def test_a_large_output_arrives_whole(shell: SshShell) -> None:
    result = await shell.run("spark1", script("head -c 7000000 /dev/zero | tr '\\0' x"))
    assert result.stdout == "x" * 7_000_000


async def test_an_endless_output_is_stopped_at_its_bound(
    shell: SshShell, sshd: LoopbackSshd
) -> None:
    with pytest.raises(RemoteCommandError, match="more than 8 MiB"):
        await shell.run("spark1", script("yes"))
    await until(lambda: sshd.running == 0, "the command has ended")
    assert (await shell.run("spark1", script("true"))).ok


async def test_a_command_that_outlives_its_time_is_killed_with_its_children(
    shell: SshShell, sshd: LoopbackSshd
) -> None:
    with pytest.raises(DeadlineExceededError, match=r"'sh' on Spark 1 did not end within 3 s"):
        await shell.run("spark1", script(FAMILY), timeout_seconds=3)
    await until(lambda: gone(sshd.home, "parent") and gone(sshd.home, "child"), "both are gone")
    assert (await shell.run("spark1", script("true"))).ok
    assert sshd.connections == 1


async def test_a_command_that_ignores_the_polite_signal_is_killed(
    shell: SshShell, sshd: LoopbackSshd
) -> None:
    stubborn = script("trap '' TERM; echo $$ > parent; while :; do sleep 0.1; done")
    with pytest.raises(DeadlineExceededError):
        await shell.run("spark1", stubborn, timeout_seconds=3)
    await until(lambda: gone(sshd.home, "parent"), "it is gone")


async def test_a_cancelled_caller_leaves_nothing_running(
    shell: SshShell, sshd: LoopbackSshd
) -> None:
    caller = asyncio.create_task(shell.run("spark1", script(FAMILY)))
    await until(lambda: written(sshd.home, "parent", "child"), "the command runs")
    caller.cancel()
    await asyncio.wait({caller})
    assert caller.cancelled()
    await until(lambda: gone(sshd.home, "parent") and gone(sshd.home, "child"), "both are gone")


async def test_waiting_for_a_free_session_counts_as_time(
    shell: SshShell, sshd: LoopbackSshd
) -> None:
    busy = [asyncio.create_task(shell.run("spark1", script("sleep 300"))) for _ in range(8)]
    await until(lambda: sshd.running == 8, "all sessions are taken")
    with pytest.raises(DeadlineExceededError):
        await shell.run("spark1", script("true"), timeout_seconds=0.3)
    for task in busy:
        task.cancel()
    await asyncio.wait(busy)
    assert (await shell.run("spark1", script("true"))).ok


async def test_a_session_is_taken_until_its_command_has_really_ended(
    shell: SshShell, sshd: LoopbackSshd
) -> None:
    stubborn = script("trap '' TERM; while :; do sleep 0.05; done")
    late = await asyncio.gather(
        *(shell.run("spark1", stubborn, timeout_seconds=3) for _ in range(8)),
        return_exceptions=True,
    )
    assert all(isinstance(end, DeadlineExceededError) for end in late)
    assert sshd.running > 0
    results = await asyncio.gather(*(shell.run("spark1", script("sleep 0.2")) for _ in range(8)))
    assert all(result.ok for result in results)
    assert sshd.most_running == 8


async def test_a_silent_host_holds_nobody_beyond_the_time_given(
    proxy: TcpProxy, connect: Callable[..., SshShell]
) -> None:
    shell = connect(proxy.port)
    assert (await shell.run("spark1", script("true"))).ok
    proxy.freeze()

    async def held() -> float:
        began = time.monotonic()
        with pytest.raises(DeadlineExceededError):
            await shell.run("spark1", script("true"), timeout_seconds=0.5)
        return time.monotonic() - began

    await within(2, held)
    proxy.thaw()
    assert (await shell.run("spark1", script("true"))).ok


async def test_a_command_whose_start_was_given_up_does_not_run_on_when_the_host_wakes(
    sshd: LoopbackSshd, proxy: TcpProxy, connect: Callable[..., SshShell]
) -> None:
    shell = connect(proxy.port)
    assert (await shell.run("spark1", script("true"))).ok
    proxy.freeze()
    with pytest.raises(DeadlineExceededError):
        await shell.run("spark1", script(FAMILY), timeout_seconds=0.3)
    proxy.thaw()
    await until(lambda: written(sshd.home, "parent"), "the late start")
    await until(lambda: gone(sshd.home, "parent"), "and its end")


async def test_a_connection_lost_midway_leaves_the_outcome_open_and_the_next_call_reconnects(
    sshd: LoopbackSshd, proxy: TcpProxy, connect: Callable[..., SshShell]
) -> None:
    shell = connect(proxy.port)
    running = asyncio.create_task(shell.run("spark1", script("echo begun; touch begun; sleep 9")))
    await until(lambda: (sshd.home / "begun").exists(), "the command runs")
    # One connection keeps the order: what was said before this answer has arrived, too.
    assert (await shell.run("spark1", script("true"))).ok
    proxy.cut()
    result = await running
    assert result.exit_code is None
    assert result.stdout == "begun\n"
    assert result.stderr.endswith("[the SSH connection to Spark 1 was lost]")
    assert (await shell.run("spark1", script("true"))).ok
    assert sshd.connections == 2


async def test_a_command_is_never_started_twice(
    sshd: LoopbackSshd, proxy: TcpProxy, connect: Callable[..., SshShell]
) -> None:
    shell = connect(proxy.port)
    go = sshd.home / "go"
    wait = "echo x >> starts; until [ -e go ]; do sleep 0.02; done"
    for _ in range(10):
        go.unlink(missing_ok=True)
        running = asyncio.create_task(shell.run("spark1", script(wait)))
        await until(lambda: sshd.running > 0, "the command runs")
        proxy.cut()
        await running
        go.touch()
        await until(lambda: sshd.running == 0, "the command has ended")
    assert (sshd.home / "starts").read_text() == "x\n" * 10


class TestHome:
    async def test_home_is_absolute_and_asked_for_once(
        self, shell: SshShell, sshd: LoopbackSshd
    ) -> None:
        homes = await asyncio.gather(*(shell.home("spark1") for _ in range(4)))
        assert set(homes) == {str(sshd.home)}
        assert sshd.most_running == 1

    @pytest.mark.parametrize("there", ["relative/home", "", "/home/alice\nb", "/home/../etc"])
    async def test_a_home_that_cannot_be_one_is_refused(
        self, shell: SshShell, sshd: LoopbackSshd, there: str
    ) -> None:
        sshd.environment["HOME"] = there
        with pytest.raises(RemoteCommandError, match="home directory on spark1"):
            await shell.home("spark1")
