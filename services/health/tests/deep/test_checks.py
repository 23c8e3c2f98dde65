"""Every check against servers that behave and servers that do not."""

import asyncio
import json
from collections.abc import Callable, Mapping
from typing import Any

import httpx
import pytest

from spark_common.clock import SystemClock
from spark_health.deep.checks.embeddings import Embeddings
from spark_health.deep.checks.language_model import LanguageModel
from spark_health.deep.checks.speech_to_text import SpeechToText
from spark_health.deep.checks.text_to_speech import KokoroSpeech, MagpieSpeech
from spark_health.deep.checks.vectors import Vectors
from spark_health.deep.ports import DeepCheck, Outcome, Place
from spark_health.deep.testing.waves import SILENCE, TONE, wav
from spark_sim.embed_http.app import EmbedServer
from spark_sim.qdrant.app import QdrantServer
from spark_sim.qdrant.collection import Collection

Reply = httpx.Response | Exception
Route = Reply | Callable[[httpx.Request], Reply]
PLACE = Place("x", "X", "http://spark:1", "spark1", "x")


def served(routes: Mapping[str, Route]) -> httpx.AsyncClient:
    """Return a client to a server that answers these paths; the last word of a path is enough."""

    def answer(request: httpx.Request) -> httpx.Response:
        request.read()
        route = routes.get(request.url.path, httpx.Response(404, json={"detail": "Not Found"}))
        found = route(request) if callable(route) else route
        if isinstance(found, Exception):
            raise found
        return found

    return httpx.AsyncClient(transport=httpx.MockTransport(answer))


async def run(check: Callable[..., DeepCheck], http: httpx.AsyncClient, *more: Any) -> Outcome:
    return await check(PLACE, http, SystemClock(), *more).run()


def said(value: object, status: int = 200) -> httpx.Response:
    return httpx.Response(status, content=json.dumps(value))


def state(name: str | None) -> Any:
    async def loaded() -> str | None:
        return name

    return loaded


STT, TTS, CHAT = "/v1/audio/transcriptions", "/v1/audio/speech", "/v1/chat/completions"
REFUSED, LATE, CUT = (
    httpx.ConnectError("refused"),
    httpx.ReadTimeout("late"),
    httpx.RemoteProtocolError("Server disconnected without sending a response."),
)
CUDA = {"detail": "Transcription failed: CUDA error: an illegal memory access was encountered"}


@pytest.mark.parametrize(
    ("reply", "expected", "trouble"),
    [
        (said({"text": "this is a short test of the speech service"}), "ok", None),
        (said({"text": ""}), "failing", None),
        (said({"segments": []}), "failing", None),
        (httpx.Response(200, content=b"<html>"), "failing", None),
        (httpx.Response(200, content=b"[" * 100_000), "failing", None),
        (said(CUDA, 500), "failing", "gpu_error"),
        (said({"detail": "cuFFT error: CUFFT_EXEC_FAILED"}, 503), "failing", "gpu_error"),
        (said({"detail": "Transcription failed"}, 500), "failing", "server_error"),
        (said({}, 502), "failing", "server_error"),
        (said({"detail": "Model is loading"}, 503), "loading", None),
        (said({}, 503), "loading", None),
        (said({}, 429), "busy", None),
        (said({}, 413), "failing", None),
        (REFUSED, "down", None),
        (httpx.ConnectTimeout("away"), "down", None),
        (LATE, "busy", "silent"),
        (CUT, "failing", "cut_off"),
        (httpx.ReadError("reset"), "failing", "cut_off"),
    ],
)
async def test_what_an_answer_means(reply: Reply, expected: str, trouble: str | None) -> None:
    found = await run(SpeechToText, served({STT: reply}))
    assert (found.state, found.trouble) == (expected, trouble)
    assert found.sentence


async def test_the_clip_itself_is_sent_and_no_transcript_is_kept() -> None:
    bodies: list[bytes] = []

    def answer(request: httpx.Request) -> Reply:
        bodies.append(request.content)
        return said({"text": "This is a short test of the secret service."})

    found = await run(SpeechToText, served({STT: answer}))
    assert b"RIFF" in bodies[0]
    assert dict(found.facts) == {"words_heard": 8, "words_said": 9}
    assert "secret" not in repr(found)


@pytest.mark.parametrize("check", [KokoroSpeech, MagpieSpeech])
@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (wav(TONE), "ok"),
        (wav(SILENCE), "failing"),
        (b"", "failing"),
        (b"ID3 no wav", "failing"),
    ],
    ids=["sound", "silence", "nothing", "mp3"],
)
async def test_speech_is_decoded(check: Any, body: bytes, expected: str) -> None:
    routes = dict.fromkeys((TTS, "/v1/audio/synthesize"), httpx.Response(200, content=body))
    assert (await run(check, served(routes))).state == expected


