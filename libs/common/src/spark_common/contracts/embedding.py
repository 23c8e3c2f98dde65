"""The embedding server on a Spark: how it is, and building and starting it there."""

from typing import Literal

from spark_common.contracts.jobs import CancelJob, GetJob, JobId, JobLog, JobView
from spark_common.contracts.rpc import Reply, Request, Rpc
from spark_common.contracts.swaps import Text

EmbeddingState = Literal["ok", "loading", "failed", "away"]


class GetEmbedding(Request):
    """Ask how the embedding server is."""


class InstallEmbedding(Request):
    """Build the container on its Spark and start it in place of the one that runs."""

    requested_by: Text = "someone"
    id: JobId | None = None
    """Idempotency key: the same key never starts a second one."""


class InstallView(JobView):
    """One installation as everybody sees it."""

    what: str = "embeddings"
    host: str
    image: str


class EmbeddingView(Reply):
    """The embedding server."""

    address: str
    port: int
    container: str
    host: str | None = None
    """The Spark it runs on; None on a machine that is none, where nothing can be installed."""
    state: EmbeddingState
    problem: str | None = None
    """What it says of itself when it failed, or why it does not answer."""
    models: list[str] = []
    blockers: list[str] = []
    """Why it cannot be installed now, one plain sentence each."""
    job: InstallView | None = None
    """The installation that runs, or the latest."""


GET_EMBEDDING = Rpc("rpc.swapper.embedding.get", GetEmbedding, EmbeddingView)
INSTALL_EMBEDDING = Rpc("rpc.swapper.embedding.install", InstallEmbedding, InstallView)
GET_INSTALL = Rpc("rpc.swapper.install.get", GetJob, InstallView)
CANCEL_INSTALL = Rpc("rpc.swapper.install.cancel", CancelJob, InstallView)
READ_INSTALL_LOG = Rpc("rpc.swapper.install.log", GetJob, JobLog)
