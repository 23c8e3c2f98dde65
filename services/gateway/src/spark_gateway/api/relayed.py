"""The routes whose bytes pass to another server unread, as OpenAPI shows them."""

from typing import Any

_JSON_ROUTES = {
    "/v1/chat/completions": "Chat, streamed or whole",
    "/v1/completions": "Text completion, streamed or whole",
    "/v1/responses": "OpenAI responses, where the runtime has them",
    "/v1/messages": "Anthropic messages, where the runtime has them",
    "/v1/messages/count_tokens": "Count the tokens of Anthropic messages",
    "/tokenize": "Text or messages to the numbers of the runtime's tokens",
    "/detokenize": "Numbers of tokens to text",
    "/v1/embeddings": "Embeddings, by the embedding server unless a loaded model embeds",
    "/v1/rerank": "Put documents in the order of a query, by the embedding server",
    "/v2/rerank": "The same",
    "/rerank": "The same",
}


def relayed_paths() -> dict[str, Any]:
    """Return the path items; bodies are the runtime's own and are not described again."""
    return {path: {"post": _operation(path, summary)} for path, summary in _JSON_ROUTES.items()}


def _operation(path: str, summary: str) -> dict[str, Any]:
    anything = {"schema": {"type": "object", "additionalProperties": True}}
    return {
        "tags": ["openai"],
        "summary": summary,
        "operationId": "relay" + path.replace("/", "_"),
        "requestBody": {"required": True, "content": {"application/json": anything}},
        "responses": {
            "200": {
                "description": "the server's answer, byte for byte",
                "content": {"application/json": anything, "text/event-stream": {}},
            },
            "4XX": {"description": "the server's own refusal, byte for byte, or the gateway's"},
            "500": {"description": "the server's own failure, byte for byte"},
            "502": {"description": "the server does not answer"},
            "504": {"description": "the server did not begin to answer in time"},
            "503": {"description": "no model is loaded, or a swap is running; see Retry-After"},
        },
    }
