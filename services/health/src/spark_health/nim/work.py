"""The installation of a NIM from the first look to the first healthy answer."""

import json
import re
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from importlib import resources
from typing import Any, Final

from spark_common.clock import Clock
from spark_common.contracts.jobs import JobState
from spark_common.contracts.nim import NimService
from spark_common.contracts.swaps import Cause
from spark_common.errors import UnavailableError
from spark_common.jobs import Ending, JobJournal, fault_of
from spark_common.jobs.detached_step import StepOfJob
from spark_common.remote import RemoteCommand, RemoteShell
from spark_common.remote.detached import DetachedSteps
from spark_health.nim import causes
from spark_health.nim.admission import RESERVE_GB
from spark_health.nim.record import NimRecord
from spark_health.nim.services_port import InstalledNims
from spark_health.nim.waiting_keys import WaitingKeys
from spark_health.remedies.holding import InTheWayError

STEP: Final = "install"
_SCRIPT = (resources.files(__package__) / "install_on_spark.py").read_text()
REMOVE = (resources.files(__package__) / "remove.sh").read_text()
_MARK: Final = "spark-control: "
_PULLED = re.compile(r"pulled (\d{1,18}) (\d{1,18})\Z")
_STEPS: Final = {
    "pulling": "Downloading the image.",
    "preparing": "Giving the volume to the user of the container.",
    "starting": "Starting the container.",
}
_GO = """\
for place in "/dev/shm/spark-control-nim-$1" "$HOME/.spark-control/spark-control-nim-$1"; do
  if [ -d "$place" ] && : >"$place/go"; then
    tries=0
    while [ -d "$place" ] && [ "$tries" -lt 60 ]; do tries=$((tries + 1)); sleep 1; done
  fi
done
"""
"""The installation may start its container, and tidies up as soon as it did."""
_GO_SECONDS: Final = 75.0
_LOOK = (
    'docker inspect -f "{{.RestartCount}} {{.State.Status}}" "$1" 2>/dev/null; '
    'docker logs --tail 20 "$1" 2>&1'
)
_STARTS: Final = 3
"""So often started again, a container will not come up by itself."""
_LOOK_SECONDS: Final = 20.0
_SETTLE_SECONDS: Final = 90.0
_STEP_SECONDS: Final = 6 * 3600.0
_READY_SECONDS: Final = 3 * 3600.0
"""The first start downloads up to fifty gigabytes."""
Journal = JobJournal[NimRecord]


