"""``POST /v1/responses``: text in, reasoning and text out; nothing is stored."""

from collections.abc import AsyncIterator
from typing import Any

from spark_sim.pace import epoch
from spark_sim.vllm_http.bodies import Body, check_model, check_types, read_body
from spark_sim.vllm_http.chat import plan_chat
from spark_sim.vllm_http.choices import new_id, run_all
from spark_sim.vllm_http.engine import Asked, Engine, EngineDeadError, Tally
from spark_sim.vllm_http.errors import RequestError, engine_dead, findings
from spark_sim.vllm_http.exchange import Exchange, sse


async def responses(engine: Engine, exchange: Exchange) -> None:
    """Answer, whole or streamed."""
    raw = await exchange.body()
    body = read_body(raw, exchange.headers.get("content-type", ""))
    # FastAPI counts a field that vLLM's own validator has put in.
    check_types(body, ("input",), counted=len(body) + 1)
    if not isinstance(given := body["input"], str | list):
        text, rows = "Input should be a valid string", "Input should be a valid list"
        raise findings(
            [("string_type", "body.input", text, given, ""),
             ("list_type", "body.input", rows, given, "")]
        )  # fmt: skip
    name = check_model(body, engine.served)
    if previous := body.get("previous_response_id"):
        raise _unknown(str(previous))
    (asked,) = plan_chat(engine.served, {**body, "messages": _turns(body), "n": 1})
    engine.check()
    if body.get("stream"):
        await exchange.reply_stream(_events(engine, asked, body, name))
        return
    (tally,) = await exchange.unless_gone(run_all(engine, [asked]))
    answer = _Answer(body, name, asked)
    await exchange.reply_json(answer.finished(tally, status=None))


async def no_response(_: Engine, exchange: Exchange) -> None:
    """Say that a stored response does not exist."""
    wanted = exchange.path.removeprefix("/v1/responses/").partition("/")[0]
    raise _unknown(wanted)


def _unknown(wanted: str) -> RequestError:
    return RequestError(
        f"Response with id '{wanted}' not found.", "invalid_request_error", "response_id", 404
    )


def _turns(body: Body) -> list[dict[str, Any]]:
    turns: list[dict[str, Any]] = []
    if instructions := body.get("instructions"):
        turns.append({"role": "system", "content": instructions})
    given = body["input"]
    if isinstance(given, str):
        return [*turns, {"role": "user", "content": given}]
    return [*turns, *(item for item in given if isinstance(item, dict) and "role" in item)]


class _Answer:
    """One response object in its states."""

    def __init__(self, body: Body, name: str, asked: Asked) -> None:
        self._body = body
        self._name = name
        self._asked = asked
        self._id = new_id("resp_")
        self._created = int(epoch())
        self.reasoning_id = new_id("rs_")
        self.message_id = new_id("msg_")

    def started(self) -> dict[str, Any]:
        """Return it before the first token."""
        return self._object("in_progress", [], None, None)

    def finished(self, tally: Tally, status: str | None) -> dict[str, Any]:
        """Return it after the last token; ``status`` is that of its reasoning."""
        output = []
        if self._asked.thinking:
            output.append(self.reasoning(tally.text["reasoning"], status))
        if tally.text["content"]:
            output.append(self.message(tally.text["content"], "completed"))
        cut = tally.finish == "length"
        usage = {
            "input_tokens": self._asked.prompt_tokens,
            "input_tokens_details": {
                "cached_tokens": 0, "cache_write_tokens": 0, "input_tokens_per_turn": [],
                "cached_tokens_per_turn": [],
            },
            "output_tokens": tally.completion,
            "output_tokens_details": {
                "reasoning_tokens": tally.reasoning, "tool_output_tokens": 0,
                "output_tokens_per_turn": [], "tool_output_tokens_per_turn": [],
            },
            "total_tokens": self._asked.prompt_tokens + tally.completion,
        }  # fmt: skip
        incomplete = {"reason": "max_output_tokens"} if cut else None
        return self._object("incomplete" if cut else "completed", output, usage, incomplete)

    def reasoning(self, text: str | None, status: str | None) -> dict[str, Any]:
        """Return the reasoning item."""
        content = None if text is None else [{"text": text, "type": "reasoning_text"}]
        return {"id": self.reasoning_id, "summary": [], "type": "reasoning", "content": content,
                "encrypted_content": None, "status": status}  # fmt: skip

    def message(self, text: str | None, status: str) -> dict[str, Any]:
        """Return the message item."""
        content = [] if text is None else [self.part(text)]
        return {"id": self.message_id, "content": content, "role": "assistant", "status": status,
                "type": "message", "phase": None}  # fmt: skip

    @staticmethod
    def part(text: str) -> dict[str, Any]:
        """Return the text part of a message."""
        return {"annotations": [], "text": text, "type": "output_text", "logprobs": None}

    def _object(
        self, status: str, output: list[dict[str, Any]], usage: dict[str, Any] | None,
        incomplete: dict[str, Any] | None,
    ) -> dict[str, Any]:  # fmt: skip
        body = self._body
        return {
            "id": self._id, "created_at": self._created, "incomplete_details": incomplete,
            "instructions": body.get("instructions"), "metadata": body.get("metadata"),
            "model": self._name, "object": "response", "output": output,
            "parallel_tool_calls": True, "temperature": _or_one(body.get("temperature")),
            "tool_choice": "none", "tools": [], "top_p": _or_one(body.get("top_p")),
            "background": False, "max_output_tokens": self._asked.max_tokens,
            "max_tool_calls": None, "previous_response_id": None, "prompt": None,
            "reasoning": body.get("reasoning"), "service_tier": "auto", "status": status,
            "text": None, "top_logprobs": None, "truncation": "disabled", "usage": usage,
            "user": None, "presence_penalty": 0.0, "frequency_penalty": 0.0,
            "kv_transfer_params": None, "ec_transfer_params": None, "input_messages": None,
            "output_messages": None,
        }  # fmt: skip


