"""detached.sh in a real shell: a step runs once, survives everybody and tells no secret."""

import asyncio
import os
import signal
import subprocess
from collections import Counter
from pathlib import Path

import pytest

from spark_common.errors import RemoteCommandError, UnavailableError
from spark_common.remote import RemoteCommand
from spark_common.remote.detached import DETACHED, DetachedSteps, read_look
from spark_common.testing.shell import LocalShell
from spark_common.testing.wait import PATIENCE_SECONDS, until

pytestmark = pytest.mark.connected

SECRET = "hf_thisIsTheSecretToken"


@pytest.fixture
def home(tmp_path: Path) -> Path:
    path = tmp_path / "a home"
    path.mkdir()
    return path


@pytest.fixture
def steps(home: Path) -> DetachedSteps:
    return DetachedSteps(LocalShell({"spark1": home}))


def script(text: str, stdin: bytes | None = None) -> RemoteCommand:
    return RemoteCommand(("sh", "-c", text), stdin=stdin)


def folder(home: Path) -> Path:
    return home / ".spark-control" / "jobs" / "job"


def running(base: Path) -> list[int]:
    """Processes that carry the mark of a step."""
    mark = f"SC_DETACHED={base}".encode()
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and mark in (entry / "environ").read_bytes().split(b"\0"):
                found.append(int(entry.name))
        except OSError:
            continue
    return found


async def ended(steps: DetachedSteps, step: str = "fetch"):
    async with asyncio.timeout(PATIENCE_SECONDS):
        while (look := await steps.poll("spark1", "job", step)).state == "running":
            await asyncio.sleep(0.02)
    return look


