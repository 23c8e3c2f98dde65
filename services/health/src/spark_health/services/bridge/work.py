"""The update of the bridge from the first look to a container that stays up."""

import re
from importlib import resources
from typing import Any, Final

from spark_common.clock import Clock
from spark_common.contracts.jobs import JobState
from spark_common.contracts.swaps import Cause
from spark_common.jobs import Ending, JobJournal, fault_of
from spark_common.jobs.detached_step import StepOfJob
from spark_common.remote import RemoteCommand, RemoteShell
from spark_common.remote.detached import DetachedSteps
from spark_health.services.bridge import causes
from spark_health.services.bridge.record import BridgeRecord
from spark_health.services.pace import ServicePace

STEP: Final = "update"
MOST_SECONDS: Final = 25 * 60
SCRIPT: Final = (resources.files(__package__) / "update.sh").read_text()
MARK: Final = "spark-control: "
_STEPS: Final = {
    "building": "Building the new version.",
    "starting": "Starting the new version.",
    "checking": "Waiting whether it stays up.",
}
_COMMIT = re.compile(r"(before|after) ([0-9a-f]{7,64})\Z")
Journal = JobJournal[BridgeRecord]


class BridgeWork:
    """The story of an update; begun again after a restart, it goes on where it was."""

    def __init__(
        self,
        shell: RemoteShell,
        clock: Clock,
        pace: ServicePace,
        *,
        most_seconds: int = MOST_SECONDS,
        settle_seconds: int = 10,
    ) -> None:
        self._steps = DetachedSteps(shell)
        self._clock = clock
        self._pace = pace
        self._most = most_seconds
        self._settle = settle_seconds

    async def __call__(self, journal: Journal) -> Ending:
        """Carry it to its end."""
        fault = await fault_of(self._on_host(journal), causes.plain)
        record = journal.record
        if fault is not None:
            return Ending.because(fault)
        same = record.before is not None and record.before == record.after
        what = "was at its newest commit already" if same else "runs its newest commit"
        message = f"The Matrix bridge {what} ({(record.after or '')[:12]}) and stays up."
        await journal.enter("done", message, percent=100.0)
        return Ending(JobState.COMPLETE, message)

    async def _on_host(self, journal: Journal) -> Cause | None:
        record = journal.record
        passed = (self._clock.now() - record.created_at).total_seconds()
        step = StepOfJob(
            journal, self._steps, record.shell, record.label, STEP, self._clock,
            lambda: self._pace.job_poll_seconds,
        )  # fmt: skip
        end = await step.follow(
            lambda: self._command(record),
            lambda lines, offset: self._tell(journal, lines, offset),
            seconds=max(1.0, self._most - passed),
        )
        match end.how:
            case "ended" if end.exit_code == 0:
                return None
            case "ended":
                return causes.of_ending(journal.record, end.exit_code, end.lines)
            case "deadline":
                return causes.of_ending(journal.record, 124, end.lines)
            case "cancelled":
                who = journal.cancelled_by or "someone"
                sentence = f"Cancelled by {who} while it was {journal.record.step}."
                return causes.plain("cancelled", sentence, end.lines)
            case _:
                sentence = f"The update on {record.label} was cut off, as by a restart there."
                return causes.plain("interrupted", sentence, end.lines)

    def _command(self, record: BridgeRecord) -> RemoteCommand:
        words = (record.directory, record.container, str(self._settle))
        # The cap holds on the machine itself, whoever of us is away then.
        cap = ("timeout", "-k", "10", str(self._most))
        return RemoteCommand((*cap, "sh", "-c", SCRIPT, "update", *words))

    async def _tell(self, journal: Journal, lines: list[str], offset: int) -> None:
        """Tell what nobody told before, and the steps that lines mark."""
        if offset <= journal.record.told:
            return
        plain: list[str] = []
        facts: dict[str, Any] = {}
        for line in lines:
            word = line.removeprefix(MARK) if line.startswith(MARK) else ""
            if word in _STEPS and word != journal.record.step:
                await journal.note(lines=plain, **facts)
                plain, facts = [], {}
                await journal.enter(word, _STEPS[word])
            elif found := _COMMIT.match(word):
                facts[found[1]] = found[2]
            elif not word:
                plain.append(line)
        await journal.note(lines=plain, told=offset, **facts)
