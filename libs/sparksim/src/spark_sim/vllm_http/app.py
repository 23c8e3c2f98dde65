"""Routing of vLLM's HTTP surface, its refusals and its access log."""

import contextlib
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from spark_sim.vllm_http import plain_routes
from spark_sim.vllm_http.bodies import UnparsableBodyError
from spark_sim.vllm_http.chat import chat
from spark_sim.vllm_http.completions import completions
from spark_sim.vllm_http.embeddings import embeddings
from spark_sim.vllm_http.engine import Engine, EngineDeadError
from spark_sim.vllm_http.errors import InvalidBodyError, RequestError, engine_dead
from spark_sim.vllm_http.exchange import ClientGoneError, Exchange, Receive, Send
from spark_sim.vllm_http.messages import count_tokens, messages
from spark_sim.vllm_http.responses import no_response, responses

Route = Callable[[Engine, Exchange], Awaitable[None]]

ROUTES: Mapping[str, Mapping[str, Route]] = {
    "/health": {"GET": plain_routes.health},
    "/ping": {"GET": plain_routes.health, "POST": plain_routes.health},
    "/version": {"GET": plain_routes.version},
    "/load": {"GET": plain_routes.load},
    "/metrics": {"GET": plain_routes.metrics},
    "/v1/models": {"GET": plain_routes.models},
    "/tokenize": {"POST": plain_routes.tokenize},
    "/detokenize": {"POST": plain_routes.detokenize},
}
GENERATING: Mapping[str, Mapping[str, Route]] = {
    "/v1/chat/completions": {"POST": chat},
    "/v1/completions": {"POST": completions},
    "/v1/responses": {"POST": responses},
    "/v1/messages": {"POST": messages},
    "/v1/messages/count_tokens": {"POST": count_tokens},
}
POOLING: Mapping[str, Mapping[str, Route]] = {"/v1/embeddings": {"POST": embeddings}}
_GUARDED = ("/v1", "/v2", "/inference", "/cohere")
_REASONS = {200: "OK", 400: "Bad Request", 401: "Unauthorized", 404: "Not Found",
            405: "Method Not Allowed", 500: "Internal Server Error",
            503: "Service Unavailable"}  # fmt: skip


class VllmApp:
    """The ASGI application."""

    def __init__(self, engine: Engine, write_log: Callable[[str], Awaitable[None]]) -> None:
        self._engine = engine
        self._write_log = write_log

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        exchange = Exchange(scope, receive, send)
        try:
            await self._answer(exchange)
        except ClientGoneError:
            return
        except RequestError as error:
            shape = error.body()
            own = not isinstance(error, InvalidBodyError)
            if own and exchange.path.startswith("/v1/messages"):
                shape = error.anthropic_body()
            await exchange.reply_json(shape, error.status)
        except UnparsableBodyError:
            await exchange.reply_json({"detail": "There was an error parsing the body"}, 400)
        except EngineDeadError:
            await exchange.reply_json(engine_dead().body(), 500)
        await self._log(exchange)

    async def _answer(self, exchange: Exchange) -> None:
        pooling = self._engine.served.pooling
        routes = {**ROUTES, **(POOLING if pooling else GENERATING)}
        if exchange.path == "/openapi.json":
            # As much of it as tells which addresses there are.
            await exchange.reply_json({"openapi": "3.1.0", "paths": dict.fromkeys(routes, None)})
            return
        methods = routes.get(exchange.path)
        if methods is None and not pooling and exchange.path.startswith("/v1/responses/"):
            methods = {"GET": no_response}
        key = self._engine.served.api_key
        if exchange.method == "OPTIONS" and "origin" in exchange.headers:
            await self._refuse_origin(exchange)
        elif key and exchange.path.startswith(_GUARDED) and not _authorized(exchange, key):
            await exchange.reply_json({"error": "Unauthorized"}, 401)
        elif methods is None:
            await exchange.reply_json({"detail": "Not Found"}, 404)
        elif exchange.method not in methods:
            allow = ", ".join(methods)
            await exchange.reply_json({"detail": "Method Not Allowed"}, 405, allow=allow)
        else:
            await methods[exchange.method](self._engine, exchange)

    async def _refuse_origin(self, exchange: Exchange) -> None:
        await exchange.reply(
            b"Disallowed CORS origin", "text/plain; charset=utf-8", 400,
            vary="Origin, Access-Control-Request-Method, Access-Control-Request-Headers, "
            "Access-Control-Request-Private-Network",
            access_control_allow_methods="DELETE, GET, HEAD, OPTIONS, PATCH, POST, PUT, QUERY",
            access_control_max_age="600",
        )  # fmt: skip

    async def _log(self, exchange: Exchange) -> None:
        host, port = exchange.client
        reason = _REASONS.get(exchange.status, "")
        row = (
            f'(APIServer pid=1) INFO:     {host}:{port} - "{exchange.method} {exchange.path} '
            f'HTTP/1.1" {exchange.status} {reason}\n'
        )
        with contextlib.suppress(OSError):
            await self._write_log(row)


def _authorized(exchange: Exchange, key: str) -> bool:
    return exchange.headers.get("authorization") == f"Bearer {key}"