def tokens(**message: object) -> dict[str, Any]:
    return {"choices": [{"message": message, "finish_reason": "length"}]}


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (tokens(content="OK"), "ok"),
        (tokens(content=None, reasoning="The"), "ok"),
        (tokens(content=None, reasoning_content="The"), "ok"),
        (tokens(content=None) | {"usage": {"completion_tokens": 1}}, "ok"),
        (tokens(content=None) | {"usage": {"completion_tokens": 0}}, "failing"),
        ({"choices": []}, "failing"),
        ({"choices": "junk", "usage": []}, "failing"),
    ],
    ids=["plain", "reasoning", "older reasoning", "swallowed", "none", "no choice", "junk"],
)
async def test_one_token_of_any_model(reply: Any, expected: str) -> None:
    routes = {"/v1/models": said({"data": [{"id": "m"}]}), CHAT: said(reply)}
    assert (await run(LanguageModel, served(routes), state("serving"))).state == expected


@pytest.mark.parametrize(
    ("known", "reply", "expected"),
    [
        ("idle", REFUSED, "idle"),
        (None, REFUSED, "idle"),
        (None, httpx.ConnectTimeout("away"), "down"),
        ("starting", REFUSED, "loading"),
        ("serving", REFUSED, "down"),
        ("serving", said({"data": []}), "failing"),
    ],
)
async def test_no_model_is_idle_and_not_failing(
    known: str | None, reply: Reply, expected: str
) -> None:
    found = await run(LanguageModel, served({"/v1/models": reply}), state(known))
    assert found.state == expected


async def test_models_without_a_chat_do_what_they_can() -> None:
    models = said({"data": [{"id": "m"}]})
    base = {"/v1/models": models, "/v1/completions": said({"choices": [{"text": "O"}]})}
    assert (await run(LanguageModel, served(base), state("serving"))).state == "ok"
    pooling = {"/v1/models": models, "/v1/embeddings": said({"data": [{"embedding": [1.0]}]})}
    assert (await run(LanguageModel, served(pooling), state("serving"))).state == "ok"


@pytest.mark.parametrize("moves", [True, False])
async def test_counters_that_move_are_life(moves: bool) -> None:
    counted = iter(range(100))

    def metrics(_: httpx.Request) -> Reply:
        value = next(counted) if moves else 5
        return httpx.Response(200, content=f'vllm:generation_tokens_total{{a="b"}} {value}e3\n')

    routes = {"/v1/models": said({"data": [{"id": "m"}]}), CHAT: LATE, "/metrics": metrics}
    found = await run(LanguageModel, served(routes), state("serving"))
    assert found.state == "busy"
    assert ("writes other answers" in found.sentence) is moves


@pytest.mark.parametrize(
    ("vector", "expected"),
    [
        ([0.1, -0.2, 3], "ok"),
        ([0.1, float("nan")], "failing"),
        ([float("inf")], "failing"),
        ([0.0, 0.0], "failing"),
        ([], "failing"),
        ("AAAA", "failing"),
        ([0.1, None], "failing"),
    ],
)
async def test_embeddings_are_finite_numbers(vector: Any, expected: str) -> None:
    routes = {"/v1/embeddings": said({"data": [{"embedding": vector}]})}
    found = await run(Embeddings, served(routes))
    assert found.state == expected
    if expected == "ok":
        assert found.facts["dimension"] == len(vector)


async def test_the_embedding_server_of_the_sparks_does_its_job() -> None:
    server = EmbedServer()
    http = httpx.AsyncClient(transport=httpx.ASGITransport(server))
    found = await run(Embeddings, http)
    assert (found.state, found.facts["dimension"]) == ("ok", 1024)
    assert "/v1/embeddings" in server.calls
    server.loading = True
    assert (await run(Embeddings, http)).state == "loading"


async def test_qdrant_searches_where_there_is_something() -> None:
    server = QdrantServer()
    http = httpx.AsyncClient(transport=httpx.ASGITransport(server))
    assert (await run(Vectors, http)).facts == {"collections": 0}
    form = {"size": 3, "distance": "Cosine"}
    server.collections["plain"] = Collection.made_of("plain", {"vectors": form})
    server.collections["plain"].put({"id": 1, "vector": [1, 0, 0]})
    found = await run(Vectors, http)
    assert (found.state, found.facts["points_found"]) == ("ok", 1)
    server.collections["a named one"] = Collection.made_of(
        "a named one", {"vectors": {"dense": form}}
    )
    assert (await run(Vectors, http)).facts["points_found"] == 0
    server.api_key = "other"
    assert (await run(Vectors, http)).state == "failing"


async def test_an_endless_answer_ends() -> None:
    async def endless() -> Any:
        while True:
            yield b"x" * 1_000_000
            await asyncio.sleep(0)

    found = await run(SpeechToText, served({STT: httpx.Response(200, content=endless())}))
    assert found.state == "failing"
