"""Asks the embedding server itself how it is."""

from dataclasses import dataclass

import httpx

from spark_common.contracts.embedding import EmbeddingState

_SECONDS = 4.0


@dataclass(frozen=True)
class Health:
    """What it said; ``away`` when nothing answered."""

    state: EmbeddingState
    problem: str | None = None
    models: tuple[str, ...] = ()


async def look(http: httpx.AsyncClient, address: str, port: int) -> Health:
    """Look once; never raises for what a server does."""
    url = f"http://[{address}]:{port}" if ":" in address else f"http://{address}:{port}"
    try:
        answer = await http.get(f"{url}/health", timeout=_SECONDS)
        said = _object(answer)
        if answer.status_code != 200:
            failed = said.get("status") == "failed"
            problem = said.get("problem")
            return Health("failed" if failed else "loading", str(problem) if problem else None)
        listed = _object(await http.get(f"{url}/v1/models", timeout=_SECONDS)).get("data")
    except httpx.HTTPError as error:
        return Health("away", f"Nothing answers on port {port} ({type(error).__name__}).")
    rows = listed if isinstance(listed, list) else []
    names = [str(row["id"]) for row in rows if isinstance(row, dict) and "id" in row]
    return Health("ok", None, tuple(names[:20]))


def _object(answer: httpx.Response) -> dict[str, object]:
    try:
        said = answer.json()
    except ValueError:
        return {}
    return said if isinstance(said, dict) else {}
