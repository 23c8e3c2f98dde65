"""The update of the bridge as it is recorded, and the kind of job it is."""

from typing import Final

from spark_common.contracts.services import BridgeUpdateView
from spark_common.events import InstallComplete, InstallFailed, InstallProgress
from spark_common.jobs import JobKind, JobRecord

WHAT: Final = "matrix-bridge"
RECORDS: Final = "bridge"
"""Word of the records in Redis: ``install`` are those of the swapper, ``nim`` of NIM services."""


class BridgeRecord(JobRecord):
    """One update."""

    shell: str
    """The login, as a ``RemoteShell`` names it."""
    label: str
    """The login, for people."""
    spark: str | None = None
    container: str
    directory: str
    reason: str = ""
    before: str | None = None
    after: str | None = None
    told: int = 0
    """How far the output of its step was told, in bytes."""

    def view(self) -> BridgeUpdateView:
        """Return it as everybody sees it."""
        return BridgeUpdateView(
            **self.shared(),
            host=self.spark or self.label,
            container=self.container,
            before=self.before,
            after=self.after,
        )


def _facts(record: BridgeRecord) -> dict[str, str]:
    return {"what": WHAT, "host": record.spark or record.label}


BRIDGE_UPDATES: JobKind[BridgeRecord] = JobKind(
    name="install",
    record=BridgeRecord,
    progress=InstallProgress,
    complete=InstallComplete,
    failed=InstallFailed,
    progress_facts=_facts,
    end_facts=_facts,
)
