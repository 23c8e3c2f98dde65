"""What the server says, in the shapes of OpenAI, text-embeddings-inference and vLLM."""

import base64
import secrets
import struct
import time
from collections.abc import Sequence
from typing import Any

from spark_embed.bodies import EmbedRequest, RankRequest
from spark_embed.ports import Encoded, Models

OWNER = "spark-embed"


def embeddings(
    asked: EmbedRequest, found: Sequence[Encoded], model: str, tokens: int
) -> dict[str, Any]:
    """Return the list of embeddings; weights stand beside the vector when they were wanted."""
    rows = []
    for index, one in enumerate(found):
        vector: Any = list(one.dense)
        if asked.base64:
            vector = base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
        row = {"index": index, "object": "embedding", "embedding": vector}
        if asked.sparse:
            row["sparse_embedding"] = {
                "indices": list(one.sparse),
                "values": list(one.sparse.values()),
            }
        rows.append(row)
    return {
        "id": f"embd-{secrets.token_hex(8)}",
        "object": "list",
        "created": int(time.time()),
        "model": model,
        "data": rows,
        "usage": _usage(tokens),
    }


def weights(found: Sequence[Encoded]) -> list[list[dict[str, Any]]]:
    """Return the weights alone."""
    return [[{"index": key, "value": value} for key, value in one.sparse.items()] for one in found]


def ranking(asked: RankRequest, scores: Sequence[float], model: str, tokens: int) -> dict[str, Any]:
    """Return the documents by relevance."""
    order = sorted(range(len(scores)), key=lambda place: -scores[place])[: asked.top_n]
    results = []
    for place in order:
        row: dict[str, Any] = {"index": place}
        if asked.with_documents:
            row["document"] = {"text": asked.documents[place], "multi_modal": None}
        row["relevance_score"] = scores[place]
        results.append(row)
    return {
        "id": f"score-{secrets.token_hex(8)}",
        "model": model,
        "usage": _usage(tokens),
        "results": results,
    }


def model_list(models: Models, created: int) -> dict[str, Any]:
    """Return what is loaded, as ``GET /v1/models`` has it, and what each is for."""
    loaded = [(models.encoder.name, models.encoder.max_tokens, "embedding")]
    if models.ranker is not None:
        loaded.append((models.ranker.name, models.ranker.max_tokens, "rerank"))
    return {
        "object": "list",
        "data": [
            {
                "id": name,
                "object": "model",
                "created": created,
                "owned_by": OWNER,
                "max_model_len": most,
                "kind": kind,
            }
            for name, most, kind in loaded
        ],
    }


def _usage(tokens: int) -> dict[str, int]:
    return {"prompt_tokens": tokens, "total_tokens": tokens}
