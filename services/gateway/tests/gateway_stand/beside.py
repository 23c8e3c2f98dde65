"""What runs beside the model: an embedding server and a Qdrant, asked without a socket."""

from typing import Any

import httpx

from spark_common.clock import Clock
from spark_common.plain_http import plain_client
from spark_common.settings.support import EmbedSettings, QdrantSettings
from spark_gateway.search.wiring import Search, build_search
from spark_sim.embed_http import small_model
from spark_sim.embed_http.app import EmbedServer
from spark_sim.qdrant.app import QdrantServer
from spark_sim.qdrant.collection import Collection


def search_over(
    embed: EmbedServer,
    qdrant: QdrantServer,
    clock: Clock,
    settings: QdrantSettings | None = None,
) -> tuple[httpx.AsyncClient, Search]:
    """Return a search over two simulated servers, and the client to close afterwards."""
    client = plain_client(
        mounts={
            "all://127.0.0.12:8081": httpx.ASGITransport(embed),
            "all://127.0.0.12:6333": httpx.ASGITransport(qdrant),
        }
    )
    return client, build_search(
        EmbedSettings, lambda: settings or QdrantSettings(), "127.0.0.12", client, clock
    )


TEXTS = {
    1: "Paris is the capital of France.",
    2: "Berlin is the capital of Germany.",
    3: "Cats purr when they are content.",
    4: "The capital letter begins a sentence.",
}
BOTH = {
    "vectors": {"dense": {"size": 1024, "distance": "Cosine"}},
    "sparse_vectors": {"sparse": {"modifier": "none"}},
}


def weights(text: str) -> dict[str, list[Any]]:
    found = small_model.sparse(text)
    return {"indices": list(found), "values": list(found.values())}


def fill(qdrant: QdrantServer, name: str = "docs", layout: dict[str, Any] = BOTH) -> None:
    """Store the texts under every vector that the collection has."""
    made = Collection.made_of(name, layout)
    for number, text in TEXTS.items():
        vectors: dict[str, Any] = {key: small_model.dense(text) for key in made.dense()}
        vectors |= {key: weights(text) for key in made.sparse_vectors}
        payload = {"text": text, "year": 2020 + number, "secret": "no"}
        made.put({"id": number, "vector": vectors, "payload": payload})
    qdrant.collections[name] = made
