"""Embeddings: one text goes in, and a vector of finite numbers, not all zero, has to come out."""

import math
from typing import Any

from spark_health.deep.answers import Answer, JobFailedError
from spark_health.deep.job import HttpJob
from spark_health.deep.ports import Outcome

_SECONDS = 20.0
_LOOK_SECONDS = 5.0


class Embeddings(HttpJob):
    """Embeds two words."""

    async def _job(self) -> Outcome:
        body: dict[str, Any] = {"input": "deep check", "encoding_format": "float"}
        name = await self._name()
        answer = await self._ask(
            "POST", "/v1/embeddings", _SECONDS, json=body | ({"model": name} if name else {})
        )
        return _measured(answer)

    async def _name(self) -> str | None:
        """Return a model to name; a server that lists none answers with its only one."""
        try:
            rows = (await self._ask("GET", "/v1/models", _LOOK_SECONDS)).json().get("data")
        except JobFailedError as failed:
            if failed.outcome.state == "down":
                raise
            return None
        names = [row.get("id") for row in rows or () if isinstance(row, dict)]
        fit = [name for name in names if isinstance(name, str) and "rerank" not in name.lower()]
        return fit[0] if fit else None


def _measured(answer: Answer) -> Outcome:
    rows = answer.json().get("data")
    row = rows[0] if isinstance(rows, list) and rows else None
    vector = row.get("embedding") if isinstance(row, dict) else None
    if not isinstance(vector, list) or not vector:
        raise answer.wrong("it answered without an embedding")
    numbers = [value for value in vector if isinstance(value, int | float)]
    if len(numbers) != len(vector) or not all(math.isfinite(value) for value in numbers):
        raise answer.wrong("its embedding has entries that are no numbers", dimension=len(vector))
    if not any(numbers):
        raise answer.wrong("its embedding is all zero", dimension=len(vector))
    facts = {"dimension": len(vector)}
    return Outcome("ok", f"{len(vector)} finite numbers", answer.latency_ms, facts=facts)
