"""What the runtime says about itself over HTTP."""

import asyncio
import re
from collections.abc import Sequence
from contextlib import suppress

import httpx

from spark_common.runtime_questions import Listening, NoAnswerError, Spoken
from spark_swapper.runtime import Served

_LISTEN_SECONDS = 30.0
_MOST_TOKENS = 256
"""Enough for a thought and an answer; what is cut off is judged by what came."""

_IN_HAND = re.compile(r"^vllm:num_requests_(?:running|waiting)(?:\{[^}]*\})?\s+(\S+)", re.MULTILINE)


async def in_flight(client: httpx.AsyncClient, base_url: str) -> int | None:
    """Return how many requests the runtime works on or has waiting; None when it does not say."""
    try:
        answer = await client.get(f"{base_url}/metrics", timeout=5.0)
    except httpx.HTTPError:
        return None
    found = _IN_HAND.findall(answer.text) if answer.is_success else []
    try:
        return round(sum(float(value) for value in found)) if found else None
    except ValueError:
        return None


async def served(client: httpx.AsyncClient, base_url: str) -> Served | None:
    """Return the first model of a healthy runtime; None while there is none."""
    try:
        if not (await client.get(f"{base_url}/health", timeout=5.0)).is_success:
            return None
        answer = await client.get(f"{base_url}/v1/models", timeout=5.0)
        card = answer.json()["data"][0] if answer.is_success else None
    except (httpx.HTTPError, ValueError, LookupError, TypeError):
        return None
    if not isinstance(card, dict) or not isinstance(card.get("id"), str):
        return None
    length = card.get("max_model_len")
    return Served(
        repo=str(card.get("root") or card["id"]),
        served_name=card["id"],
        context_length=length if isinstance(length, int) else None,
    )


async def answers(
    client: httpx.AsyncClient, base_url: str, served_name: str, questions: Sequence[str]
) -> list[Spoken]:
    """Ask all questions at once and listen for half a minute; empty when no answer began."""
    heard = await asyncio.gather(
        *(_listen(client, base_url, served_name, question) for question in questions)
    )
    told = [spoken for spoken in heard if spoken is not None]
    return [spoken or Spoken() for spoken in heard] if told else []


async def _listen(
    client: httpx.AsyncClient, base_url: str, served_name: str, question: str
) -> Spoken | None:
    listening = Listening()
    body = {
        "model": served_name,
        "messages": [{"role": "user", "content": question}],
        "max_tokens": _MOST_TOKENS,
        "temperature": 0,
    }
    with suppress(TimeoutError, NoAnswerError):
        async with asyncio.timeout(_LISTEN_SECONDS):
            await listening.to(client, base_url, body)
    heard = listening.heard
    return heard if heard.whole or heard.content or heard.reasoning else None
