"""Puts search together: where the servers are, from the settings as they are now."""

import re
from collections.abc import Callable
from dataclasses import dataclass

import httpx
from pydantic import SecretStr

from spark_common.clock import Clock
from spark_common.errors import UpstreamFailedError
from spark_common.settings.support import EmbedSettings, QdrantSettings
from spark_gateway.search.asking import JsonServer, Place
from spark_gateway.search.embedding import EmbeddingServer
from spark_gateway.search.qdrant import Qdrant
from spark_gateway.search.searching import Searching
from spark_gateway.search.snapshots import Snapshots


@dataclass(frozen=True)
class Search:
    """What the routes of ``/api/search`` need."""

    searching: Searching
    snapshots: Snapshots


def build_search(
    embed: Callable[[], EmbedSettings],
    qdrant: Callable[[], QdrantSettings],
    beside: str,
    client: httpx.AsyncClient,
    clock: Clock,
) -> Search:
    """Wire it; ``beside`` is the address of both servers unless the settings say another."""

    def embed_place() -> Place:
        now = embed()
        return Place(_url(now.embed_host or beside, now.embed_port), {})

    def qdrant_place() -> Place:
        now = qdrant()
        key = now.qdrant_api_key
        headers = {} if key is None else {"api-key": _sendable(key)}
        return Place(_url(now.qdrant_host or beside, now.qdrant_port), headers)

    vectors = Qdrant(JsonServer("Qdrant", "search", qdrant_place, client))
    embedding = EmbeddingServer(JsonServer("the embedding server", "embed", embed_place, client))
    return Search(Searching(embedding, vectors, clock), Snapshots(vectors))


def _sendable(key: SecretStr) -> bytes:
    """Return a key as a header carries it; one that none carries is named, and not shown."""
    value = key.get_secret_value().strip().encode()
    if re.search(rb"[\x00-\x1f\x7f]", value):
        raise UpstreamFailedError(
            "the key of Qdrant cannot be sent, it has a line break in it; set QDRANT_API_KEY anew",
            stage="search",
        )
    return value


def _url(host: str, port: int) -> str:
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
