"""A job on the speech container from its first look to its one end."""

from collections.abc import Awaitable, Callable
from functools import partial

from spark_common.contracts.jobs import JobState
from spark_common.contracts.swaps import Cause
from spark_common.jobs import Ending, fault_of
from spark_health.overlay import causes
from spark_health.overlay.source import NoSourceError, Shipped
from spark_health.overlay.steps import Steps
from spark_health.overlay.waiting import Journal, Waiting

Step = Callable[[Journal], Awaitable[Cause | None]]
_UNTOUCHED = "Nothing was changed."


class OverlayWork:
    """Carries a job on from the step at which its record stands."""

    def __init__(self, steps: Steps, waiting: Waiting, shipped: Callable[[], Shipped]) -> None:
        """``shipped`` raises NoSourceError where the files are not on this machine."""
        self._steps = steps
        self._waiting = waiting
        self._shipped = shipped

    async def __call__(self, journal: Journal) -> Ending:
        """Carry it to its end."""
        if journal.record.step == "done":
            return Ending(JobState.COMPLETE, journal.record.message)
        fault = journal.record.undoing
        if fault is None:
            fault = await self._guarded(journal, self._forward)
            if fault is None:
                return await self._complete(journal)
            if not journal.record.replaced:
                return _ending(fault, _UNTOUCHED if _untouched(journal) else "")
            await journal.adopt(undoing=fault)
        return _ending(fault, await self._back(journal))

    async def _forward(self, journal: Journal) -> Cause | None:
        """Go the steps that are left; returns what went wrong."""
        if await self._runs_already(journal):
            return None
        for step, message, go in self._steps_left(journal):
            if journal.cancelled_by is not None:
                return causes.cancelled(journal.cancelled_by)
            act = partial(self._act, journal, step, message, go)
            disturbs = step in ("replacing", "restarting")
            if fault := await (self._waiting.alone(journal, step, act) if disturbs else act()):
                return fault
        return None

    async def _act(self, journal: Journal, step: str, message: str, go: Step) -> Cause | None:
        if journal.record.step != step:
            replaced = journal.record.replaced or step == "replacing"
            await journal.enter(step, message, replaced=replaced)
        return await go(journal)

    async def _runs_already(self, journal: Journal) -> bool:
        """Whether our files are in place and the server was started with them."""
        record = journal.record
        if record.action != "reapply" or record.hashes_differ or record.step != "accepted":
            return False
        said = await self._steps.said(record)
        return said.ready and dict(said.running) == dict(record.hashes)

    def _steps_left(self, journal: Journal) -> list[tuple[str, str, Step]]:
        """Return the steps from where the record stands: word, what people read, what is done."""
        record, run = journal.record, self._steps.run
        where = f"{record.container} on {record.label}"
        put = "undo" if record.action == "undo" else "put"
        steps: list[tuple[str, str, Step]] = [
            ("copying", f"Taking our files to {record.label}.", self._stage),
            ("checking", f"Having the Python of {where} read them.", lambda j: run(j, "check")),
            ("keeping", "Keeping what will be replaced.", lambda j: run(j, "keep")),
            ("replacing", f"Putting the files into {where}.", lambda j: run(j, put)),
            ("restarting", f"Restarting {where}.", lambda j: self._steps.restart(j, "restart")),
            ("waiting", "Waiting until speech is ready.", self._steps.ready),
        ]
        words = [word for word, _, _ in steps]
        if record.step in words:
            return steps[words.index(record.step) :]
        first = {"reapply": "copying", "undo": "replacing", "restart": "restarting"}[record.action]
        if record.action == "reapply" and not record.hashes_differ:
            first = "restarting"
        return steps[words.index(first) :]

    async def _stage(self, journal: Journal) -> Cause | None:
        shipped = self._shipped()
        if shipped.hashes != dict(journal.record.hashes):
            sentence = "spark-control was updated meanwhile and has other files now."
            return causes.plain("other_files", sentence)
        return await self._steps.stage(journal, shipped)

    async def _complete(self, journal: Journal) -> Ending:
        record = journal.record
        if record.action == "undo":
            await self._guarded(journal, lambda j: self._steps.run(j, "tidy"))
        runs = {
            "reapply": "runs our files",
            "undo": "runs what was there before",
            "restart": "was restarted",
        }[record.action]
        message = f"The speech container on {record.label} {runs} and is ready."
        health = (await self._steps.said(record)).health
        if health.diarizer == "failed":
            problem = health.diarizer_problem or "it does not say why"
            message += f" Its diarizer could not be loaded: {problem}"
        await journal.enter("done", message, percent=100.0)
        return Ending(JobState.COMPLETE, message)

    async def _back(self, journal: Journal) -> str:
        """Bring back what this job replaced; returns what runs now, as a sentence."""
        sentences: list[str] = []
        fault = await self._guarded(journal, lambda j: self._go_back(j, sentences))
        if fault is None:
            return sentences[0]
        return f"What was there before could not be brought back: {fault.sentence}"

    async def _go_back(self, journal: Journal, sentences: list[str]) -> Cause | None:
        steps, record = self._steps, journal.record
        if record.action != "reapply":
            sentences.append(f"The files of before are in {record.container}.")
            return None
        await journal.enter("putting_back", f"Bringing back what was in {record.container}.")
        fault = await steps.run(journal, "back")
        if fault is not None and fault.code == "nothing_kept":
            sentences.append("Nothing had been replaced.")
            return None
        if fault is not None:
            return fault
        if not await self._waiting.until_answered(
            journal, lambda: steps.spark.restarted(record, "restart")
        ):
            sentences.append("The files of before are back; the container was not restarted.")
            return None
        act = partial(self._restart_back, journal)
        if fault := await self._waiting.alone(journal, "restarting_back", act, cancellable=False):
            return fault
        await journal.enter("waiting_back", "Waiting until speech is ready as it was.")
        if fault := await steps.ready(journal, cancellable=False):
            return fault
        await steps.run(journal, "tidy")
        sentences.append("What ran before runs again and is ready.")
        return None

    async def _restart_back(self, journal: Journal) -> Cause | None:
        container = journal.record.container
        await journal.enter("restarting_back", f"Restarting {container} as it was.")
        return await self._steps.restart(journal, "restart_back")

    async def _guarded(self, journal: Journal, go: Step) -> Cause | None:
        """Go, and return what was raised as a cause too."""
        try:
            return await fault_of(go(journal), causes.plain)
        except NoSourceError as error:
            return causes.plain("no_files", str(error))


def _untouched(journal: Journal) -> bool:
    """Whether the container is as it was; a restart that was ordered may have come to pass."""
    return journal.record.step not in ("restarting", "waiting")


def _ending(fault: Cause, now: str) -> Ending:
    sentence = f"{fault.sentence} {now}".strip()
    return Ending.because(fault.model_copy(update={"sentence": sentence}))
