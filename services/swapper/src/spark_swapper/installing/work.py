"""An installation from the first byte to the first healthy answer."""

from collections.abc import Awaitable, Callable
from importlib import resources

from spark_common.clock import Clock
from spark_common.contracts.jobs import JobState
from spark_common.contracts.swaps import Cause
from spark_common.errors import RemoteCommandError, UnavailableError
from spark_common.jobs import Ending, JobJournal, fault_of
from spark_common.jobs.detached_step import LeftError, StepOfJob
from spark_common.remote import RemoteCommand, RemoteShell
from spark_common.remote.detached import DetachedSteps
from spark_swapper.installing import causes
from spark_swapper.installing.health import Health
from spark_swapper.installing.record import InstallRecord
from spark_swapper.installing.source import NoSourceError, Packed

STEP = "install"
_SCRIPT = (resources.files(__package__) / "install.sh").read_text()
_UNPACK = 'set -e; rm -rf "$HOME/$1"; mkdir -p "$HOME/$1"; tar -xzf - -C "$HOME/$1"'
_MARK = "spark-control: "
_NOTHING_BEFORE = 84
_STEPS = {
    "building": "Building the container; the first time takes half an hour.",
    "starting": "Starting it in place of the one that ran.",
}
_LOOK = 'docker inspect -f "{{.RestartCount}}" "$1" 2>/dev/null; docker logs --tail 12 "$1" 2>&1'
_STARTS = 3
"""So often started again, a container will not come up by itself."""
_LOOK_SECONDS = 20.0
_COPY_SECONDS = 120.0
_BUILD_SECONDS = 2 * 3600.0
_READY_SECONDS = 3600.0
"""The first start downloads five gigabytes of weights."""
Journal = JobJournal[InstallRecord]


