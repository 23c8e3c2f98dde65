"""The question to a Spark, and its answer as types."""

import base64
import binascii
import gzip
import json
import zlib
from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from spark_common.errors import RemoteCommandError
from spark_common.remote import RemoteCommand, RemoteResult
from spark_swapper.scan.remote_script import remote_script

_LAST_LINES = 3
_PACKED = "gzip "


class DiskCopy(BaseModel):
    """The files of one model on one Spark. Sizes in bytes."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    repo: str
    """``owner/name``; for a local model its directory."""
    size_bytes: int
    """Of the finished files; each counted once, wherever the cache keeps it."""
    incomplete_bytes: int = 0
    shared_bytes: int = 0
    """Of both, what something else uses too: deleting the model does not free it."""
    state: Literal["ready", "downloading", "incomplete", "broken", "no_snapshot"]
    missing: tuple[str, ...] = ()
    """What is not there or cannot be used, at most twenty names."""
    root_owned: bool = False
    """Some of it belongs to somebody else: the user of the Spark cannot delete it."""
    revisions: int = 0
    local: bool = False
    """Lies in a folder of its own, outside the cache."""
    context_length: int | None = None
    """Tokens, as the model's own configuration says."""


class Look(BaseModel):
    """What one Spark said about itself. Sizes in bytes; None where it could not tell."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    hostname: str
    hub: str
    copies: tuple[DiskCopy, ...]
    leftovers: tuple[str, ...] = ()
    """Folders that interrupted deletions left in the cache."""
    problem: str | None = None
    """Why the cache as a whole could not be read."""
    disk_total_bytes: int | None = None
    disk_free_bytes: int | None = None
    memory_total_bytes: int | None = None
    memory_available_bytes: int | None = None


def look_command(local_paths: Sequence[str] = ()) -> RemoteCommand:
    """Return the command whose answer ``read_look`` understands; needs python3 and no rights.

    ``local_paths``: absolute directories of local models, validated by whoever configured them.
    """
    script = remote_script("spark_swapper.scan.hf_scan")
    paths = (json.dumps(list(local_paths)),) if local_paths else ()
    return RemoteCommand(argv=("python3", "-", "list", *paths), stdin=script)


def read_look(result: RemoteResult) -> Look:
    """Return the typed answer; raises RemoteCommandError naming the last line of the Spark."""
    # A login banner or a profile script may have printed before; the answer is the last line.
    answer = result.stdout.strip().rpartition("\n")[2]
    if result.ok:
        try:
            return Look.model_validate_json(_unpacked(answer))
        except (ValidationError, ValueError, OSError, EOFError, zlib.error) as wrong:
            raise RemoteCommandError("the disk scan answered something unreadable") from wrong
    said = [line for line in result.stderr.splitlines() if line.strip()][-_LAST_LINES:]
    raise RemoteCommandError(
        "the disk scan failed" + (f": {said[-1].strip()}" if said else ""),
        exit_code=result.exit_code,
        evidence=list(said),
    )


def _unpacked(answer: str) -> bytes:
    if not answer.startswith(_PACKED):
        return answer.encode()
    try:
        return gzip.decompress(base64.b64decode(answer.removeprefix(_PACKED), validate=True))
    except binascii.Error as wrong:
        raise ValueError("not Base64") from wrong
