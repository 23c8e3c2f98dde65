"""vLLM: one token out of whatever is loaded. Nothing loaded is idle, which is well."""

from collections.abc import Mapping
from typing import Any, Protocol

import httpx

from spark_common.clock import Clock
from spark_health.deep.answers import REFUSED, Answer, JobFailedError
from spark_health.deep.counters import Counters, read_counters
from spark_health.deep.job import HttpJob
from spark_health.deep.ports import Outcome, Place

_SECONDS = 25.0
_LOOK_SECONDS = 5.0


class Loaded(Protocol):
    """What is known of the runtime by whoever owns it."""

    async def __call__(self) -> str | None:
        """Return ``idle``, ``starting``, ``serving`` ..., or None when nobody can say."""
        ...


class LanguageModel(HttpJob):
    """Asks for one token; a thinking model's first thought is one."""

    def __init__(self, place: Place, http: httpx.AsyncClient, clock: Clock, loaded: Loaded) -> None:
        super().__init__(place, http, clock)
        self._loaded = loaded

    async def _job(self) -> Outcome:
        before: Counters | None = None
        try:
            name = await self._name()
            before = await self._counters()
            return await self._token(name)
        except JobFailedError as failed:
            return await self._understood(failed.outcome, before)

    async def _name(self) -> str:
        answer = await self._ask("GET", "/v1/models", _LOOK_SECONDS)
        rows = answer.json().get("data")
        for row in rows if isinstance(rows, list) else ():
            if isinstance(row, dict) and isinstance(row.get("id"), str):
                return str(row["id"])
        raise answer.wrong("it serves, and names no model")

    async def _token(self, name: str) -> Outcome:
        message = {"role": "user", "content": "Say OK."}
        body: dict[str, Any] = {"model": name, "messages": [message], "temperature": 0}
        try:
            answer = await self._ask(
                "POST", "/v1/chat/completions", _SECONDS, json={**body, "max_tokens": 1}
            )
            return _one_token(answer)
        except JobFailedError as failed:
            if not _has_no_such_route(failed.outcome):
                raise
        try:
            prompt = {"model": name, "prompt": "Say OK.", "max_tokens": 1, "temperature": 0}
            return _one_token(await self._ask("POST", "/v1/completions", _SECONDS, json=prompt))
        except JobFailedError as failed:
            if not _has_no_such_route(failed.outcome):
                raise
        embedding = {"model": name, "input": "OK"}
        answer = await self._ask("POST", "/v1/embeddings", _SECONDS, json=embedding)
        if not answer.json().get("data"):
            raise answer.wrong("it answered without an embedding")
        return Outcome("ok", "the model without a chat gave an embedding", answer.latency_ms)

    async def _understood(self, outcome: Outcome, before: Counters | None) -> Outcome:
        if outcome.state == "down":
            known, refused = await self._loaded(), REFUSED in outcome.evidence
            if known == "idle" or (refused and known in {None, "unknown"}):
                return Outcome("idle", "no model is loaded")
            if known == "starting":
                return Outcome("loading", "a model is being loaded")
            return outcome
        if outcome.trouble == "silent" and before is not None:
            after = await self._counters()
            if after is not None and after.moved_since(before):
                return Outcome("busy", "busy: it writes other answers and had no turn for ours")
        return outcome

    async def _counters(self) -> Counters | None:
        try:
            return read_counters((await self._ask("GET", "/metrics", _LOOK_SECONDS)).body)
        except JobFailedError:
            return None


def _has_no_such_route(outcome: Outcome) -> bool:
    """A model without a chat template, or one that only embeds, refuses with one of these."""
    said = set(outcome.evidence)
    return outcome.trouble is None and bool(said & {"HTTP 400", "HTTP 404", "HTTP 405", "HTTP 501"})


def _one_token(answer: Answer) -> Outcome:
    body = answer.json()
    usage = body.get("usage")
    tokens = usage.get("completion_tokens") if isinstance(usage, Mapping) else None
    if isinstance(tokens, int) and not isinstance(tokens, bool) and tokens > 0:
        return Outcome("ok", "one token came", answer.latency_ms)
    choices = body.get("choices")
    choice = choices[0] if isinstance(choices, list) and choices else None
    if isinstance(choice, Mapping) and _text_in(choice):
        return Outcome("ok", "one token came", answer.latency_ms)
    raise answer.wrong("it answered without a token")


def _text_in(choice: Mapping[str, Any]) -> bool:
    message = choice.get("message")
    said = message if isinstance(message, Mapping) else choice
    return any(
        isinstance(said.get(name), str) and said[name]
        for name in ("content", "reasoning", "reasoning_content", "text")
    )
