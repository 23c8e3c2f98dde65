"""What one Spark says about its checkout and images, as types."""

from datetime import UTC, datetime
from importlib import resources
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from spark_common.errors import RemoteCommandError
from spark_common.remote import RemoteCommand, RemoteResult


class Commit(BaseModel):
    """A commit that is not on the Spark yet; ``at`` in epoch seconds as git prints them."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    sha: str
    at: str = ""
    subject: str = ""
    body: str = ""
    files: int | None = None


class CheckoutFound(BaseModel):
    """The checkout as git knows it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    commit: str
    commit_at: str | None = None
    branch: str | None = None
    """None while no branch is checked out."""
    upstream: str | None = None
    dirty: tuple[str, ...] = ()
    dirty_more: int = 0
    """Files with local changes beyond those named."""
    ahead: int | None = None
    behind: int | None = None
    commits: tuple[Commit, ...] = ()
    fetched: bool | None = None
    """Whether the fetch that was asked for worked; None when none was."""
    fetch_said: str = ""
    fetched_at: str | None = None
    """When the remote last answered a fetch, in epoch seconds; None when nothing tells."""


class ImageFound(BaseModel):
    """One tag; without an id when it is not there, with a problem when docker did not say."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    tag: str
    id: str | None = None
    created: datetime | None = None
    size: int | None = None
    version: str | None = None
    problem: str | None = None


class Programs(BaseModel):
    """What the scripts of the checkout can do."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    launcher: Literal["no_ray", "ray", "unknown"] = "unknown"
    builder: bool = False
    pulls: bool = False
    """Whether the build is a download of ready images."""
    flags: tuple[str, ...] = ()


class Found(BaseModel):
    """The whole answer of one Spark. Sizes in bytes."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    checkout: CheckoutFound | None = None
    unseen: Literal["missing", "no_git", "no_repository", "unsafe", "broken", "empty"] | None = None
    """Why there is no checkout to speak of."""
    said: str = ""
    programs: Programs = Programs()
    built_version: str | None = None
    images: tuple[ImageFound, ...] = ()
    kept: tuple[ImageFound, ...] = ()
    tmp_free_bytes: int | None = None
    docker_free_bytes: int | None = None

    def image(self, tag: str) -> ImageFound | None:
        """Return one of the images that were asked for, if it is there."""
        return next((one for one in self.images if one.tag == tag and one.id), None)


def look_command(directory: str, images: tuple[str, ...], *, refresh: bool) -> RemoteCommand:
    """Return the command whose answer ``read_found`` understands."""
    script = resources.files("spark_swapper.updates").joinpath("checkout_look.py").read_bytes()
    words = (directory, "1" if refresh else "0", *images)
    return RemoteCommand(argv=("python3", "-", *words), stdin=script)


def read_found(result: RemoteResult) -> Found:
    """Return the typed answer; raises RemoteCommandError."""
    if result.ok:
        # A login banner may have printed before; the answer is the last line.
        answer = result.stdout.rstrip("\n").rpartition("\n")[2]
        try:
            return Found.model_validate_json(answer)
        except ValidationError as wrong:
            raise RemoteCommandError("the look at its software was unreadable") from wrong
    last = result.stderr.strip().rpartition("\n")[2]
    raise RemoteCommandError(f"the look at its software failed: {last or 'without a word'}")


def moment(seconds: str | None) -> datetime | None:
    """Return a time from git's epoch seconds; None for a date that no calendar has."""
    try:
        return datetime.fromtimestamp(int(seconds or ""), UTC)
    except (ValueError, OverflowError, OSError):
        return None
