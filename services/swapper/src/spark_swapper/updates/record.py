"""An update as it is recorded, and the kind of job it is."""

from pydantic import BaseModel, ConfigDict

from spark_common.contracts.swaps import Cause
from spark_common.contracts.updates import ImageState, UpdateView
from spark_common.events import UpdateComplete, UpdateFailed, UpdateProgress
from spark_common.jobs import JobKind, JobRecord

EXCLUSIVE = "the cluster software"
"""One update or way back at a time, whatever it touches."""


class Place(BaseModel):
    """One Spark of an update: where its checkout was, and how its images were kept."""

    model_config = ConfigDict(frozen=True)

    host: str
    commit: str | None = None
    """None where there is no checkout, or none that moves."""
    images: tuple[tuple[str, str], ...] = ()
    """(tag, the name under which it is kept)."""


class UpdateRecord(JobRecord):
    """One update, or the way back from one."""

    direction: str = "update"
    hosts: tuple[str, ...] = ()
    """The first builds; the others get copies."""
    prepared: bool = False
    """Whether what follows is known, so that everything may be begun again at any point."""
    places: tuple[Place, ...] = ()
    tags: tuple[str, ...] = ()
    """Images that are renewed."""
    commit_before: str | None = None
    commit_after: str | None = None
    images_before: tuple[ImageState, ...] = ()
    images_after: tuple[ImageState, ...] = ()
    told: dict[str, int] = {}
    """How far the output of each step was told, in bytes."""
    undoing: Cause | None = None
    """Why it is being undone."""

    def view(self) -> UpdateView:
        """Return it as everybody sees it."""
        return UpdateView.model_validate(
            {
                **self.shared(),
                "direction": self.direction,
                "hosts": list(self.hosts),
                "commit_before": self.commit_before,
                "commit_after": self.commit_after,
                "images_before": list(self.images_before),
                "images_after": list(self.images_after),
            }
        )


UPDATES: JobKind[UpdateRecord] = JobKind(
    name="update",
    record=UpdateRecord,
    progress=UpdateProgress,
    complete=UpdateComplete,
    failed=UpdateFailed,
    progress_facts=lambda record: {"direction": record.direction},
    end_facts=lambda record: {
        "direction": record.direction,
        "commit_before": record.commit_before,
        "commit_after": record.commit_after,
    },
)
