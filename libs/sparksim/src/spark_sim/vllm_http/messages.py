"""``POST /v1/messages``: the Anthropic shape of a chat."""

import secrets
from collections.abc import AsyncIterator
from typing import Any

from spark_sim.vllm_http.bodies import Body, check_model, check_types, read_body
from spark_sim.vllm_http.chat import plan_chat
from spark_sim.vllm_http.choices import new_id, run_all
from spark_sim.vllm_http.engine import Asked, Engine, EngineDeadError, Tally
from spark_sim.vllm_http.errors import engine_dead, invalid
from spark_sim.vllm_http.exchange import Exchange, sse
from spark_sim.vllm_http.tokens import Tokenizer, chat_prompt

_ROLES = ("user", "assistant", "system")


async def messages(engine: Engine, exchange: Exchange) -> None:
    """Answer, whole or streamed."""
    body, name = await _read(engine, exchange, ("messages", "max_tokens"))
    (asked,) = plan_chat(engine.served, _as_chat(body))
    engine.check()
    if body.get("stream"):
        await exchange.reply_stream(_events(engine, asked, name))
        return
    (tally,) = await exchange.unless_gone(run_all(engine, [asked]))
    await exchange.reply_json(_whole(asked, tally, name))


async def count_tokens(engine: Engine, exchange: Exchange) -> None:
    """Count a prompt."""
    body, _ = await _read(engine, exchange, ("messages",))
    count = len(Tokenizer.cut(chat_prompt(_as_chat(body)["messages"])))
    context = {"original_input_tokens": count}
    await exchange.reply_json({"input_tokens": count, "context_management": context})


async def _read(engine: Engine, exchange: Exchange, required: tuple[str, ...]) -> tuple[Body, str]:
    raw = await exchange.body()
    body = read_body(raw, exchange.headers.get("content-type", ""))
    check_types(body, required)
    for position, message in enumerate(body["messages"]):
        role = message.get("role")
        if role not in _ROLES:
            expected = "'user', 'assistant' or 'system'"
            raise invalid(
                "literal_error", f"body.messages.{position}.role", f"Input should be {expected}",
                role, f", 'ctx': {{'expected': {expected!r}}}",
            )  # fmt: skip
    if isinstance(limit := body.get("max_tokens"), int) and limit < 1:
        text = "max_tokens must be positive"
        raise invalid(
            "value_error", "body.max_tokens", f"Value error, {text}", limit,
            f", 'ctx': {{'error': ValueError({text!r})}}",
        )  # fmt: skip
    return body, check_model(body, engine.served)


def _as_chat(body: Body) -> Body:
    turns = list(body["messages"])
    if system := body.get("system"):
        turns.insert(0, {"role": "system", "content": system})
    thinking = (body.get("thinking") or {}).get("type") != "disabled"
    return {
        **{name: body[name] for name in ("max_tokens", "temperature", "top_p") if name in body},
        "messages": turns,
        "stop": body.get("stop_sequences"),
        "chat_template_kwargs": {"enable_thinking": thinking},
    }


def _stop(tally: Tally) -> dict[str, Any]:
    if tally.stop_reason is not None:
        return {"stop_reason": "stop_sequence", "stop_sequence": tally.stop_reason}
    return {"stop_reason": "max_tokens" if tally.finish == "length" else "end_turn"}


def _whole(asked: Asked, tally: Tally, name: str) -> dict[str, Any]:
    content: list[dict[str, Any]] = []
    if asked.thinking:
        content.append({"type": "thinking", "thinking": tally.text["reasoning"],
                        "signature": secrets.token_hex(16)})  # fmt: skip
    if tally.text["content"]:
        content.append({"type": "text", "text": tally.text["content"]})
    return {
        "id": new_id("chatcmpl-"),
        "type": "message",
        "role": "assistant",
        "content": content,
        "model": name,
        **_stop(tally),
        "usage": {"input_tokens": asked.prompt_tokens, "output_tokens": tally.completion},
    }


async def _events(engine: Engine, asked: Asked, name: str) -> AsyncIterator[str]:
    tally = Tally()
    usage = {"input_tokens": asked.prompt_tokens, "output_tokens": 0}
    yield _event(
        "message_start",
        message={
            "id": new_id("chatcmpl-"), "type": "message", "role": "assistant", "content": [],
            "model": name, "stop_reason": None, "stop_sequence": None, "usage": usage,
        },
    )  # fmt: skip
    kind, index = "", -1
    try:
        async for piece in engine.generate(asked):
            tally.add(piece)
            if not piece.text:
                continue
            if piece.kind != kind:
                for event in _block_end(kind, index):
                    yield event
                kind, index = piece.kind, index + 1
                yield _block_start(kind, index)
            field = "thinking" if kind == "reasoning" else "text"
            delta = {"type": f"{field}_delta", field: piece.text}
            yield _event("content_block_delta", delta=delta, index=index)
    except EngineDeadError:
        yield sse(engine_dead().anthropic_body(), event="error")
        return
    for event in _block_end(kind, index):
        yield event
    usage = {"input_tokens": asked.prompt_tokens, "output_tokens": tally.completion}
    stop = {"stop_reason": None, "stop_sequence": None, **_stop(tally)}
    yield _event("message_delta", delta=stop, usage=usage)
    yield _event("message_stop")


def _block_start(kind: str, index: int) -> str:
    field = "thinking" if kind == "reasoning" else "text"
    return _event("content_block_start", content_block={"type": field, field: ""}, index=index)


def _block_end(kind: str, index: int) -> list[str]:
    if not kind:
        return []
    events = []
    if kind == "reasoning":
        delta = {"type": "signature_delta", "signature": secrets.token_hex(16)}
        events.append(_event("content_block_delta", delta=delta, index=index))
    return [*events, _event("content_block_stop", index=index)]


def _event(kind: str, **fields: Any) -> str:
    return sse({"type": kind, **fields}, event=kind)
