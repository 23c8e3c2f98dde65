"""An installation as it is recorded, and the kind of job it is."""

from spark_common.contracts.embedding import InstallView
from spark_common.events import InstallComplete, InstallFailed, InstallProgress
from spark_common.jobs import JobKind, JobRecord


class InstallRecord(JobRecord):
    """One installation of the embedding server."""

    what: str = "embeddings"
    host: str
    label: str
    address: str
    port: int
    container: str
    image: str
    told: int = 0
    """How far the output of its step was told, in bytes."""

    def view(self) -> InstallView:
        """Return it as everybody sees it."""
        return InstallView(**self.shared(), what=self.what, host=self.host, image=self.image)


INSTALLS: JobKind[InstallRecord] = JobKind(
    name="install",
    record=InstallRecord,
    progress=InstallProgress,
    complete=InstallComplete,
    failed=InstallFailed,
    progress_facts=lambda record: {"what": record.what, "host": record.host},
    end_facts=lambda record: {"what": record.what, "host": record.host},
)
