"""What runs beside the model: an embedding server and a Qdrant, asked without a socket."""

import httpx

from spark_common.clock import Clock
from spark_common.settings.support import EmbedSettings, QdrantSettings
from spark_gateway.search.wiring import Search, build_search
from spark_sim.embed_http.app import EmbedServer
from spark_sim.qdrant.app import QdrantServer


def search_over(
    embed: EmbedServer,
    qdrant: QdrantServer,
    clock: Clock,
    settings: QdrantSettings | None = None,
) -> tuple[httpx.AsyncClient, Search]:
    """Return a search over two simulated servers, and the client to close afterwards."""
    client = httpx.AsyncClient(
        mounts={
            "all://127.0.0.12:8081": httpx.ASGITransport(embed),
            "all://127.0.0.12:6333": httpx.ASGITransport(qdrant),
        }
    )
    return client, build_search(
        EmbedSettings, lambda: settings or QdrantSettings(), "127.0.0.12", client, clock
    )