class TestOnce:
    async def test_a_step_runs_once_with_log_and_exit_code_kept(self, steps, home):
        order = script('echo hello; echo "$0" >&2; echo x >>ran; exit 3')
        assert await steps.start("spark1", "job", "fetch", order)
        assert not await steps.start("spark1", "job", "fetch", order)
        look = await ended(steps)
        assert (look.state, look.exit_code) == ("ended", 3)
        assert look.log == b"hello\nsh\n"
        assert not await steps.start("spark1", "job", "fetch", order)
        assert (home / "ran").read_text() == "x\n"
        assert (folder(home) / "fetch.exit").read_text() == "3\n"
        assert (folder(home) / "fetch.log").stat().st_mode & 0o077 == 0

    async def test_of_forty_starts_at_once_one_starts(self, steps, home):
        order = script("echo x >>ran")
        answers = await asyncio.gather(
            *(steps.start("spark1", "job", "fetch", order) for _ in range(40))
        )
        await ended(steps)
        assert Counter(answers) == {True: 1, False: 39}
        assert (home / "ran").read_text() == "x\n"

    @pytest.mark.parametrize("shell", ["sh", "bash"])
    @pytest.mark.parametrize("delay", [0.0, 0.004, 0.01, 0.02, 0.04, 0.08])
    async def test_killed_at_any_point_it_never_runs_twice(self, home, steps, shell, delay):
        words = ["start", "job", "fetch", "--", "sh", "-c", "echo x >>ran; sleep 0.05"]
        child = subprocess.Popen(
            [shell, "-c", DETACHED, "detached", *words],
            cwd=home,
            env={**os.environ, "HOME": str(home)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        await asyncio.sleep(delay)
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        await steps.start("spark1", "job", "fetch", script("echo x >>ran"))
        assert (await ended(steps)).state == "ended"
        ran = home / "ran"
        await until(lambda: ran.exists() and ran.read_text() != "", "it ran")
        assert ran.read_text() == "x\n"

    async def test_it_survives_the_end_of_the_session_that_started_it(self, home, steps):
        child = subprocess.Popen(
            ["sh", "-c", DETACHED, "detached", "start", "job", "fetch", "--", "sleep", "30"],
            env={**os.environ, "HOME": str(home)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )
        assert child.wait(PATIENCE_SECONDS) == 0
        for number in (signal.SIGHUP, signal.SIGTERM):
            try:
                os.killpg(child.pid, number)
            except ProcessLookupError:
                break
        assert (await steps.poll("spark1", "job", "fetch")).state == "running"
        await steps.stop("spark1", "job", "fetch")

    @pytest.mark.parametrize("name", ["", "-x", "a/b", "../x", "a b", "a.b", "a\nb"])
    async def test_what_is_no_name_is_refused(self, steps, name):
        with pytest.raises(RemoteCommandError, match=r"not a name|usage"):
            await steps.start("spark1", name, "fetch", script("true"))
        with pytest.raises(RemoteCommandError, match=r"not a name|usage"):
            await steps.poll("spark1", "job", name)

    async def test_old_jobs_are_forgotten_at_a_start(self, steps, home):
        for name, days in (("old", 91), ("young", 80)):
            path = home / ".spark-control" / "jobs" / name
            path.mkdir(parents=True)
            moment = path.stat().st_mtime - days * 86_400
            os.utime(path, (moment, moment))
        await steps.start("spark1", "job", "fetch", script("true"))
        left = {path.name for path in (home / ".spark-control" / "jobs").iterdir()}
        assert left == {"young", "job"}
        await ended(steps)


class TestLooking:
    async def test_a_step_that_was_never_started(self, steps):
        look = await steps.poll("spark1", "job", "fetch")
        assert (look.state, look.exit_code, look.log) == ("none", None, b"")

    async def test_log_bytes_come_from_an_offset_in_bounded_pieces(self, steps):
        await steps.start("spark1", "job", "fetch", script("printf 'ab\\r\\377cdefgh'"))
        await ended(steps)
        first = await steps.poll("spark1", "job", "fetch", 1, log_limit=4)
        assert (first.log, first.next_offset) == (b"b\r\xffc", 5)
        rest = await steps.poll("spark1", "job", "fetch", first.next_offset)
        assert (rest.log, rest.next_offset) == (b"defgh", 10)
        nothing = await steps.poll("spark1", "job", "fetch", rest.next_offset)
        assert (nothing.log, nothing.next_offset) == (b"", 10)

    async def test_another_command_is_run_in_the_same_round_trip(self, steps):
        look = await steps.poll("spark1", "job", "fetch", also=("printf", "%s\n", "a b", "c"))
        assert look.also == "a b\nc"
        failed = await steps.poll("spark1", "job", "fetch", also=("sh", "-c", "echo x; exit 2"))
        assert failed.also is None

    async def test_a_step_whose_processes_vanished_without_an_exit_code_is_lost(self, steps, home):
        await steps.start("spark1", "job", "fetch", script("sleep 30; true"))
        base = folder(home) / "fetch"
        await until(lambda: len(running(base)) >= 2, "all are there")
        for process in running(base):
            os.kill(process, signal.SIGKILL)
        await until(lambda: not running(base), "all are gone")
        assert (await steps.poll("spark1", "job", "fetch")).state == "lost"
        assert not await steps.start("spark1", "job", "fetch", script("echo x >>ran"))

    async def test_a_number_that_another_process_got_is_not_taken_for_ours(self, steps, home):
        """As after a reboot: the marker is there, and its number belongs to a stranger."""
        await steps.start("spark1", "job", "fetch", script("exec sleep 30"))
        base = folder(home) / "fetch"
        await until(lambda: len(running(base)) >= 1, "all are there")
        for process in running(base):
            os.kill(process, signal.SIGKILL)
        await until(lambda: not running(base), "all are gone")
        stranger = subprocess.Popen(["sleep", "30"], start_new_session=True)
        try:
            (folder(home) / "fetch.pid").write_text(f"{stranger.pid}\n")
            assert (await steps.poll("spark1", "job", "fetch")).state == "lost"
            assert await steps.stop("spark1", "job", "fetch") == "ended"
            assert stranger.poll() is None
        finally:
            stranger.kill()
            stranger.wait()

    @pytest.mark.parametrize("left", ["", "\n", "garbage\n"])
    async def test_an_exit_code_that_a_power_cut_took_is_none(self, steps, home, left):
        await steps.start("spark1", "job", "fetch", script("exit 4"))
        await ended(steps)
        (folder(home) / "fetch.exit").write_text(left)
        (folder(home) / "fetch.pid").write_text(left)
        look = await steps.poll("spark1", "job", "fetch")
        assert (look.state, look.exit_code) == ("lost", None)
        assert await steps.stop("spark1", "job", "fetch") == "ended"
        look = await steps.poll("spark1", "job", "fetch")
        assert (look.state, look.exit_code) == ("ended", 137)

    @pytest.mark.parametrize("text", ["", "state", "state odd", "log eA=="])
    def test_an_answer_that_says_nothing_is_an_error(self, text):
        with pytest.raises(RemoteCommandError):
            read_look(text, 0)

    def test_log_bytes_that_cannot_be_read_are_left_for_the_next_look(self):
        look = read_look("state running\nlog %%%\nalso 0 !!", 7)
        assert (look.log, look.next_offset, look.also) == (b"", 7, None)


class TestStopping:
    async def test_every_process_of_the_step_ends_and_its_exit_code_is_kept(self, steps, home):
        # One child in a session of its own, as programs do that detach themselves.
        await steps.start("spark1", "job", "fetch", script("setsid sleep 31 & sleep 30; true"))
        base = folder(home) / "fetch"
        await until(lambda: len(running(base)) >= 4, "all are there")
        assert await steps.stop("spark1", "job", "fetch") == "stopped"
        assert running(base) == []
        look = await steps.poll("spark1", "job", "fetch")
        assert (look.state, look.exit_code) == ("ended", 143)
        assert await steps.stop("spark1", "job", "fetch") == "ended"

    async def test_what_does_not_listen_is_killed(self, steps, home):
        await steps.start("spark1", "job", "fetch", script("trap '' TERM; sleep 30; sleep 30"))
        base = folder(home) / "fetch"
        await until(lambda: len(running(base)) >= 3, "all are there")
        assert await steps.stop("spark1", "job", "fetch", grace_seconds=0) == "stopped"
        assert running(base) == []
        look = await steps.poll("spark1", "job", "fetch")
        assert (look.state, look.exit_code) == ("ended", 137)

    async def test_a_step_that_was_stopped_before_it_began_never_begins(self, steps, home):
        assert await steps.stop("spark1", "job", "fetch") == "never"
        assert not await steps.start("spark1", "job", "fetch", script("echo x >>ran"))
        look = await steps.poll("spark1", "job", "fetch")
        assert (look.state, look.exit_code) == ("ended", 143)
        assert not (home / "ran").exists()

    async def test_a_step_that_ended_stays_as_it_ended(self, steps):
        await steps.start("spark1", "job", "fetch", script("exit 4"))
        await ended(steps)
        assert await steps.stop("spark1", "job", "fetch") == "ended"
        assert (await steps.poll("spark1", "job", "fetch")).exit_code == 4


class TestSecrets:
    async def test_standard_input_reaches_the_command_and_nothing_else(self, steps, home):
        text = 'IFS= read -r TOKEN; printf %s "$TOKEN" | wc -c; cat | wc -c; sleep 30; true'
        await steps.start("spark1", "job", "fetch", script(text, f"{SECRET}\n\n\n".encode()))
        async with asyncio.timeout(PATIENCE_SECONDS):
            while len((await steps.poll("spark1", "job", "fetch")).log.split()) < 2:
                await asyncio.sleep(0.02)
        look = await steps.poll("spark1", "job", "fetch")
        assert look.log.split() == [str(len(SECRET)).encode(), b"2"]
        for process in Path("/proc").iterdir():
            if process.name.isdigit():
                try:
                    assert SECRET.encode() not in (process / "cmdline").read_bytes()
                except OSError:
                    continue
        for path in home.rglob("*"):
            assert not path.is_file() or SECRET.encode() not in path.read_bytes()
        await steps.stop("spark1", "job", "fetch")

    async def test_without_standard_input_a_command_reads_its_end(self, steps):
        await steps.start("spark1", "job", "fetch", script("cat; echo over"))
        assert (await ended(steps)).log == b"over\n"


async def test_a_disk_that_takes_nothing_is_told_as_not_now(steps, home):
    (home / ".spark-control").write_text("a file where the folder belongs")
    with pytest.raises(UnavailableError, match="just now"):
        await steps.start("spark1", "job", "fetch", script("true"))
