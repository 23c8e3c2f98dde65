"""Qdrant: one search. In a collection that is there, with any vector of the right size."""

from typing import Any
from urllib.parse import quote

import httpx
from pydantic import SecretStr

from spark_common.clock import Clock
from spark_health.deep.answers import Answer
from spark_health.deep.job import HttpJob
from spark_health.deep.ports import Outcome, Place

_SECONDS = 15.0
_MOST_DIMENSIONS = 65_536


class Vectors(HttpJob):
    """Searches for the one nearest point; it writes nothing."""

    def __init__(
        self, place: Place, http: httpx.AsyncClient, clock: Clock, key: SecretStr | None = None
    ) -> None:
        super().__init__(place, http, clock)
        self._key = key

    async def _job(self) -> Outcome:
        answer = await self._asked("GET", "/collections")
        rows = _result(answer).get("collections")
        names = [
            row["name"]
            for row in (rows if isinstance(rows, list) else ())
            if isinstance(row, dict) and isinstance(row.get("name"), str)
        ]
        if not names:
            return Outcome("ok", "it answers; there is no collection to search in",
                           answer.latency_ms, facts={"collections": 0})  # fmt: skip
        for name in sorted(names):
            path = f"/collections/{quote(name, safe='')}"
            question = _question(_result(await self._asked("GET", path)))
            if question is None:
                continue
            found = await self._asked("POST", f"{path}/points/query", json=question)
            points = _result(found).get("points")
            if not isinstance(points, list):
                raise found.wrong("it answered a search without points")
            facts = {"collections": len(names), "points_found": len(points)}
            return Outcome("ok", "one search was answered", found.latency_ms, facts=facts)
        return Outcome("ok", "it answers; no collection has vectors to search with",
                       answer.latency_ms, facts={"collections": len(names)})  # fmt: skip

    async def _asked(self, method: str, path: str, **options: Any) -> Answer:
        headers = {} if self._key is None else {"api-key": self._key.get_secret_value()}
        return await self._ask(method, path, _SECONDS, headers=headers, **options)


def _result(answer: Answer) -> dict[str, Any]:
    found = answer.json().get("result")
    if not isinstance(found, dict):
        raise answer.wrong("it answered without a result")
    return found


def _question(info: dict[str, Any]) -> dict[str, Any] | None:
    """Return a search that fits the vectors of a collection; None when it has none that do."""
    config = info.get("config")
    params = config.get("params") if isinstance(config, dict) else None
    vectors = params.get("vectors") if isinstance(params, dict) else None
    if not isinstance(vectors, dict):
        return None
    named: list[tuple[str | None, Any]] = [(None, vectors), *vectors.items()]
    for using, form in named:
        if not isinstance(form, dict) or "multivector_config" in form:
            continue
        size = form.get("size")
        if not isinstance(size, int) or not 0 < size <= _MOST_DIMENSIONS:
            continue
        question: dict[str, Any] = {"query": [1.0 / size**0.5] * size, "limit": 1}
        return question if using is None else question | {"using": using}
    return None
