"""A kind of job for the tests of the kit: updates without facts of their own."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

import pytest

from spark_common.contracts.jobs import JobState, StepMark
from spark_common.events import UpdateComplete, UpdateFailed, UpdateProgress
from spark_common.jobs import Ending, JobJournal, JobKind, JobRecord, JobRunner
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


@dataclass
class Workshop:
    """A runner on fakes; a second ``start`` is the next process."""

    work: Callable[[JobJournal[JobRecord]], Awaitable[Ending]]
    clock: FakeClock = field(default_factory=FakeClock)
    store: MemoryJobRecords[JobRecord] = field(default_factory=MemoryJobRecords)
    ended: list[JobState] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.broker = MemoryBroker(clock=self.clock)
        self.bus = MemoryBus("swapper", self.broker)

    def start(self) -> JobRunner[JobRecord]:
        """Return the runner of a fresh process."""

        async def after(record: JobRecord) -> None:
            self.ended.append(record.state)

        return JobRunner(
            kind=KIND,
            store=self.store,
            bus=self.bus,
            clock=self.clock,
            work=self.work,
            after=after,
        )

    def told(self, stream: str = "SC_JOB_PROGRESS") -> list[dict[str, object]]:
        """Return the events of a stream in order."""
        messages = self.broker.stream(stream).messages.values()
        return [message.envelope.data for message in messages if message.envelope]


@pytest.fixture
def kind() -> JobKind[JobRecord]:
    return KIND


@pytest.fixture
def make() -> Callable[..., JobRecord]:
    return a_record


@pytest.fixture
def workshop() -> Callable[..., Workshop]:
    return Workshop
