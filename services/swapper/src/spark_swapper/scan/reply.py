"""The question to a Spark, and its answer as types."""

from importlib import resources
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from spark_common.errors import RemoteCommandError
from spark_common.remote import RemoteCommand, RemoteResult

_LAST_LINES = 3


class DiskCopy(BaseModel):
    """The files of one repository on one Spark. Sizes in bytes."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    repo: str
    size_bytes: int
    """Of the finished files; each counted once, wherever the cache keeps it."""
    incomplete_bytes: int = 0
    state: Literal["ready", "downloading", "incomplete", "no_snapshot"]
    missing: tuple[str, ...] = ()
    """What is not there yet, at most twenty names."""
    context_length: int | None = None
    """Tokens, as the model's own configuration says."""


class Look(BaseModel):
    """What one Spark said about itself. Sizes in bytes; None where it could not tell."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    hostname: str
    hub: str
    copies: tuple[DiskCopy, ...]
    problem: str | None = None
    """Why the cache as a whole could not be read."""
    disk_total_bytes: int | None = None
    disk_free_bytes: int | None = None
    memory_total_bytes: int | None = None
    memory_available_bytes: int | None = None


def look_command() -> RemoteCommand:
    """Return the command whose answer ``read_look`` understands; needs python3 and no rights."""
    script = resources.files("spark_swapper.scan").joinpath("hf_scan.py").read_bytes()
    return RemoteCommand(argv=("python3", "-", "list"), stdin=script)


def read_look(result: RemoteResult) -> Look:
    """Return the typed answer; raises RemoteCommandError naming the last line of the Spark."""
    # A login banner or a profile script may have printed before; the answer is the last line.
    answer = result.stdout.strip().rpartition("\n")[2]
    if result.ok:
        try:
            return Look.model_validate_json(answer)
        except ValidationError as wrong:
            raise RemoteCommandError("the disk scan answered something unreadable") from wrong
    said = [line for line in result.stderr.splitlines() if line.strip()][-_LAST_LINES:]
    raise RemoteCommandError(
        "the disk scan failed" + (f": {said[-1].strip()}" if said else ""),
        exit_code=result.exit_code,
        evidence=list(said),
    )
