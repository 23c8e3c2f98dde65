"""Questions to a runtime that show whether it answers: a first token, a short whole answer."""

import json
import re
from collections.abc import AsyncGenerator, Mapping
from contextlib import aclosing
from dataclasses import dataclass, replace
from typing import Any, Final

import httpx

FIRST_ANSWER_SECONDS: Final = 120.0
"""The first answer after a start compiles kernels; vLLM sends nothing until they are done."""
_CONNECT_SECONDS: Final = 5.0
_QUESTION: Final = "Say hello."
_THOUGHT: Final = ("reasoning", "reasoning_content")
# vLLM renamed reasoning_content to reasoning; old images still send the former.
_NO_SUCH_ROUTE: Final = frozenset({404, 405, 501})
_NOT_THIS_KIND = re.compile(r"does not support|chat template|not supported for", re.IGNORECASE)


@dataclass(frozen=True)
class Spoken:
    """What a model said to one question."""

    content: str = ""
    reasoning: str = ""
    whole: bool = False
    """It ended by itself or at the limit; else the rest was not waited for."""


@dataclass(frozen=True)
class _Way:
    """A route that can show a first token, and what is asked there."""

    path: str
    body: Mapping[str, Any]


_SHORT: Final = {"max_tokens": 16, "temperature": 0, "stream": True}
_CHAT = _Way(
    "/v1/chat/completions", {"messages": [{"role": "user", "content": _QUESTION}], **_SHORT}
)
_TEXT = _Way("/v1/completions", {"prompt": _QUESTION, **_SHORT})
_VECTOR = _Way("/v1/embeddings", {"input": _QUESTION})


class _NotOfferedError(Exception):
    """The model is of another kind: it has no such route."""


class NoAnswerError(Exception):
    """No answer came; the message says why, in words of the runtime or of the connection."""


async def first_token(
    client: httpx.AsyncClient,
    base_url: str,
    served_name: str,
    *,
    pooling: bool = False,
    headers: Mapping[str, str] | None = None,
) -> str | None:
    """Ask until the first piece of an answer; None when it came, else why it did not.

    A model without chat is asked for plain text, then for an embedding. One that refuses them
    all, as a ranking model does, has answered by that. Raises nothing.
    """
    for way in (_VECTOR,) if pooling else (_CHAT, _TEXT, _VECTOR):
        body = {"model": served_name, **way.body}
        try:
            async with aclosing(_pieces(client, f"{base_url}{way.path}", body, headers)) as pieces:
                async for _ in pieces:
                    return None
        except _NotOfferedError:
            continue
        except NoAnswerError as error:
            return str(error)
        return "the answer ended without a single token"
    return None


class Listening:
    """Reads one streamed answer; ``heard`` is what came so far, also after a cancellation."""

    def __init__(self) -> None:
        self.heard = Spoken()

    async def to(self, client: httpx.AsyncClient, base_url: str, body: Mapping[str, Any]) -> None:
        """Read to the end. Raises NoAnswerError, also when the model has no chat."""
        try:
            async for content, reasoning in _pieces(
                client, f"{base_url}{_CHAT.path}", {**body, "stream": True}, None
            ):
                heard = self.heard
                self.heard = Spoken(heard.content + content, heard.reasoning + reasoning)
        except _NotOfferedError as error:
            raise NoAnswerError("it has no chat") from error
        self.heard = replace(self.heard, whole=True)


async def _pieces(
    client: httpx.AsyncClient,
    url: str,
    body: Mapping[str, Any],
    headers: Mapping[str, str] | None,
) -> AsyncGenerator[tuple[str, str], None]:
    """Yield (content, reasoning) as it comes; raises _NotOfferedError, NoAnswerError."""
    timeout = httpx.Timeout(_CONNECT_SECONDS, read=FIRST_ANSWER_SECONDS)
    try:
        async with client.stream(
            "POST", url, json=body, timeout=timeout, headers=headers
        ) as answer:
            if not answer.is_success:
                raise _refusal(answer.status_code, await answer.aread())
            if not body.get("stream"):
                if _has_vector(await answer.aread()):
                    yield "", ""
                return
            async for line in answer.aiter_lines():
                piece = _piece(line)
                if piece is not None:
                    yield piece
    except httpx.HTTPError as error:
        raise NoAnswerError(f"the connection failed: {type(error).__name__}") from error


def _refusal(status: int, raw: bytes) -> Exception:
    text = raw[:500].decode(errors="replace")
    kind = status == httpx.codes.BAD_REQUEST and _NOT_THIS_KIND.search(text) is not None
    if kind or (status in _NO_SUCH_ROUTE and not _names_model(raw)):
        return _NotOfferedError()
    return NoAnswerError(f"HTTP {status}: {text}")


def _names_model(raw: bytes) -> bool:
    """Whether a 404 is about the name of the model and not about the route."""
    body = _json(raw)
    error = body.get("error") if isinstance(body, dict) else None
    return isinstance(error, dict) and error.get("param") == "model"


def _has_vector(raw: bytes) -> bool:
    body = _json(raw)
    rows = body.get("data") if isinstance(body, dict) else None
    row = rows[0] if isinstance(rows, list) and rows else None
    return isinstance(row, dict) and bool(row.get("embedding"))


def _json(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except ValueError:
        return None


def _piece(line: str) -> tuple[str, str] | None:
    """Return what one line of the stream says, or None; raises NoAnswerError for an error."""
    if not line.startswith("data:") or line[5:].strip() == "[DONE]":
        return None
    try:
        chunk = json.loads(line[5:])
    except ValueError as error:
        raise NoAnswerError("the runtime streamed something that is not JSON") from error
    if not isinstance(chunk, dict):
        return None
    if "error" in chunk:
        raise NoAnswerError(f"the runtime answered with an error: {str(chunk['error'])[:500]}")
    content = reasoning = ""
    said = False
    for choice in chunk.get("choices") or ():
        if not isinstance(choice, dict):
            continue
        delta = choice.get("delta")
        parts = delta if isinstance(delta, dict) else {"content": choice.get("text")}
        content += _text(parts.get("content"))
        reasoning += next((text for key in _THOUGHT if (text := _text(parts.get(key)))), "")
        said = said or bool(parts.get("tool_calls"))
    return (content, reasoning) if content or reasoning or said else None


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
