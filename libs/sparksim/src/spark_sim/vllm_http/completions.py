"""``POST /v1/completions``."""

from collections.abc import AsyncIterator
from typing import Any

from spark_sim.pace import epoch
from spark_sim.vllm_http.bodies import (
    Body,
    asked_limit,
    check_context,
    check_model,
    check_sampling,
    check_types,
    read_body,
    stop_strings,
)  # fmt: skip
from spark_sim.vllm_http.choices import FINGERPRINT, interleaved, new_id, run_all, usage
from spark_sim.vllm_http.engine import Asked, Engine, EngineDeadError, Tally
from spark_sim.vllm_http.errors import engine_dead, refused
from spark_sim.vllm_http.exchange import Exchange, sse
from spark_sim.vllm_http.tokens import Tokenizer

_DEFAULT_LIMIT = 16


async def completions(engine: Engine, exchange: Exchange) -> None:
    """Continue one or more prompts, whole or streamed."""
    raw = await exchange.body()
    body = read_body(raw, exchange.headers.get("content-type", ""))
    check_types(body, ())
    name = check_model(body, engine.served)
    asked = _plan(engine, body)
    engine.check()
    if body.get("stream"):
        await exchange.reply_stream(_events(engine, asked, body, name))
        return
    tallies = await exchange.unless_gone(run_all(engine, asked))
    await exchange.reply_json(_whole(name, _prompt_tokens(asked), tallies))


def _plan(engine: Engine, body: Body) -> list[Asked]:
    prompts = _prompts(body.get("prompt"))
    if not prompts or "" in prompts:
        raise refused("Either prompt or prompt_embeds must be provided and non-empty.", "prompt")
    served = engine.served
    check_sampling(body, served.context_length)
    asked: list[Asked] = []
    for prompt in prompts:
        text = prompt if isinstance(prompt, str) else engine.tokenizer.decode(prompt)
        count = len(Tokenizer.cut(text)) if isinstance(prompt, str) else len(prompt)
        check_context(count, served.context_length)
        limit = asked_limit(body) or _DEFAULT_LIMIT
        asked.extend(
            Asked(
                question=text, prompt_tokens=count,
                max_tokens=min(limit, served.context_length - count),
                stop=stop_strings(body.get("stop")), ignore_eos=bool(body.get("ignore_eos")),
                variant=variant, continues=True,
            )
            for variant in range(int(body.get("n") or 1))
        )  # fmt: skip
    return asked


def _prompts(value: object) -> list[Any]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, list) and value and isinstance(value[0], int):
        return [value]
    return value if isinstance(value, list) else []


def _prompt_tokens(asked: list[Asked]) -> int:
    return sum(one.prompt_tokens for one in asked if one.variant == 0)


def _whole(name: str, prompt_tokens: int, tallies: list[Tally]) -> dict[str, Any]:
    return {
        "id": new_id("cmpl-"),
        "object": "text_completion",
        "created": int(epoch()),
        "model": name,
        "choices": [
            {
                "index": index, "text": tally.text["content"], "logprobs": None,
                "finish_reason": tally.finish, "stop_reason": tally.stop_reason,
                "token_ids": None, "prompt_logprobs": None, "prompt_token_ids": None,
                "routed_experts": None,
            }
            for index, tally in enumerate(tallies)
        ],
        "service_tier": None,
        "system_fingerprint": FINGERPRINT,
        "usage": {
            **usage(prompt_tokens, tallies),
            "prompt_tokens_details": None,
            "completion_tokens_details": None,
        },
        "kv_transfer_params": None,
        "ec_transfer_params": None,
        "metrics": None,
    }  # fmt: skip


async def _events(engine: Engine, asked: list[Asked], body: Body, name: str) -> AsyncIterator[str]:
    head = {"id": new_id("cmpl-"), "object": "text_completion", "created": int(epoch()),
            "model": name}  # fmt: skip
    options = body.get("stream_options") or {}
    with_usage = bool(options.get("include_usage")) or engine.served.force_usage
    tallies = [Tally() for _ in asked]
    unfinished = len(asked)
    try:
        async for index, piece in interleaved(engine, asked):
            tallies[index].add(piece)
            unfinished -= piece.finish is not None
            choice = {
                "index": index, "text": piece.text, "logprobs": None,
                "finish_reason": piece.finish, "stop_reason": piece.stop_reason,
                "prompt_token_ids": None, "token_ids": None,
            }  # fmt: skip
            chunk: dict[str, Any] = {**head, "choices": [choice]}
            if unfinished == 0 and not with_usage:
                chunk["system_fingerprint"] = FINGERPRINT
            yield sse(chunk)
    except EngineDeadError:
        yield sse(engine_dead().body())
    else:
        if with_usage:
            total = usage(_prompt_tokens(asked), tallies)
            yield sse({**head, "choices": [], "usage": total, "system_fingerprint": FINGERPRINT})
    yield "data: [DONE]\n\n"
