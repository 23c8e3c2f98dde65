"""A kind of job for the tests of the kit: updates without facts of their own."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field

import pytest
import pytest_asyncio

from spark_common.contracts.jobs import JobState, StepMark
from spark_common.contracts.swaps import Cause
from spark_common.events import UpdateComplete, UpdateFailed, UpdateProgress
from spark_common.jobs import Ending, JobJournal, JobKind, JobRecord, JobRunner
from spark_common.tasks import end
from spark_common.testing import FakeClock, MemoryBroker, MemoryBus
from spark_common.testing.fixtures import redis_server
from spark_common.testing.job_records import MemoryJobRecords

__all__ = ["redis_server"]

CLOCK = FakeClock()
KIND = JobKind(
    name="update",
    record=JobRecord,
    progress=UpdateProgress,
    complete=UpdateComplete,
    failed=UpdateFailed,
    progress_facts=lambda record: {"direction": "update"},
    end_facts=lambda record: {"direction": "update", "commit_after": "abc"},
)


def a_record(job_id: str = "one", *, exclusive: str = "a/b", body: str = "b", at: int = 0):
    """Return a job that was just asked for."""
    moment = CLOCK.now().replace(second=at)
    return JobRecord(
        id=job_id,
        requested_by="Alice",
        exclusive=exclusive,
        body_sha256=body,
        step="checking",
        steps=(StepMark(step="checking", at=moment),),
        created_at=moment,
    )


async def patient(journal: JobJournal[JobRecord]) -> Ending:
    """A work of three steps that takes three seconds, or ends when it is cancelled."""
    for step in ("pulling", "building"):
        if journal.record.step != step:
            await journal.enter(step, f"{step} now")
        if await journal.pause(1.5):
            cause = Cause(code="cancelled", sentence="Bob stopped it.", action="Start again.")
            return Ending(JobState.CANCELLED, "Cancelled.", cause)
    return Ending(JobState.COMPLETE, "Done.")


@dataclass
class Workshop:
    """A process with a runner on fakes, whose work is patient unless another one is set."""

    work: Callable[[JobJournal[JobRecord]], Awaitable[Ending]] = patient
    clock: FakeClock = field(default_factory=FakeClock)
    store: MemoryJobRecords[JobRecord] = field(default_factory=MemoryJobRecords)
    ended: list[JobState] = field(default_factory=list)
    processes: list[asyncio.Task[None]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.broker = MemoryBroker(clock=self.clock)
        self.bus = MemoryBus("swapper", self.broker)

    def start(self) -> JobRunner[JobRecord]:
        """Start a process and return its runner; those that run already go on."""

        async def after(record: JobRecord) -> None:
            self.ended.append(record.state)

        runner = JobRunner(
            kind=KIND,
            store=self.store,
            bus=self.bus,
            clock=self.clock,
            work=self.work,
            after=after,
        )
        self.processes.append(asyncio.create_task(runner.run()))
        return runner

    async def begin(self, seconds: float = 0.0) -> JobRunner[JobRecord]:
        """Start a process that accepts a job, and let some time pass."""
        runner = self.start()
        await runner.request(a_record())
        if seconds:
            await self.clock.advance(seconds)
        return runner

    async def kill(self) -> None:
        """End every process."""
        await end(self.processes)
        self.processes.clear()

    def told(self, stream: str = "SC_JOB_PROGRESS") -> list[dict[str, object]]:
        """Return the events of a stream in order."""
        messages = self.broker.stream(stream).messages.values()
        return [message.envelope.data for message in messages if message.envelope]

    def outcomes(self) -> list[dict[str, object]]:
        """Return the outcomes that were told."""
        return self.told("SC_JOB_EVT")


@pytest.fixture
def kind() -> JobKind[JobRecord]:
    return KIND


@pytest.fixture
def make() -> Callable[..., JobRecord]:
    return a_record


@pytest_asyncio.fixture
async def workshop() -> AsyncIterator[Workshop]:
    place = Workshop()
    yield place
    await place.kill()
