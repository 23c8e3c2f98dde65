"""A job on the speech container as it is recorded, and the kind of job it is."""

from collections.abc import Mapping

from spark_common.contracts.speech_models import SpeechAction, SpeechJobView
from spark_common.contracts.swaps import Cause
from spark_common.events import OverlayComplete, OverlayFailed, OverlayProgress
from spark_common.jobs import JobKind, JobRecord

EXCLUSIVE = "the speech container"
_KEPT_LINES = 200


class OverlayRecord(JobRecord):
    """One reapply, undo or restart."""

    action: SpeechAction
    host: str
    label: str
    address: str
    port: int
    container: str
    user: str | None = None
    """Whose docker it is; that of the Spark's own user for None."""
    hashes: Mapping[str, str] = {}
    """SHA-256 of the files that the container is to have; empty: as it is."""
    hashes_differ: bool = True
    """Whether the container had other files when the job was accepted."""
    epoch: int
    """Under which the lease admitted it."""
    replaced: bool = False
    """Files of the container may be other ones than before."""
    undoing: Cause | None = None
    """What went wrong, once it goes back."""
    lines: tuple[str, ...] = ()
    """What the steps wrote, the latest ones."""

    def view(self) -> SpeechJobView:
        """Return it as everybody sees it."""
        return SpeechJobView(
            **self.shared(), action=self.action, host=self.host, container=self.container
        )

    def with_lines(self, lines: list[str]) -> tuple[str, ...]:
        """Return the lines with more of them."""
        return (*self.lines, *lines)[-_KEPT_LINES:]


OVERLAYS: JobKind[OverlayRecord] = JobKind(
    name="overlay",
    record=OverlayRecord,
    progress=OverlayProgress,
    complete=OverlayComplete,
    failed=OverlayFailed,
    progress_facts=lambda record: {"action": record.action, "host": record.host},
    end_facts=lambda record: {"action": record.action, "host": record.host},
)