class _Events:
    """Numbers the events of a stream."""

    def __init__(self) -> None:
        self._count = 0

    def event(self, kind: str, **fields: Any) -> str:
        """Return one event; its fields are in alphabetical order, its type last."""
        rows = {**fields, "sequence_number": self._count}
        self._count += 1
        return sse({**dict(sorted(rows.items())), "type": kind}, event=kind)


class _Item:
    """The events of one output item: begun, grown, done."""

    def __init__(self, events: _Events, answer: _Answer, kind: str, index: int) -> None:
        self._events = events
        self._answer = answer
        self._thinks = kind == "reasoning"
        self._place = {
            "item_id": answer.reasoning_id if self._thinks else answer.message_id,
            "output_index": index, "content_index": 0,
        }  # fmt: skip
        self._name = "reasoning_text" if self._thinks else "output_text"
        self.text = ""

    def begin(self) -> list[str]:
        """Return the events that announce it."""
        return [
            self._item_event("added", None, "in_progress"),
            self._events.event("response.content_part.added", part=self._empty(), **self._place),
        ]

    def grow(self, text: str) -> str:
        """Return the event of one piece."""
        self.text += text
        extra: dict[str, Any] = {} if self._thinks else {"logprobs": []}
        return self._events.event(
            f"response.{self._name}.delta", delta=text, **self._place, **extra
        )

    def end(self) -> list[str]:
        """Return the events that close it."""
        extra: dict[str, Any] = {} if self._thinks else {"logprobs": []}
        return [
            self._events.event(
                f"response.{self._name}.done", text=self.text, **self._place, **extra
            ),
            self._events.event(
                "response.content_part.done", part=self._part(self.text), **self._place
            ),
            self._item_event("done", self.text, "completed"),
        ]

    def _item_event(self, what: str, text: str | None, status: str) -> str:
        make = self._answer.reasoning if self._thinks else self._answer.message
        index = self._place["output_index"]
        return self._events.event(
            f"response.output_item.{what}", item=make(text, status), output_index=index
        )

    def _empty(self) -> dict[str, Any]:
        part = self._part("")
        return part if self._thinks else {**part, "logprobs": []}

    def _part(self, text: str) -> dict[str, Any]:
        if self._thinks:
            return {"text": text, "type": "reasoning_text"}
        return _Answer.part(text)


async def _events(engine: Engine, asked: Asked, body: Body, name: str) -> AsyncIterator[str]:
    answer, events, tally = _Answer(body, name, asked), _Events(), Tally()
    yield events.event("response.created", response=answer.started())
    yield events.event("response.in_progress", response=answer.started())
    item: _Item | None = None
    kind, index = "", -1
    try:
        async for piece in engine.generate(asked):
            tally.add(piece)
            if not piece.text:
                continue
            if piece.kind != kind:
                for event in item.end() if item else []:
                    yield event
                kind, index = piece.kind, index + 1
                item = _Item(events, answer, kind, index)
                for event in item.begin():
                    yield event
            if item is not None:
                yield item.grow(piece.text)
    except EngineDeadError:
        yield sse(engine_dead().body())
        return
    for event in item.end() if item else []:
        yield event
    yield events.event("response.completed", response=answer.finished(tally, "completed"))


def _or_one(number: Any) -> float:
    return 1.0 if number is None else float(number)
