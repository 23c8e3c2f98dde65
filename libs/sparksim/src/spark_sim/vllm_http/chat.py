"""``POST /v1/chat/completions``."""

import asyncio
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
from spark_sim.vllm_http.choices import (
    FINGERPRINT,
    interleaved,
    new_id,
    reasoning_details,
    run_all,
    usage,
)  # fmt: skip
from spark_sim.vllm_http.engine import Asked, Engine, EngineDeadError, Piece, Served, Tally
from spark_sim.vllm_http.errors import engine_dead, refused
from spark_sim.vllm_http.exchange import Exchange, sse
from spark_sim.vllm_http.names import names_reply
from spark_sim.vllm_http.tokens import Tokenizer, chat_prompt, text_of


async def chat(engine: Engine, exchange: Exchange) -> None:
    """Answer a chat request, whole or streamed."""
    raw = await exchange.body()
    body = read_body(raw, exchange.headers.get("content-type", ""))
    check_types(body, ("messages",))
    name = check_model(body, engine.served)
    asked = plan_chat(engine.served, body)
    engine.check()
    if body.get("stream"):
        await exchange.reply_stream(_events(engine, asked, body, name))
        return
    tallies = await exchange.unless_gone(run_all(engine, asked))
    await exchange.reply_json(_whole(name, asked[0].prompt_tokens, tallies))


def plan_chat(served: Served, body: Body) -> list[Asked]:
    """Return what each choice asks for. Raises RequestError."""
    messages = body["messages"]
    if not messages:
        raise refused(
            "Cannot apply chat template to an empty conversation. Provide at least one message."
        )
    check_sampling(body, served.context_length)
    thinking = served.thinks and wants_thought(body)
    prompt = chat_prompt(messages, closed_thought=served.thinks and not thinking)
    prompt_tokens = len(Tokenizer.cut(prompt))
    check_context(prompt_tokens, served.context_length)
    limit = asked_limit(body) or served.context_length - prompt_tokens
    question = next(
        (text_of(m.get("content")) for m in reversed(messages) if m.get("role") == "user"), ""
    )
    return [
        Asked(
            question=question,
            prompt_tokens=prompt_tokens,
            max_tokens=min(limit, served.context_length - prompt_tokens),
            stop=stop_strings(body.get("stop")),
            include_stop=bool(body.get("include_stop_str_in_output")),
            ignore_eos=bool(body.get("ignore_eos")),
            thinking=thinking,
            variant=variant,
            reply=names_reply(messages),
        )
        for variant in range(int(body.get("n") or 1))
    ]


def wants_thought(body: Body) -> bool:
    """Whether a request lets a model think."""
    keywords = body.get("chat_template_kwargs") or {}
    if keywords.get("enable_thinking") is False:
        return False
    return body.get("reasoning_effort") != "none"


def _whole(name: str, prompt_tokens: int, tallies: list[Tally]) -> dict[str, Any]:
    return {
        "id": new_id("chatcmpl-"),
        "object": "chat.completion",
        "created": int(epoch()),
        "model": name,
        "choices": [_choice(index, tally) for index, tally in enumerate(tallies)],
        "service_tier": None,
        "system_fingerprint": FINGERPRINT,
        "usage": {
            **usage(prompt_tokens, tallies),
            "prompt_tokens_details": None,
            "completion_tokens_details": reasoning_details(tallies),
        },
        "prompt_logprobs": None,
        "prompt_token_ids": None,
        "prompt_text": None,
        "kv_transfer_params": None,
        "ec_transfer_params": None,
        "metrics": None,
    }


def _choice(index: int, tally: Tally) -> dict[str, Any]:
    return {
        "index": index,
        "message": {
            "role": "assistant",
            "content": tally.text["content"] or None,
            "refusal": None,
            "annotations": None,
            "audio": None,
            "function_call": None,
            "reasoning": tally.text["reasoning"] or None,
        },
        "logprobs": None,
        "finish_reason": tally.finish,
        "stop_reason": tally.stop_reason,
        "token_ids": None,
        "routed_experts": None,
    }


class _Stream:
    """The chunks of one streamed chat."""

    def __init__(self, body: Body, name: str, prompt_tokens: int, force_usage: bool) -> None:
        options = body.get("stream_options") or {}
        self.usage_last = bool(options.get("include_usage")) or force_usage
        self._hides_thought = body.get("include_reasoning") is False
        self.usage_always = self.usage_last and bool(options.get("continuous_usage_stats"))
        self._prompt_tokens = prompt_tokens
        self._head = {
            "id": new_id("chatcmpl-"),
            "object": "chat.completion.chunk",
            "created": int(epoch()),
            "model": name,
        }

    def first(self, index: int) -> dict[str, Any]:
        """Return the chunk that names the role."""
        choice = {"index": index, "delta": {"role": "assistant", "content": ""}, "logprobs": None,
                  "finish_reason": None}  # fmt: skip
        return {**self._chunk(choice, []), "prompt_token_ids": None, "prompt_text": None}

    def piece(self, index: int, piece: Piece, tallies: list[Tally], last: bool) -> dict[str, Any]:
        """Return the chunk of one token."""
        delta: dict[str, Any] = {piece.kind: piece.text} if piece.text else {}
        if delta and self._hides_thought:
            delta["reasoning"] = None
        choice: dict[str, Any] = {
            "index": index, "delta": delta, "logprobs": None, "finish_reason": piece.finish,
        }  # fmt: skip
        if piece.finish is not None:
            choice["stop_reason"] = piece.stop_reason
        choice["token_ids"] = None
        chunk = self._chunk(choice, tallies)
        if last and not self.usage_last:
            chunk["system_fingerprint"] = FINGERPRINT
        return chunk

    def last(self, tallies: list[Tally]) -> dict[str, Any]:
        """Return the chunk that says what it cost."""
        return {**self._head, "choices": [], "usage": self._usage(tallies),
                "system_fingerprint": FINGERPRINT}  # fmt: skip

    def _chunk(self, choice: dict[str, Any], tallies: list[Tally]) -> dict[str, Any]:
        chunk = {**self._head, "choices": [choice]}
        if self.usage_always:
            chunk["usage"] = self._usage(tallies)
        return chunk

    def _usage(self, tallies: list[Tally]) -> dict[str, Any]:
        return {**usage(self._prompt_tokens, tallies),
                "completion_tokens_details": reasoning_details(tallies)}  # fmt: skip


async def _events(engine: Engine, asked: list[Asked], body: Body, name: str) -> AsyncIterator[str]:
    stream = _Stream(body, name, asked[0].prompt_tokens, engine.served.force_usage)
    hides_thought = body.get("include_reasoning") is False
    tallies = [Tally() for _ in asked]
    unfinished = len(asked)
    for index in range(len(asked)):
        yield sse(stream.first(index))
    try:
        async for index, piece in interleaved(engine, asked):
            tallies[index].add(piece)
            unfinished -= piece.finish is not None
            hidden = piece.hidden or (hides_thought and piece.kind == "reasoning")
            if hidden and piece.finish is None:
                continue
            yield sse(stream.piece(index, piece, tallies, last=unfinished == 0))
    except EngineDeadError:
        yield sse(engine_dead().body())
    else:
        if stream.usage_last:
            yield sse(stream.last(tallies))
    yield "data: [DONE]\n\n"
    await asyncio.sleep(0)
