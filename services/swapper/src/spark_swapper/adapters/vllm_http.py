"""What the runtime says about itself over HTTP."""

import json
import re

import httpx

from spark_swapper.runtime import Served

_RUNNING = re.compile(r"^vllm:num_requests_running(?:\{[^}]*\})?\s+(\S+)", re.MULTILINE)
_TEXT = ("content", "reasoning", "reasoning_content", "tool_calls")
_QUESTION = "Say hello."


async def in_flight(client: httpx.AsyncClient, base_url: str) -> int | None:
    """Return how many answers the runtime is generating; None when it does not say."""
    try:
        answer = await client.get(f"{base_url}/metrics", timeout=5.0)
    except httpx.HTTPError:
        return None
    found = _RUNNING.findall(answer.text) if answer.is_success else []
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


async def first_token(client: httpx.AsyncClient, base_url: str, served_name: str) -> str | None:
    """Stream until the first piece of text; None when it came, else why it did not."""
    question = {
        "model": served_name,
        "messages": [{"role": "user", "content": _QUESTION}],
        "max_tokens": 16,
        "temperature": 0,
        "stream": True,
    }
    # The first answer after a start compiles kernels; vLLM sends nothing until they are done.
    timeout = httpx.Timeout(5.0, read=120.0)
    url = f"{base_url}/v1/chat/completions"
    try:
        async with client.stream("POST", url, json=question, timeout=timeout) as answer:
            if not answer.is_success:
                body = (await answer.aread())[:500].decode(errors="replace")
                return f"HTTP {answer.status_code}: {body}"
            async for line in answer.aiter_lines():
                said = _said(line)
                if said is None:
                    continue
                return said or None
    except httpx.HTTPError as error:
        return f"the connection failed: {type(error).__name__}"
    return "the answer ended without a single token"


def _said(line: str) -> str | None:
    """Return "" for a chunk with text, an error's text for one with an error, else None."""
    if not line.startswith("data:") or line[5:].strip() == "[DONE]":
        return None
    try:
        chunk = json.loads(line[5:])
    except ValueError:
        return "the runtime streamed something that is not JSON"
    if not isinstance(chunk, dict):
        return None
    if "error" in chunk:
        return f"the runtime answered with an error: {str(chunk['error'])[:500]}"
    for choice in chunk.get("choices") or ():
        delta = choice.get("delta") if isinstance(choice, dict) else None
        if not isinstance(delta, dict):
            continue
        # vLLM renamed reasoning_content to reasoning; old images still send the former.
        if any(delta.get(key) for key in _TEXT):
            return ""
    return None
