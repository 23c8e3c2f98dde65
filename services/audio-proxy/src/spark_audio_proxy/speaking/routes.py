"""``POST /v1/audio/speech``."""

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final

import structlog
from fastapi import APIRouter, Request
from pydantic import JsonValue
from starlette.responses import Response

from spark_audio_proxy.api.company import unless_left
from spark_audio_proxy.intake.small_body import read_small_body
from spark_audio_proxy.permits.permits import Permits
from spark_audio_proxy.problems import SpeechError
from spark_audio_proxy.speaking.answer import MadeAnswer
from spark_audio_proxy.speaking.asked import SpeechAsked, read_speech
from spark_audio_proxy.speaking.cache import LARGEST_ENTRY, Cache, key_of
from spark_audio_proxy.speaking.encoding import MEDIA_TYPES
from spark_audio_proxy.speaking.framing import Seconds, as_events, encoded, sized
from spark_audio_proxy.speaking.metrics import CHARS, CUT, FIRST_BYTE
from spark_audio_proxy.speaking.speaker import Beginning, Script, Speaker
from spark_audio_proxy.speaking.turns import Turns
from spark_audio_proxy.transcribing.caller import client_of
from spark_common.clock import Clock

_LARGEST_BODY: Final = 2 * 1024 * 1024
"""Bytes: the longest input, escaped."""
_EVENTS: Final = "text/event-stream"

log = structlog.get_logger()


def speaking_router(speaker: Speaker, cache: Cache, permits: Permits, clock: Clock) -> APIRouter:
    """Return the route."""
    router = APIRouter()

    @router.post("/v1/audio/speech")
    async def speech(request: Request) -> Response:
        began = clock.monotonic()
        asked = read_speech(await _json_of(request))
        request.state.format = asked.format
        request.state.stage = "speech"
        script = await speaker.script(asked)
        key = key_of(script.spoken.engine, script.manner, asked.format, script.text)
        kept = None if asked.as_events else await asyncio.to_thread(cache.get, key)
        if kept is not None:
            return _at_once(asked, kept, script.spoken.engine, "hit")
        # Not before there is sound: a voice or a server that fails is a real error till then.
        turns = Turns(permits, clock, client_of(request))
        beginning = await unless_left(request.receive, speaker.begin(script, turns.turn))
        waited = str(round(1000 * turns.first_waited_seconds))
        CHARS.labels(beginning.engine).inc(len(script.text))
        FIRST_BYTE.labels(beginning.engine).observe(clock.monotonic() - began)
        if beginning.engine != script.spoken.engine:
            key = ""
        body = _body(beginning, asked, script)
        if cache.on and key and not asked.as_events:
            body = _keeping(body, cache, key, asked)
        if asked.whole and not asked.as_events:
            async with aclosing(beginning.rest):
                whole = await unless_left(request.receive, _all_of(body))
            return _at_once(asked, whole, beginning.engine, waited=waited)
        media_type = _EVENTS if asked.as_events else MEDIA_TYPES[asked.format]
        return MadeAnswer(
            body,
            media_type,
            {"x-tts-engine": beginning.engine, "x-queue-ms": waited, "cache-control": "no-cache"},
            beginning.rest.aclose,
        )

    return router


async def _json_of(request: Request) -> JsonValue:
    try:
        parsed: JsonValue = json.loads(await read_small_body(request, _LARGEST_BODY))
    except (ValueError, RecursionError) as error:
        raise SpeechError("invalid_value", "the body is not JSON") from error
    return parsed


async def _body(
    beginning: Beginning, asked: SpeechAsked, script: Script
) -> AsyncGenerator[bytes, None]:
    seconds = Seconds()
    body = encoded(seconds.of(beginning.samples()), asked.format)
    if asked.as_events:
        body = as_events(body, script.text, seconds)
    try:
        async for data in body:
            yield data
    except SpeechError as error:
        CUT.labels(beginning.engine).inc()
        log.warning("speech.cut_short", engine=beginning.engine, reason=error.code)
        raise


async def _all_of(body: AsyncGenerator[bytes, None]) -> bytes:
    async with aclosing(body):
        return b"".join([data async for data in body])


async def _keeping(
    body: AsyncGenerator[bytes, None], cache: Cache, key: str, asked: SpeechAsked
) -> AsyncGenerator[bytes, None]:
    """Pass an answer on, and keep it once it is whole."""
    parts: list[bytes] = []
    size = 0
    async with aclosing(body):
        async for data in body:
            size += len(data)
            if size <= LARGEST_ENTRY:
                parts.append(data)
            yield data
    if size <= LARGEST_ENTRY:
        await asyncio.to_thread(cache.put, key, sized(asked.format, b"".join(parts)))


def _at_once(
    asked: SpeechAsked, whole: bytes, engine: str, cache: str = "", waited: str = "0"
) -> Response:
    headers = {"x-tts-engine": engine, "x-queue-ms": waited}
    headers |= {"x-tts-cache": cache} if cache else {}
    return Response(sized(asked.format, whole), 200, headers, MEDIA_TYPES[asked.format])
