"""``sparkctl search``, ``collections`` and ``snapshot``: what Qdrant has, and finding in it."""

from typing import Any

import click

from spark_cli.asking import address, who_asks
from spark_cli.gateway_client import GatewayClient, gateway_url
from spark_cli.output import AS_JSON, tell
from spark_cli.words import table

PATH = "/api/search"
_COLLECTIONS = f"{PATH}/collections"
_TEXTS = ("text", "content", "document", "page_content", "chunk", "body", "passage")
_SHOWN_CHARACTERS = 100


@click.command()
@click.argument("collection")
@click.argument("query")
@click.option("--limit", type=click.IntRange(1, 100), default=5, show_default=True)
@click.option(
    "--mode", type=click.Choice(("hybrid", "dense", "sparse")), default="hybrid", show_default=True
)
@click.option("--no-rerank", is_flag=True, help="Keep Qdrant's order.")
@AS_JSON
def search(
    collection: str, query: str, limit: int, mode: str, no_rerank: bool, as_json: bool
) -> None:
    """Find in COLLECTION what is nearest to QUERY."""
    body = {
        "collection": collection,
        "query": query,
        "limit": limit,
        "mode": mode,
        "rerank": not no_rerank,
    }
    tell(GatewayClient(gateway_url()).post(PATH, body), as_json, _found)


@click.command()
@AS_JSON
def collections(as_json: bool) -> None:
    """The collections of Qdrant and their vectors."""
    tell(GatewayClient(gateway_url()).get(_COLLECTIONS), as_json, _listed)


@click.group()
def snapshot() -> None:
    """Snapshots of collections: files beside Qdrant."""


@snapshot.command()
@click.argument("collection")
@click.option("--keep", type=click.IntRange(1, 1000), help="So many stay, the newest.")
@AS_JSON
def take(collection: str, keep: int | None, as_json: bool) -> None:
    """Write COLLECTION to a file; comes back when it is whole."""
    body: dict[str, Any] = {"requested_by": who_asks()}
    if keep is not None:
        body["keep"] = keep
    taken = GatewayClient(gateway_url()).post(_place(collection), body)
    tell(taken, as_json, _taken)


@snapshot.command("list")
@click.argument("collection")
@AS_JSON
def list_command(collection: str, as_json: bool) -> None:
    """The snapshots of COLLECTION, the newest first."""
    tell(GatewayClient(gateway_url()).get(_place(collection)), as_json, _snapshots)


@snapshot.command("rm")
@click.argument("collection")
@click.argument("name")
def remove(collection: str, name: str) -> None:
    """Delete the snapshot NAME of COLLECTION."""
    GatewayClient(gateway_url()).delete(address(_place(collection), name), {})
    click.echo(f"{name} is deleted")


def _place(collection: str) -> str:
    return f"{address(_COLLECTIONS, collection)}/snapshots"


def _found(answer: dict[str, Any]) -> str:
    lines = [one["sentence"] for one in answer["degraded"]]
    rows = [("SCORE", "ID", "TEXT")]
    for hit in answer["hits"]:
        score = hit["score"] if hit["rerank_score"] is None else hit["rerank_score"]
        rows.append((f"{score:.3f}", str(hit["id"]), _text(hit["payload"] or {})))
    return "\n".join([*lines, table(rows) if len(rows) > 1 else "nothing is near that"])


def _text(payload: dict[str, Any]) -> str:
    found = next((payload[name] for name in _TEXTS if isinstance(payload.get(name), str)), "")
    words = " ".join(found.split())
    return words if len(words) <= _SHOWN_CHARACTERS else words[: _SHOWN_CHARACTERS - 1] + "…"


def _listed(answer: dict[str, Any]) -> str:
    rows = [("COLLECTION", "POINTS", "DENSE", "SPARSE")]
    for one in answer["collections"]:
        dense = ", ".join(f"{name or '-'} {size}" for name, size in one["dense_vectors"].items())
        points = "-" if one["points"] is None else str(one["points"])
        rows.append((one["name"], points, dense or "-", ", ".join(one["sparse_vectors"]) or "-"))
    return table(rows) if len(rows) > 1 else "Qdrant has no collection"


def _taken(answer: dict[str, Any]) -> str:
    gone = [f"deleted {name}" for name in answer["removed"]]
    if answer.get("problem"):
        gone.append(f"older ones could not be deleted: {answer['problem']}")
    return "\n".join([f"{answer['collection']} is in {answer['snapshot']['name']}", *gone])


def _snapshots(answer: dict[str, Any]) -> str:
    rows = [("SNAPSHOT", "MADE", "BYTES")]
    rows += [
        (one["name"], one["created_at"] or "-", str(one["size_bytes"] or "-"))
        for one in answer["snapshots"]
    ]
    return table(rows) if len(rows) > 1 else f"{answer['collection']} has no snapshot"
