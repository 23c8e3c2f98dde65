"""The question to a Spark about one repository's small files, and its answer as types."""

import re
from typing import Literal

from pydantic import BaseModel, ConfigDict, JsonValue, ValidationError

from spark_common.errors import InvalidRequestError, RemoteCommandError
from spark_common.remote import RemoteCommand, RemoteResult
from spark_swapper.recipes.local_path import check_local_path, is_path
from spark_swapper.scan.remote_script import remote_script
from spark_swapper.suggest.facts import ModelFiles

_DIRECTORY = re.compile(r"models--[A-Za-z0-9._-]+\Z")


class _Answer(BaseModel):
    """What the script says."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    found: bool
    config: dict[str, JsonValue] | None = None
    tokenizer: dict[str, JsonValue] | None = None
    hf_quant: dict[str, JsonValue] | None = None
    sentence_bert: dict[str, JsonValue] | None = None
    sentence_transformers: bool = False
    chat_template: Literal["tools", "plain", "none"] = "none"
    formats: frozenset[str] = frozenset()
    weight_bytes: int = 0


def files_command(repo: str) -> RemoteCommand:
    """Return the command whose answer ``read_files`` understands.

    ``repo`` may be the directory of a local model. Raises InvalidRequestError for a name that no
    folder of the cache has.
    """
    if is_path(repo):
        try:
            directory = check_local_path(repo)
        except ValueError as wrong:
            raise InvalidRequestError(f"the path of a local model {wrong}") from wrong
    else:
        directory = "models--" + repo.replace("/", "--")
        if not _DIRECTORY.match(directory):
            raise InvalidRequestError(f"{repo!r} is not the name of a repository")
    script = remote_script("spark_swapper.suggest.model_files")
    return RemoteCommand(argv=("python3", "-", directory), stdin=script)


def read_files(repo: str, result: RemoteResult) -> ModelFiles:
    """Return the typed answer; raises RemoteCommandError naming the last line of the Spark."""
    if not result.ok:
        said = [line for line in result.stderr.splitlines() if line.strip()][-3:]
        raise RemoteCommandError(
            f"the files of {repo} could not be read" + (f": {said[-1].strip()}" if said else ""),
            exit_code=result.exit_code,
            evidence=list(said),
        )
    # A login banner or a profile script may have printed before; the answer is the last line.
    line = result.stdout.strip().rpartition("\n")[2]
    try:
        answer = _Answer.model_validate_json(line)
    except ValidationError as wrong:
        raise RemoteCommandError(
            f"the files of {repo} were answered with something unreadable"
        ) from wrong
    if not answer.found:
        raise RemoteCommandError(f"{repo} has no snapshot to read there")
    return ModelFiles(
        repo=repo,
        config=answer.config,
        tokenizer=answer.tokenizer,
        hf_quant=answer.hf_quant,
        sentence_bert=answer.sentence_bert,
        sentence_transformers=answer.sentence_transformers,
        chat_template=answer.chat_template,
        formats=answer.formats,
        weight_bytes=max(answer.weight_bytes, 0),
    )