class NimWork:
    """The story of an installation; begun again after a restart, it goes on where it was."""

    def __init__(
        self,
        shell: RemoteShell,
        healthy: Callable[[NimRecord], Awaitable[bool]],
        installed: InstalledNims,
        keys: WaitingKeys,
        clock: Clock,
        poll_seconds: Callable[[], float],
        turn: Callable[[NimRecord], AbstractAsyncContextManager[None]],
    ) -> None:
        """``healthy`` asks the service itself, once, and never raises. Inside ``turn`` nobody
        else decides about the Spark; raises InTheWayError."""
        self._shell = shell
        self._steps = DetachedSteps(shell)
        self._healthy = healthy
        self._installed = installed
        self._keys = keys
        self._clock = clock
        self._poll_seconds = poll_seconds
        self._turn = turn

    async def __call__(self, journal: Journal) -> Ending:
        """Carry it to its end."""
        try:
            fault = await fault_of(self._steps_of(journal), causes.plain)
        finally:
            self._keys.forget(journal.record.id)
        record = journal.record
        if fault is None:
            where = f"on port {record.entry.port} of {record.label}"
            message = f"{record.entry.label} runs {where} and is ready."
            await journal.enter("done", message, percent=100.0)
            return Ending(JobState.COMPLETE, message)
        return Ending.because(fault)

    async def _steps_of(self, journal: Journal) -> Cause | None:
        """Go the steps that are left; returns what went wrong."""
        if journal.record.step != "waiting":
            fault = await self._on_spark(journal)
            if fault is not None:
                return fault
        fault = await self._wait(journal)
        if fault is not None:
            await self._settle(journal)
            return fault
        await self._installed.put(service_of(journal.record, self._clock))
        return None

    async def _on_spark(self, journal: Journal) -> Cause | None:
        record = journal.record
        end = await self._step(journal).follow(
            lambda: self._command(record),
            lambda lines, offset: self._follow(journal, lines, offset),
            seconds=_STEP_SECONDS,
        )
        if end.how == "ended" and end.exit_code == 0:
            await journal.enter(
                "waiting", "Waiting until it is ready; the first start downloads its model."
            )
            return None
        if end.how == "unstarted":
            return causes.plain(
                "key_gone",
                "spark-control was restarted before the installation had begun, and keeps no key.",
            )
        await self._settle(journal)
        if end.how == "ended":
            return causes.of_ending(record, end.exit_code, end.lines)
        if end.how == "lost":
            sentence = f"The installation on {record.label} was cut off, as by a restart there."
            return causes.plain("interrupted", sentence, lines=end.lines)
        return _stopped(journal) if end.how == "cancelled" else _too_long("the image")

    def _command(self, record: NimRecord) -> RemoteCommand | None:
        key = self._keys.of(record.id)
        return None if key is None else install_command(record, key.get_secret_value())

    async def _follow(self, journal: Journal, lines: list[str], offset: int) -> None:
        await self._tell(journal, lines, offset)
        if journal.record.ready and journal.record.step == "preparing":
            await self._start_in_turn(journal)

    async def _start_in_turn(self, journal: Journal) -> None:
        """Let it be started when nothing is in the way; else say what is, and be asked again."""
        record = journal.record
        go = RemoteCommand(("sh", "-c", _GO, "go", record.id))
        try:
            async with self._turn(record):
                await self._shell.run(record.host, go, timeout_seconds=_GO_SECONDS)
        except InTheWayError as why:
            message = f"All is there. It waits to be started: {why}."
            await journal.note(message, waits_for=str(why))
        except UnavailableError as error:
            # It may have heard it all the same: its output says so.
            await journal.note(f"Waiting for {record.label}: {error.message}.")

    async def _tell(self, journal: Journal, lines: list[str], offset: int) -> None:
        """Tell what nobody told before, and the steps and bytes that lines mark."""
        if offset <= journal.record.told:
            return
        plain: list[str] = []
        facts: dict[str, Any] = {}
        for line in lines:
            word = line.removeprefix(_MARK) if line.startswith(_MARK) else ""
            if word in _STEPS and word != journal.record.step:
                await journal.note(lines=plain)
                plain = []
                await journal.enter(word, _STEPS[word])
            elif read := _PULLED.match(word):
                done, total = int(read[1]), int(read[2])
                percent = round(min(99.9, 100 * done / total), 1) if total else None
                facts |= {"done_bytes": done, "total_bytes": total or None, "percent": percent}
            elif word == "ready":
                facts["ready"] = True
            elif not word:
                plain.append(line)
        await journal.note(lines=plain, told=offset, **facts)

    async def _wait(self, journal: Journal) -> Cause | None:
        record = journal.record
        deadline = self._clock.monotonic() + _READY_SECONDS
        while True:
            if await self._healthy(record):
                return await self._impostor(record)
            fault = await self._broken(record)
            if fault is None and self._clock.monotonic() > deadline:
                fault = _too_long("the start of the service")
            if fault is not None:
                return fault
            if await journal.pause(self._poll_seconds()):
                return _stopped(journal)

    async def _look(self, record: NimRecord) -> tuple[str, str, list[str]] | None:
        """Return restarts, state and last lines of the container; None while nobody can say."""
        command = RemoteCommand(argv=("sh", "-c", _LOOK, "look", record.entry.name))
        try:
            seen = await self._shell.run(record.host, command, timeout_seconds=_LOOK_SECONDS)
        except UnavailableError:
            return None
        head, _, said = seen.stdout.partition("\n")
        count, _, state = head.strip().partition(" ")
        if not count.isdigit():
            return (
                "",
                "gone" if "no such" in seen.stdout.lower() else "",
                seen.stdout.splitlines(),
            )
        return count, state, said.splitlines()

    async def _impostor(self, record: NimRecord) -> Cause | None:
        """Return a fault when something answers but the container itself is not running."""
        seen = await self._look(record)
        if seen is None or seen[1] not in ("gone", "exited", "dead", "created"):
            return None
        return _not_running(record, seen[1], seen[2])

    async def _broken(self, record: NimRecord) -> Cause | None:
        """Return why waiting is in vain, if it is."""
        seen = await self._look(record)
        if seen is None:
            return None
        count, state, lines = seen
        if state in ("gone", "exited", "dead"):
            return _not_running(record, state, lines)
        if count.isdigit() and int(count) >= _STARTS:
            return causes.of_crashes(record, int(count), lines)
        return None

    async def _settle(self, journal: Journal) -> None:
        """Remove what this job started; what is downloaded stays in its volume."""
        record = journal.record
        words = (record.entry.name, record.id)
        command = RemoteCommand(argv=("sh", "-c", REMOVE, "settle", *words))

        async def settle() -> None:
            result = await self._shell.run(record.host, command, timeout_seconds=_SETTLE_SECONDS)
            if result.exit_code is None:
                raise UnavailableError(f"the connection to {record.label} was lost")

        await self._step(journal).until_answered(settle)

    def _step(self, journal: Journal) -> StepOfJob[NimRecord]:
        record = journal.record
        return StepOfJob(
            journal, self._steps, record.host, record.label, STEP, self._clock, self._poll_seconds
        )


def install_command(record: NimRecord, key: str) -> RemoteCommand:
    """Return the steps on the Spark; the key is on their standard input alone."""
    entry = record.entry
    order = {
        "job": record.id,
        "name": entry.name,
        "image": entry.image,
        "port": entry.port,
        "container_port": entry.container_port,
        "volume": record.volume,
        "env": entry.env,
        "shm_gb": entry.shm_gb,
        "download_gb": entry.download_gb,
        "memory_gb": record.needs_gb + RESERVE_GB if record.needs_gb else 0,
    }
    argv = ("python3", "-IS", "-c", _SCRIPT, json.dumps(order))
    return RemoteCommand(argv=argv, stdin=f"{key.strip()}\n".encode())


def service_of(record: NimRecord, clock: Clock) -> NimService:
    """Return what was installed as it is written down."""
    entry = record.entry
    return NimService(
        name=entry.name,
        label=entry.label,
        kind=entry.kind,
        host=record.host,
        image=entry.image,
        port=entry.port,
        container=entry.name,
        volume=record.volume,
        health_path=entry.health_path,
        installed_at=clock.now(),
    )


def _not_running(record: NimRecord, state: str, lines: list[str]) -> Cause:
    how = "is gone" if state == "gone" else "does not run"
    sentence = f"The container {record.entry.name} on {record.label} {how}."
    return causes.plain("not_running", sentence, lines=lines)


def _stopped(journal: Journal) -> Cause:
    who = journal.cancelled_by or "someone"
    return causes.plain(
        "cancelled", f"Cancelled by {who}; nothing of it runs, and what was downloaded is kept."
    )


def _too_long(what: str) -> Cause:
    return causes.plain("deadline", f"It took too long: {what}. What was downloaded is kept.")
