"""The installation of a NIM as it is recorded, and the kind of job it is."""

from spark_common.contracts.nim import NimEntry, NimInstallView
from spark_common.events import InstallComplete, InstallFailed, InstallProgress
from spark_common.jobs import JobKind, JobRecord


class NimRecord(JobRecord):
    """One installation. It never holds the key."""

    entry: NimEntry
    host: str
    label: str
    """The Spark as people call it."""
    volume: str
    address: str
    needs_gb: int = 0
    """Memory that has to be free for it right before it is started; 0: whatever there is."""
    forced: bool = False
    """Whoever asked for it goes past the lease of somebody else."""
    epoch: int = 0
    """Of the lease under which it was asked for."""
    ready: bool = False
    """All is there; whether it may be started is asked now."""
    waits_for: str = ""
    """What stood in the way of its start when that was asked last."""
    told: int = 0
    """How far the output of its step was told, in bytes."""
    done_bytes: int = 0
    total_bytes: int | None = None

    def view(self) -> NimInstallView:
        """Return it as everybody sees it."""
        return NimInstallView(
            **self.shared(),
            what=self.entry.name,
            host=self.host,
            image=self.entry.image,
            port=self.entry.port,
            done_bytes=self.done_bytes,
            total_bytes=self.total_bytes,
        )


def _facts(record: NimRecord) -> dict[str, str]:
    return {"what": record.entry.name, "host": record.host}


NIM_INSTALLS: JobKind[NimRecord] = JobKind(
    name="install",
    record=NimRecord,
    progress=InstallProgress,
    complete=InstallComplete,
    failed=InstallFailed,
    progress_facts=_facts,
    end_facts=_facts,
)
RECORDS = "nim"
"""Word of the records in Redis: ``install`` are those of the swapper."""
