"""The routes without generation: health, models, version, metrics, tokens."""

from typing import Any

from spark_sim.pace import epoch
from spark_sim.vllm_http.bodies import check_model, check_types, read_body
from spark_sim.vllm_http.choices import new_id
from spark_sim.vllm_http.engine import Engine
from spark_sim.vllm_http.errors import findings, refused
from spark_sim.vllm_http.exchange import Exchange
from spark_sim.vllm_http.tokens import chat_prompt

VERSION = "0.33.0"
_METRICS_TYPE = "text/plain; version=1.0.0; charset=utf-8"


async def health(engine: Engine, exchange: Exchange) -> None:
    """200 while the engine lives, 503 after."""
    await exchange.reply(b"", status=503 if engine.died.is_set() else 200)


async def version(_: Engine, exchange: Exchange) -> None:
    """The version."""
    await exchange.reply_json({"version": VERSION})


async def load(engine: Engine, exchange: Exchange) -> None:
    """Requests being answered. vLLM counts them only with ``--enable-server-load-tracking``."""
    await exchange.reply_json({"server_load": 0})


async def metrics(engine: Engine, exchange: Exchange) -> None:
    """The Prometheus exposition."""
    await exchange.reply(engine.metrics.text().encode(), _METRICS_TYPE)


async def models(engine: Engine, exchange: Exchange) -> None:
    """The served names."""
    rows = [_card(engine, name) for name in engine.served.names]
    await exchange.reply_json({"object": "list", "data": rows})


def _card(engine: Engine, name: str) -> dict[str, Any]:
    created = int(epoch())
    permission = {
        "id": new_id("modelperm-"), "object": "model_permission", "created": created,
        "allow_create_engine": False, "allow_sampling": True, "allow_logprobs": True,
        "allow_search_indices": False, "allow_view": True, "allow_fine_tuning": False,
        "organization": "*", "group": None, "is_blocking": False,
    }  # fmt: skip
    return {
        "id": name, "object": "model", "created": created, "owned_by": "vllm",
        "root": engine.served.root, "parent": None, "max_model_len": engine.served.context_length,
        "permission": [permission],
    }  # fmt: skip


async def tokenize(engine: Engine, exchange: Exchange) -> None:
    """Text or messages to numbers."""
    body = read_body(await exchange.body(), exchange.headers.get("content-type", ""))
    if "prompt" not in body and "messages" not in body:
        raise findings(
            [("missing", f"body.{name}", "Field required", body, "")
             for name in ("prompt", "messages")]
        )  # fmt: skip
    check_types(body, ("prompt",) if "prompt" in body else ("messages",))
    check_model(body, engine.served)
    if not isinstance(body.get("prompt", ""), str):
        text = "Input should be a valid string"
        raise findings([("string_type", "body.prompt", text, body["prompt"], "")])
    text = body["prompt"] if "prompt" in body else chat_prompt(body["messages"])
    numbers = engine.tokenizer.encode(text)
    strings = [piece.replace(" ", "Ġ") for piece in engine.tokenizer.cut(text)]
    await exchange.reply_json(
        {
            "count": len(numbers), "max_model_len": engine.served.context_length,
            "tokens": numbers, "token_strs": strings if body.get("return_token_strs") else None,
        }
    )  # fmt: skip


async def detokenize(engine: Engine, exchange: Exchange) -> None:
    """Numbers to text."""
    body = read_body(await exchange.body(), exchange.headers.get("content-type", ""))
    check_types(body, ("tokens",))
    check_model(body, engine.served)
    numbers = [int(number) for number in body["tokens"]]
    if any(not 0 <= number < 2**32 for number in numbers):
        raise refused("number too large to fit in target type")
    await exchange.reply_json({"prompt": engine.tokenizer.decode(numbers)})
