"""What a swap takes beyond stopping the old model and loading the new one.

The simulator writes down what really happened on the Spark, and when: the order to stop came, the
container had stopped; the new container ran, its model was ready. The first words of the new model
take what they take when they are asked for once more. What is left of the swap is ours, with all
other commands on the Spark.
"""

import asyncio
import itertools
import time
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

import httpx
from benchmarks.health.product import Product, until
from benchmarks.promptness.figures import Row

from spark_common.runtime_questions import first_token
from spark_swapper.adapters.vllm_http import answers
from spark_swapper.readiness.canary import QUESTIONS

_TIMES: Final = 5
_MODELS: Final = ("gemma-4-26b", "qwen3.6-35b-a3b")
"""Loads quickly, and is whole on the simulated disks."""
_BEFORE: Final = ("queued", "preflight")
"""Phases in which the old model serves on."""
_ORDER: Final = "# guard"
"""What every order that changes something on a Spark begins with."""


def measure(product: Product) -> list[Row]:
    """Swap back and forth; return the seconds that were ours, in all and by phase."""
    turns = itertools.cycle(_MODELS)
    _swap(product, next(turns))  # Nothing is stopped by the first one.
    parts = [_one(product, next(turns)) for _ in range(_TIMES)]
    away = [sum(value for name, value in one.items() if name not in _BEFORE) for one in parts]
    title = "swap, our own time while nothing serves"
    rows = [Row(title, "s", away, must=1, aim=0.3)]
    rows.append(Row("swap, our own time in all", "s", [sum(one.values()) for one in parts]))
    for phase in parts[0]:
        rows.append(Row(f"  of it {phase}", "s", [one[phase] for one in parts]))
    return rows


def _one(product: Product, model: str) -> dict[str, float]:
    """Return the seconds of each phase of one swap that were ours."""
    swap, journal = _swap(product, model)
    own = _own(swap, journal)
    own["warming"] -= asyncio.run(_words(product, journal))
    return own


async def _words(product: Product, journal: list[dict[str, Any]]) -> float:
    """Return the seconds that the model takes for a first token, and for the two questions."""
    ready = next(one for one in journal if one["kind"] == "runtime_ready")
    base, (name, *_) = product.runtime_url(ready["host"]), ready["details"]["served"]
    questions = [question.text for question in QUESTIONS]
    async with httpx.AsyncClient(trust_env=False) as client:
        began = time.monotonic()
        await first_token(client, base, name)
        await answers(client, base, name, questions)
        return time.monotonic() - began


def _swap(product: Product, model: str) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """Return the swap once it is over, and what happened on the Sparks meanwhile."""
    before = _journal(product, 0)[-1]["seq"]
    order = {"model": model, "requested_by": "benchmark"}
    told = product.http.post("/api/swap", json=order).raise_for_status().json()
    place = f"/api/swap/{told['id']}"
    until(f"{model} to serve", lambda: _over(product.http.get(place).json()))
    swap: dict[str, Any] = product.http.get(place).json()
    if swap["phase"] != "ready":
        raise SystemExit(f"the swap to {model} ended in {swap['phase']}: {swap['message']}")
    time.sleep(0.5)
    return swap, _journal(product, before)


def _over(swap: Mapping[str, Any]) -> bool:
    return swap["finished_at"] is not None


def _journal(product: Product, after: int) -> list[dict[str, Any]]:
    place = f"{product.control}/_sim/journal"
    answer = httpx.get(place, params={"after": after}, timeout=30, trust_env=False)
    entries: list[dict[str, Any]] = answer.raise_for_status().json()["entries"]
    return entries


def _own(swap: Mapping[str, Any], journal: list[dict[str, Any]]) -> dict[str, float]:
    """Return the seconds of each phase without the Spark's stop and load in it."""
    stopped = _at(next(one for one in journal if one["kind"] == "container_stopped"))
    orders = [_at(one) for one in journal if _ORDER in str(one["details"].get("command", ""))]
    stopping = next(
        datetime.fromisoformat(one["at"]) for one in swap["phases"] if one["phase"] == "stopping"
    )
    stop = (min(at for at in orders if stopping <= at < stopped), stopped)
    load = tuple(
        _at(next(one for one in journal if one["kind"] == kind))
        for kind in ("container_started", "runtime_ready")
    )
    times = [(one["phase"], datetime.fromisoformat(one["at"])) for one in swap["phases"]]
    own: dict[str, float] = {}
    for (phase, begin), (_, end) in itertools.pairwise(times):
        spark = sum(_shared((begin, end), (first, last)) for first, last in (stop, load))
        own[phase] = own.get(phase, 0.0) + (end - begin).total_seconds() - spark
    return own


def _at(entry: Mapping[str, Any]) -> datetime:
    return datetime.fromisoformat(entry["time"])


def _shared(one: tuple[datetime, datetime], other: tuple[datetime, datetime]) -> float:
    """Return how many seconds two spans have in common."""
    return max(0.0, (min(one[1], other[1]) - max(one[0], other[0])).total_seconds())
