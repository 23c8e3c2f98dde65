"""What the embedding server accepts, and the words in which it refuses."""

import json
from typing import Any

from spark_sim.embed_http.small_model import MAX_TOKENS, count_tokens
from spark_sim.vllm_http.errors import RequestError

Body = dict[str, Any]
MOST_INPUTS = 2048
NO_IDS = (
    "Token ids are numbers of another model's vocabulary; send text. With LangChain set "
    "check_embedding_ctx_length=False."
)


def read_body(raw: bytes) -> Body:
    """Return the JSON object of a body. Raises RequestError."""
    try:
        value = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise refused("The body is not valid JSON.", None) from error
    if not isinstance(value, dict):
        raise refused("The body must be a JSON object.", None)
    return value


def model_of(body: Body, names: tuple[str, ...]) -> str:
    """Return the model that shall answer. Raises RequestError."""
    name = body.get("model")
    if name is None:
        return names[0]
    if name not in names:
        raise RequestError(f"The model `{name}` does not exist.", "NotFoundError", None, 404)
    return str(name)


def texts_of(given: object, field: str) -> list[str]:
    """Return one text or a list of them. Raises RequestError."""
    if isinstance(given, str):
        return [given]
    if isinstance(given, list) and given:
        numbers = given[0] if isinstance(given[0], list) else given
        if all(isinstance(one, int) for one in numbers):
            raise refused(NO_IDS, field)
        if len(given) > MOST_INPUTS:
            raise refused(f"At most {MOST_INPUTS} inputs may be given.", field)
        if all(isinstance(one, str) for one in given):
            return given
    if given == []:
        raise refused("You must pass at least one prompt", None)
    raise refused(f"{field} must be a text or a list of texts.", field)


def documents_of(body: Body) -> list[str]:
    """Return the documents of a rerank request. Raises RequestError."""
    given = body.get("documents")
    if not isinstance(given, list):
        raise refused("documents must be a list of texts.", "documents")
    if not given:
        raise refused("At least one text_pair element must be given", None)
    texts = [one.get("text") if isinstance(one, dict) else one for one in given]
    found = [one for one in texts if isinstance(one, str)]
    if len(found) < len(texts):
        raise refused("documents must be a list of texts.", "documents")
    return found


def count(texts: list[str]) -> int:
    """Return the tokens of all texts. Raises RequestError for one that is too long."""
    counted = [count_tokens(text) for text in texts]
    if max(counted) > MAX_TOKENS:
        raise refused(
            f"This model's maximum context length is {MAX_TOKENS} tokens. However, your prompt "
            f"contains at least {MAX_TOKENS + 1} input tokens. Please reduce the length of the "
            f"input prompt. (parameter=input_tokens, value={MAX_TOKENS + 1})",
            "input_tokens",
        )
    return sum(counted)


def refused(message: str, param: str | None) -> RequestError:
    """Return a 400."""
    return RequestError(message, "BadRequestError", param, 400)