class InstallWork:
    """The story of an installation; begun again after a restart, it goes on where it was."""

    def __init__(
        self,
        shell: RemoteShell,
        packed: Callable[[], Packed],
        healthy: Callable[[str, int], Awaitable[Health]],
        clock: Clock,
        poll_seconds: Callable[[], float],
    ) -> None:
        self._shell = shell
        self._steps = DetachedSteps(shell)
        self._packed = packed
        self._healthy = healthy
        self._clock = clock
        self._poll_seconds = poll_seconds

    async def __call__(self, journal: Journal) -> Ending:
        """Carry it to its end."""
        try:
            fault = await fault_of(self._steps_of(journal), causes.plain)
        except NoSourceError as error:
            fault = causes.plain("no_files", str(error))
        record = journal.record
        if fault is None:
            message = f"The embedding server runs on {record.label} and is ready."
            await journal.enter("done", message, percent=100.0)
            return Ending(JobState.COMPLETE, message)
        return Ending.because(fault)

    async def _steps_of(self, journal: Journal) -> Cause | None:
        """Go the steps that are left; returns what went wrong."""
        if journal.record.step == "copying" and not await self._copy(journal):
            return _stopped(journal)
        if journal.record.step != "waiting":
            fault = await self._build(journal)
            if fault is not None:
                return fault
        return await self._wait(journal)

    async def _copy(self, journal: Journal) -> bool:
        """Copy the files; False when somebody wants it no more."""
        record = journal.record
        await journal.note(f"Copying the files to {record.label}.")
        command = RemoteCommand(
            argv=("sh", "-c", _UNPACK, "unpack", folder_of(record)), stdin=self._packed().content
        )

        async def copy() -> None:
            result = await self._shell.run(record.host, command, timeout_seconds=_COPY_SECONDS)
            if result.exit_code is None:
                raise UnavailableError(f"the connection to {record.label} was lost")
            if not result.ok:
                said = result.stderr.strip()[-300:]
                raise RemoteCommandError(f"the files did not get to {record.label}: {said}")

        try:
            await self._step(journal).until_answered(copy, leave=True)
        except LeftError:
            return False
        if journal.cancelled_by is not None:
            return False
        await journal.enter("building", _STEPS["building"])
        return True

    async def _build(self, journal: Journal) -> Cause | None:
        record = journal.record
        end = await self._step(journal).follow(
            lambda: _script("install", record),
            lambda lines, offset: self._tell(journal, lines, offset),
            seconds=_BUILD_SECONDS,
        )
        if end.how != "ended":
            await self._again(journal, "settle")
        if end.how == "lost":
            sentence = f"The build on {record.label} was cut off, probably by a restart there."
            return causes.plain("interrupted", sentence, lines=end.lines)
        if end.how != "ended":
            return _stopped(journal) if end.how == "cancelled" else _too_long("building")
        if end.exit_code != 0:
            return causes.of_ending(record.label, end.exit_code, end.lines)
        await journal.enter("waiting", "Waiting for its models; the first start downloads them.")
        return None

    async def _tell(self, journal: Journal, lines: list[str], offset: int) -> None:
        """Tell what nobody told before, and the steps that lines mark."""
        if offset <= journal.record.told:
            return
        waiting: list[str] = []
        for line in lines:
            step = line.removeprefix(_MARK) if line.startswith(_MARK) else ""
            if step in _STEPS and step != journal.record.step:
                await journal.note(lines=waiting)
                waiting = []
                await journal.enter(step, _STEPS[step])
            elif not step:
                waiting.append(line)
        await journal.note(lines=waiting, told=offset)

    async def _wait(self, journal: Journal) -> Cause | None:
        record = journal.record
        deadline = self._clock.monotonic() + _READY_SECONDS
        while True:
            health = await self._healthy(record.address, record.port)
            if health.state == "ok":
                return None
            fault = await self._broken(record, health)
            if fault is None and self._clock.monotonic() > deadline:
                fault = _too_long("loading its models")
            if fault is not None:
                now = await self._back(journal)
                return fault.model_copy(update={"sentence": f"{fault.sentence} {now}"})
            if await journal.pause(self._poll_seconds()):
                return _stopped(journal)

    async def _broken(self, record: InstallRecord, health: Health) -> Cause | None:
        """Return why waiting is in vain, if it is."""
        if health.state == "failed":
            said = health.problem or "it does not say why"
            return causes.plain("not_ready", f"The new container cannot be used: {said}.")
        if health.state != "away":
            return None
        try:
            seen = await self._shell.run(record.host, _look(record), timeout_seconds=_LOOK_SECONDS)
        except UnavailableError:
            return None
        count, _, said = seen.stdout.partition("\n")
        if not count.strip().isdigit() or int(count) < _STARTS:
            return None
        sentence = f"The new container ends as soon as it is started; it was {count.strip()} times."
        return causes.plain("ends_at_once", sentence, lines=said.splitlines())

    async def _back(self, journal: Journal) -> str:
        """Start again what ran before; returns what runs now, as a sentence."""
        code = await self._again(journal, "back")
        if code == 0:
            return "The one that ran before was started again."
        if code == _NOTHING_BEFORE:
            return "It stays, because nothing else ran before it."
        return "The one that ran before could not be started again."

    async def _again(self, journal: Journal, mode: str) -> int:
        """Have the script start what ran before; returns its exit code."""
        record = journal.record

        async def again() -> int:
            command = _script(mode, record)
            result = await self._shell.run(record.host, command, timeout_seconds=_COPY_SECONDS)
            if result.exit_code is None:
                raise UnavailableError(f"the connection to {record.label} was lost")
            return result.exit_code

        return await self._step(journal).until_answered(again)

    def _step(self, journal: Journal) -> StepOfJob[InstallRecord]:
        record = journal.record
        return StepOfJob(
            journal, self._steps, record.host, record.label, STEP, self._clock, self._poll_seconds
        )


def _look(record: InstallRecord) -> RemoteCommand:
    return RemoteCommand(argv=("sh", "-c", _LOOK, "look", record.container))


def _script(mode: str, record: InstallRecord) -> RemoteCommand:
    words = (folder_of(record), record.image, record.container, str(record.port))
    return RemoteCommand(argv=("sh", "-c", _SCRIPT, mode, *words))


def folder_of(record: InstallRecord) -> str:
    """Return where the files are, relative to the remote home."""
    return f".spark-control/{record.image.replace(':', '-')}"


def _stopped(journal: Journal) -> Cause:
    who = journal.cancelled_by or "someone"
    return causes.plain("cancelled", f"Cancelled by {who}; what ran or was built by then stays.")


def _too_long(what: str) -> Cause:
    return causes.plain("deadline", f"It was not done with {what} in time.")
