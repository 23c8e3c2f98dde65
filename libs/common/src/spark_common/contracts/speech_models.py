"""The speech container and the two files of ours in it: how they are, and what is done about it."""

from datetime import datetime
from typing import Literal, TypeAlias

from pydantic import SecretStr

from spark_common.contracts.jobs import CancelJob, GetJob, JobId, JobLog, JobView
from spark_common.contracts.rpc import Reply, Request, Rpc
from spark_common.contracts.swaps import Text

FileState: TypeAlias = Literal["in_sync", "drift", "missing", "unknown"]
"""``unknown``: the file could not be read, or there is nothing to compare it with."""
SpeechAction: TypeAlias = Literal["reapply", "undo", "restart"]


class GetSpeechModels(Request):
    """Ask how the speech container and its files are."""


class ChangeSpeechModels(Request):
    """Put our files in place, bring back what they replaced, or restart the container."""

    requested_by: Text = "someone"
    lock_token: SecretStr | None = None
    """Token of the lease, if the caller holds it. Compared, never stored or repeated."""
    id: JobId | None = None
    """Idempotency key: the same key never starts a second one."""


class SpeechJobView(JobView):
    """One reapply, undo or restart as everybody sees it."""

    action: SpeechAction
    host: str
    container: str


class OverlayFile(Reply):
    """One of the two files. Hashes are SHA-256 in hexadecimal digits."""

    name: str
    state: FileState
    shipped_sha256: str | None = None
    """Of the file that came with spark-control."""
    container_sha256: str | None = None
    """Of the file in the container."""
    running_sha256: str | None = None
    """Of the file that the running server was started with; only ours tells that."""


class KeptFiles(Reply):
    """What the latest reapply replaced, kept on the Spark."""

    kept_at: datetime
    files: list[str] = []
    """Names of the files that were there; what was not there is removed again by an undo."""


class SpeechHealth(Reply):
    """What the speech server says of itself."""

    state: Literal["ready", "loading", "failed", "busy", "away"]
    """``busy``: the port is open and nobody answers, as the image's own server does at work."""
    problem: str | None = None
    model: str | None = None
    device: str | None = None
    diarizer: str | None = None
    """``ready``, ``loading``, ``failed`` or ``off``; None where the server has none."""
    diarizer_problem: str | None = None


class SpeechModels(Reply):
    """The speech container and the two files of ours in it."""

    address: str
    port: int
    container: str
    host: str | None = None
    """The Spark it runs on; None on a machine that is none, where nothing can be done."""
    state: FileState
    """The worst of both files."""
    files: list[OverlayFile] = []
    container_state: str | None = None
    """As docker says it: running, exited, restarting ...; None when there is no such container."""
    restart_count: int | None = None
    image: str | None = None
    health: SpeechHealth
    restart_needed: bool = False
    """Our files are in place, and the server was started with other ones."""
    undo: KeptFiles | None = None
    """What an undo would bring back; None when there is nothing."""
    blockers: list[str] = []
    """Why nothing can be changed now, one plain sentence each."""
    job: SpeechJobView | None = None
    """The job that runs, or the latest."""


GET_SPEECH_MODELS = Rpc("rpc.health.speech.get", GetSpeechModels, SpeechModels)
REAPPLY_SPEECH = Rpc("rpc.health.speech.reapply", ChangeSpeechModels, SpeechJobView)
UNDO_SPEECH = Rpc("rpc.health.speech.undo", ChangeSpeechModels, SpeechJobView)
RESTART_SPEECH = Rpc("rpc.health.speech.restart", ChangeSpeechModels, SpeechJobView)
GET_SPEECH_JOB = Rpc("rpc.health.overlay.get", GetJob, SpeechJobView)
CANCEL_SPEECH_JOB = Rpc("rpc.health.overlay.cancel", CancelJob, SpeechJobView)
READ_SPEECH_LOG = Rpc("rpc.health.overlay.log", GetJob, JobLog)
