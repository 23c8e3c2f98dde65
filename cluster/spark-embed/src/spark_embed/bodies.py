"""Reads and checks what clients send: texts in every form, query and documents."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from spark_embed.refusals import RefusalError, bad
from spark_embed.token_ids import Decode


@dataclass(frozen=True)
class EmbedRequest:
    """``POST /v1/embeddings``."""

    texts: Sequence[str]
    base64: bool
    sparse: bool
    cut_at: int | None
    """Longer texts are cut at so many tokens; None refuses them."""


@dataclass(frozen=True)
class RankRequest:
    """``POST /rerank``."""

    query: str
    documents: Sequence[str]
    top_n: int
    with_documents: bool


def read_json(raw: bytes) -> Mapping[str, Any]:
    """Return the object in a body. Raises RefusalError."""
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError):
        raise bad("The body is not valid JSON.") from None
    if not isinstance(value, dict):
        raise bad("The body must be a JSON object.")
    return value


def read_embed(
    body: Mapping[str, Any], *, dimensions: int, max_tokens: int, most: int, decode: Decode
) -> EmbedRequest:
    """Return what shall be embedded. Raises RefusalError."""
    coding = body.get("encoding_format") or "float"
    if coding not in ("float", "base64"):
        raise bad("encoding_format must be 'float' or 'base64'.", "encoding_format")
    wanted = body.get("dimensions")
    if wanted not in (None, dimensions):
        raise bad(
            "This model does not support Matryoshka embeddings; dimensions must be unset "
            f"(received dimensions={wanted}).",
            "dimensions",
        )
    if body.get("input") is None:
        raise bad("input is required.", "input")
    return EmbedRequest(
        texts=texts_of(body["input"], "input", most, decode),
        base64=coding == "base64",
        sparse=body.get("return_sparse") is True,
        cut_at=_cut_at(body.get("truncate_prompt_tokens"), max_tokens),
    )


def read_sparse(
    body: Mapping[str, Any], *, max_tokens: int, most: int, decode: Decode
) -> EmbedRequest:
    """Return what shall be weighed, as text-embeddings-inference has it. Raises RefusalError."""
    if body.get("inputs") is None:
        raise bad("inputs is required.", "inputs")
    return EmbedRequest(
        texts=texts_of(body["inputs"], "inputs", most, decode),
        base64=False,
        sparse=True,
        cut_at=max_tokens if body.get("truncate") is True else None,
    )


def read_rank(body: Mapping[str, Any], *, most: int) -> RankRequest:
    """Return what shall be ranked. Raises RefusalError."""
    query = body.get("query")
    if not isinstance(query, str):
        raise bad("query must be a text.", "query")
    given = body.get("documents")
    if not isinstance(given, list):
        raise bad("documents must be a list of texts.", "documents")
    if not given:
        raise bad("At least one text_pair element must be given", "documents")
    if len(given) > most:
        raise RefusalError(413, f"At most {most} documents may be given.", "documents")
    texts = [one.get("text") if isinstance(one, dict) else one for one in given]
    documents = [_clean(one) for one in texts if isinstance(one, str)]
    if len(documents) < len(given):
        raise bad("documents must be a list of texts.", "documents")
    top_n = body.get("top_n") or len(documents)
    if isinstance(top_n, bool) or not isinstance(top_n, int) or top_n < 0:
        raise bad("top_n must be a number.", "top_n")
    return RankRequest(_clean(query), documents, top_n, body.get("return_documents") is not False)


def texts_of(given: Any, field: str, most: int, decode: Decode) -> list[str]:
    """Return one or several texts, token ids read back. Raises RefusalError."""
    match given:
        case str():
            return [_clean(given)]
        case []:
            raise bad("You must pass at least one prompt", field)
        case [*items] if len(items) > most and not _are_ids(items):
            raise RefusalError(413, f"At most {most} inputs may be given.", field)
        case [*items] if all(isinstance(one, str) for one in items):
            return [_clean(one) for one in items]
        case [*items] if _are_ids(items):
            return [decode(items)]
        case [*items] if all(isinstance(one, list) and _are_ids(one) for one in items):
            return [decode(one) for one in items]
        case _:
            raise bad(f"{field} must be a text, a list of texts, or token ids.", field)


def _are_ids(items: Sequence[Any]) -> bool:
    return bool(items) and all(type(one) is int and one >= 0 for one in items)


def _cut_at(given: Any, max_tokens: int) -> int | None:
    if given is None:
        return None
    if type(given) is not int or given < -1 or given == 0:
        raise bad(
            "truncate_prompt_tokens must be a number of tokens, or -1.", "truncate_prompt_tokens"
        )
    return max_tokens if given == -1 else min(given, max_tokens)


def _clean(text: str) -> str:
    """Return a text without halves of characters, which no tokenizer reads."""
    return text.encode("utf-8", "replace").decode()
