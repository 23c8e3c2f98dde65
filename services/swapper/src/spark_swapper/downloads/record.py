"""A download as a value, and what its kind of job says and keeps."""

from typing import Any

from spark_common.contracts.downloads import DownloadPlace, DownloadView
from spark_common.events import DownloadComplete, DownloadFailed, DownloadProgress
from spark_common.jobs import JobKind, JobRecord


class DownloadJob(JobRecord):
    """One download, from its acceptance to its end. Sizes in bytes."""

    repo: str
    hosts: tuple[str, ...]
    source: str | None = None
    """The host that fetches, or that has it whole already; None before that is decided."""
    must_fetch: bool = True
    fetch_run: int = 1
    """Number of the fetch on the source, which a reboot there makes necessary again."""
    copy_run: int = 1
    places: tuple[DownloadPlace, ...] = ()
    repo_bytes: int | None = None
    """Size of the repository."""
    done_bytes: int = 0
    total_bytes: int | None = None
    """Of all hosts together."""
    bytes_per_second: float | None = None
    fetch_bytes_per_second: float | None = None
    """Over the whole fetch, once it is done: what later downloads are likely to reach."""

    @property
    def folder(self) -> str:
        """Name of the repository's folder in the cache."""
        return folder_of(self.repo)

    def place(self, host: str) -> DownloadPlace | None:
        """Return what is known of one host."""
        return next((place for place in self.places if place.host == host), None)

    def placed(self, host: str, **changes: Any) -> tuple[DownloadPlace, ...]:
        """Return the places with other facts about one host."""
        return tuple(
            place.model_copy(update=changes) if place.host == host else place
            for place in self.places
        )

    def view(self) -> DownloadView:
        """Return the download as everybody sees it; when it is over, nothing runs any more."""
        return DownloadView(
            **self.shared(),
            repo=self.repo,
            places=[_left(place) if self.over else place for place in self.places],
            done_bytes=self.done_bytes,
            total_bytes=self.total_bytes,
            bytes_per_second=self.bytes_per_second,
        )


def _left(place: DownloadPlace) -> DownloadPlace:
    if place.state != "running":
        return place
    return place.model_copy(update={"state": "partial" if place.done_bytes else "absent"})


def folder_of(repo: str) -> str:
    """Return the name of a repository's folder in the cache."""
    return "models--" + repo.replace("/", "--", 1)


def _progress(record: DownloadJob) -> dict[str, Any]:
    return {
        "repo": record.repo,
        "done_bytes": record.done_bytes,
        "total_bytes": record.total_bytes,
        "bytes_per_second": record.bytes_per_second,
    }


def _end(record: DownloadJob) -> dict[str, Any]:
    return {
        "repo": record.repo,
        "hosts": list(record.hosts),
        "total_bytes": record.total_bytes,
    }


DOWNLOADS = JobKind(
    name="download",
    record=DownloadJob,
    progress=DownloadProgress,
    complete=DownloadComplete,
    failed=DownloadFailed,
    progress_facts=_progress,
    end_facts=_end,
)
