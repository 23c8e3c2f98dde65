"""Server-sent events of chat completions: a buffer for each choice, field and tool call."""

import json
from collections.abc import Iterator
from typing import Any

from spark_redaction.scrub import Rehydrator
from spark_redaction.scrub.tokens.stream import StreamRehydrator

_FIELDS = ("content", "reasoning_content", "reasoning", "refusal")
_Place = tuple[int, str, int]


class EventRehydrator:
    """Feed it text, get whole events back; what is held back leaves before its choice ends."""

    def __init__(self, rehydrator: Rehydrator) -> None:
        self._rehydrator = rehydrator
        self._rest = ""
        self._streams: dict[_Place, StreamRehydrator] = {}
        self._last: dict[str, Any] = {}

    def feed(self, text: str) -> Iterator[str]:
        """Return the events that are complete."""
        self._rest += text.replace("\r\n", "\n")
        while "\n\n" in self._rest:
            block, _, self._rest = self._rest.partition("\n\n")
            yield from self._event(block)

    def close(self) -> Iterator[str]:
        """Return the last event, and what is still held back."""
        if self._rest.strip():
            yield from self._event(self._rest)
        yield from self._held()

    def _event(self, block: str) -> Iterator[str]:
        lines = block.split("\n")
        data = "\n".join(line[5:].removeprefix(" ") for line in lines if line.startswith("data:"))
        if data.strip() == "[DONE]":
            yield from self._held()
            yield f"{block}\n\n"
            return
        try:
            chunk = json.loads(data)
        except ValueError:
            yield f"{block}\n\n"
            return
        if not isinstance(chunk, dict) or not isinstance(chunk.get("choices"), list):
            yield f"{block}\n\n"
            return
        self._last = {
            name: value for name, value in chunk.items() if name not in ("choices", "usage")
        }
        for choice in chunk["choices"]:
            if isinstance(choice, dict):
                self._choice(choice)
        other = [line for line in lines if not line.startswith("data:")]
        yield "\n".join([*other, f"data: {json.dumps(chunk, ensure_ascii=False)}"]) + "\n\n"

    def _choice(self, choice: dict[str, Any]) -> None:
        index = choice.get("index", 0)
        if isinstance(choice.get("text"), str):
            choice["text"] = self._stream((index, "text", 0)).feed(choice["text"])
        delta = choice.get("delta")
        if isinstance(delta, dict):
            self._delta(index, delta)
        if choice.get("finish_reason"):
            self._finish(index, choice)

    def _delta(self, index: int, delta: dict[str, Any]) -> None:
        for name in _FIELDS:
            if isinstance(delta.get(name), str):
                delta[name] = self._stream((index, name, 0)).feed(delta[name])
        for call in delta.get("tool_calls") or ():
            function = call.get("function") if isinstance(call, dict) else None
            if isinstance(function, dict) and isinstance(function.get("arguments"), str):
                place = (index, "tool", call.get("index", 0))
                function["arguments"] = self._stream(place).feed(function["arguments"])

    def _finish(self, index: int, choice: dict[str, Any]) -> None:
        for place in [place for place in self._streams if place[0] == index]:
            rest = self._streams.pop(place).close()
            if rest and place[1] == "text":
                choice["text"] = choice.get("text", "") + rest
            elif rest:
                delta = choice["delta"] = choice.get("delta") or {}
                _append(delta, place, rest)

    def _held(self) -> Iterator[str]:
        for place in list(self._streams):
            rest = self._streams.pop(place).close()
            if not rest:
                continue
            choice: dict[str, Any] = {"index": place[0], "finish_reason": None}
            if place[1] == "text":
                choice["text"] = rest
            else:
                _append(choice.setdefault("delta", {}), place, rest)
            yield f"data: {json.dumps(self._last | {'choices': [choice]}, ensure_ascii=False)}\n\n"

    def _stream(self, place: _Place) -> StreamRehydrator:
        if place not in self._streams:
            self._streams[place] = StreamRehydrator(
                self._rehydrator, json_strings=place[1] == "tool"
            )
        return self._streams[place]


def _append(delta: dict[str, Any], place: _Place, rest: str) -> None:
    if place[1] != "tool":
        delta[place[1]] = (delta.get(place[1]) or "") + rest
        return
    calls = delta.setdefault("tool_calls", [])
    for call in calls:
        if call.get("index", 0) == place[2]:
            function = call.setdefault("function", {})
            function["arguments"] = function.get("arguments", "") + rest
            return
    calls.append({"index": place[2], "function": {"arguments": rest}})
