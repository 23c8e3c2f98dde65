"""The order to a Spark to delete, and its answer as types."""

from collections.abc import Sequence
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from spark_common.errors import InvalidRequestError, RemoteCommandError
from spark_common.remote import RemoteCommand, RemoteResult
from spark_swapper.scan.hf_cache import repo_of
from spark_swapper.scan.remote_script import remote_script

DELETE_SECONDS = 120.0
"""Removing files is quick whatever their size; a container for root's files takes seconds."""
_PARTS = ("spark_swapper.disk.hf_root", "spark_swapper.disk.hf_store")


class Kept(BaseModel):
    """A folder that is still there, and why."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    folder: str
    code: Literal["downloading", "denied", "not_a_folder"]
    said: str = ""


class Cleared(BaseModel):
    """What a Spark removed. Sizes in bytes."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    freed_bytes: int
    swept_bytes: int = 0
    """Of what earlier, interrupted deletions had left."""
    kept: tuple[Kept, ...] = ()


def folder_of(repo: str) -> str:
    """Return the folder of a repository in the cache. Raises InvalidRequestError for no repo."""
    folder = "models--" + repo.replace("/", "--")
    if repo_of(folder) != repo:
        raise InvalidRequestError(f"{repo!r} is not the name of a repository")
    return folder


def delete_command(repos: Sequence[str], image: str, container: str) -> RemoteCommand:
    """Return the order to delete repositories; raises InvalidRequestError for a wrong name."""
    return _command("delete", image, container, *map(folder_of, repos))


def sweep_command(image: str, container: str) -> RemoteCommand:
    """Return the order to remove only what interrupted deletions left."""
    return _command("sweep", image, container)


def read_cleared(result: RemoteResult) -> Cleared:
    """Return the typed answer; raises RemoteCommandError with the last line of the Spark."""
    answer = result.stdout.strip().rpartition("\n")[2]
    if result.ok:
        try:
            return Cleared.model_validate_json(answer)
        except ValidationError as wrong:
            raise RemoteCommandError("the deletion answered something unreadable") from wrong
    said = [line.strip() for line in result.stderr.splitlines() if line.strip()]
    raise RemoteCommandError(
        "the deletion failed" + (f": {said[-1]}" if said else ""), exit_code=result.exit_code
    )


def _command(*words: str) -> RemoteCommand:
    script = remote_script("spark_swapper.disk.hf_delete", *_PARTS)
    return RemoteCommand(argv=("python3", "-", *words), stdin=script)
