"""Long work that is accepted once, followed, cancelled, carried on after a restart, and kept."""

from spark_common.jobs.faults import fault_of
from spark_common.jobs.journal import JobJournal
from spark_common.jobs.kind import JobKind
from spark_common.jobs.record import JobRecord
from spark_common.jobs.redis_store import RedisJobRecords
from spark_common.jobs.runner import Ending, JobRunner, Work
from spark_common.jobs.store import JobRecords, StaleWriterError

__all__ = [
    "Ending",
    "JobJournal",
    "JobKind",
    "JobRecord",
    "JobRecords",
    "JobRunner",
    "RedisJobRecords",
    "StaleWriterError",
    "Work",
    "fault_of",
]
