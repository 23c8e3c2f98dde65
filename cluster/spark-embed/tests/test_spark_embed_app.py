"""The embedding server's routes, over random models that need nothing but Python."""

import asyncio
import base64
import json
import struct
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import httpx
import pytest

from spark_embed.app import build_app
from spark_embed.meters import Meters
from spark_embed.ports import Encoded, Models, OutOfMemoryError, Tokens
from spark_embed.server import Server
from spark_embed.settings import Settings
from spark_embed.tiny import TinyEncoder, TinyRanker, tiny_models
from spark_embed.token_ids import refuse


@asynccontextmanager
async def serving(
    models: Models | None = None, decode: Any = refuse, **changes: Any
) -> AsyncIterator[tuple[Server, httpx.AsyncClient]]:
    """Run a server whose models are loaded."""
    server = Server(Settings(**changes), lambda _: models or tiny_models(), Meters())
    await server.start()
    transport = httpx.ASGITransport(build_app(server, decode), raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://embed") as http:
        yield server, http
    server.stop()


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with serving() as (_, client):
        yield client


async def said(http: httpx.AsyncClient, path: str, status: int = 200, **body: Any) -> Any:
    answer = await http.post(path, json=body)
    assert answer.status_code == status, answer.text
    return answer.json()


async def test_a_text_becomes_a_vector_of_length_one(http):
    answer = await said(http, "/v1/embeddings", input="Paris is in France.", model="tiny")
    assert (answer["object"], answer["model"]) == ("list", "tiny")
    assert answer["usage"] == {"prompt_tokens": 7, "total_tokens": 7}
    row = answer["data"][0]
    assert set(row) == {"index", "object", "embedding"}
    assert sum(value**2 for value in row["embedding"]) == pytest.approx(1)


async def test_company_in_a_batch_changes_nothing(http):
    texts = ["one", "two words", "a somewhat longer text, with more words"]
    together = await said(http, "/v1/embeddings", input=texts)
    alone = [(await said(http, "/v1/embeddings", input=text))["data"][0] for text in texts]
    assert [row["embedding"] for row in together["data"]] == [row["embedding"] for row in alone]
    assert [row["index"] for row in together["data"]] == [0, 1, 2]


async def test_base64_is_the_same_vector_in_four_bytes_each(http):
    plain = (await said(http, "/v1/embeddings", input="Paris"))["data"][0]["embedding"]
    coded = await said(http, "/v1/embeddings", input="Paris", encoding_format="base64")
    packed = base64.b64decode(coded["data"][0]["embedding"])
    assert struct.unpack(f"<{len(plain)}f", packed) == pytest.approx(plain, abs=1e-6)


async def test_weights_come_beside_the_vector_or_alone(http):
    both = await said(http, "/v1/embeddings", input=["cat cat", "dog"], return_sparse=True)
    first = both["data"][0]["sparse_embedding"]
    assert len(first["indices"]) == len(set(first["indices"])) == len(first["values"])
    alone = await said(http, "/embed_sparse", inputs=["cat cat", "dog"])
    assert [[one["index"] for one in row] for row in alone] == [
        row["sparse_embedding"]["indices"] for row in both["data"]
    ]


@pytest.mark.parametrize("path", ["/rerank", "/v1/rerank", "/v2/rerank"])
async def test_documents_are_ranked(http, path):
    documents = ["cats purr", "the capital of France", {"text": "a capital letter"}]
    answer = await said(http, path, query="capital of France", documents=documents)
    assert [row["index"] for row in answer["results"]] == [1, 2, 0]
    assert answer["results"][0]["document"] == {"text": documents[1], "multi_modal": None}
    scores = [row["relevance_score"] for row in answer["results"]]
    assert scores == sorted(scores, reverse=True)
    top = await said(http, path, query="capital", documents=documents, top_n=1)
    assert len(top["results"]) == 1
    bare = await said(http, path, query="x", documents=documents, return_documents=False, top_n=0)
    assert [set(row) for row in bare["results"]] == [{"index", "relevance_score"}] * 3


async def test_what_is_loaded_says_what_it_is_for(http):
    listed = (await http.get("/v1/models")).json()["data"]
    assert [(row["id"], row["kind"]) for row in listed] == [
        ("tiny", "embedding"),
        ("tiny-rerank", "rerank"),
    ]


@pytest.mark.parametrize(
    ("method", "path", "status", "kind"),
    [
        ("GET", "/v1/nothing", 404, "NotFoundError"),
        ("POST", "/v1/chat/completions", 404, "NotFoundError"),
        ("GET", "/v1/embeddings", 405, "MethodNotAllowed"),
    ],
)
async def test_an_address_that_is_not_there_is_refused_as_everything_is(
    http, method, path, status, kind
):
    answer = await http.request(method, path)
    assert answer.status_code == status
    error = answer.json()["error"]
    assert (error["type"], error["code"], error["param"]) == (kind, status, None)
    assert answer.headers.get("allow") == ("POST" if status == 405 else None)


class NoNumbers(TinyEncoder):
    def run(self, batch: Sequence[Tokens]) -> list[Encoded]:
        return [Encoded([float("nan")] * self.dimensions, {}) for _ in batch]


class NoScores(TinyRanker):
    def run(self, batch: Sequence[Tokens]) -> list[float]:
        return [float("nan") for _ in batch]


@pytest.mark.parametrize("coding", ["float", "base64"])
async def test_what_is_no_number_is_no_answer(coding):
    async with serving(Models(NoNumbers(), NoScores())) as (_, http):
        answer = await said(http, "/v1/embeddings", 500, input="a", encoding_format=coding)
        assert answer["error"]["type"] == "InternalServerError"
        await said(http, "/v1/rerank", 500, query="a", documents=["b"])
        assert (await http.get("/health")).status_code == 200


async def test_a_bug_is_told_as_an_error_and_not_as_a_page():
    class Broken(TinyEncoder):
        def tokenize(self, texts: Sequence[str]) -> list[Tokens]:
            raise ZeroDivisionError("what was said stays here")

    async with serving(Models(Broken(), None)) as (_, http):
        answer = await said(http, "/v1/embeddings", 500, input="a")
        assert answer["error"]["message"] == "Something failed here: ZeroDivisionError."


@pytest.mark.parametrize(
    ("path", "body", "status", "says"),
    [
        ("/v1/embeddings", {}, 400, "input is required"),
        ("/v1/embeddings", {"input": []}, 400, "at least one prompt"),
        ("/v1/embeddings", {"input": ["a", 1]}, 400, "list of texts"),
        ("/v1/embeddings", {"input": [[1], "a"]}, 400, "list of texts"),
        ("/v1/embeddings", {"input": [[]]}, 400, "list of texts"),
        ("/v1/embeddings", {"input": [True]}, 400, "list of texts"),
        ("/v1/embeddings", {"input": [-1]}, 400, "list of texts"),
        ("/v1/embeddings", {"input": {"a": 1}}, 400, "list of texts"),
        ("/v1/embeddings", {"input": "a", "encoding_format": "hex"}, 400, "encoding_format"),
        ("/v1/embeddings", {"input": "a", "dimensions": 8}, 400, "Matryoshka"),
        ("/v1/embeddings", {"input": "a", "model": "nope"}, 404, "`nope` does not exist"),
        ("/v1/embeddings", {"input": "w " * 600}, 400, "maximum context length is 512"),
        ("/v1/embeddings", {"input": "a", "truncate_prompt_tokens": 0}, 400, "truncate"),
        ("/v1/embeddings", {"input": ["a"] * 2049}, 413, "At most 2048"),
        ("/embed_sparse", {}, 400, "inputs is required"),
        ("/rerank", {"documents": ["a"]}, 400, "query"),
        ("/rerank", {"query": "a"}, 400, "documents"),
        ("/rerank", {"query": "a", "documents": []}, 400, "At least one"),
        ("/rerank", {"query": "a", "documents": [1]}, 400, "list of texts"),
        ("/rerank", {"query": "a", "documents": ["b"], "top_n": "x"}, 400, "top_n"),
        ("/rerank", {"query": "a", "documents": ["b"], "model": "tiny"}, 404, "does not exist"),
    ],
)  # fmt: skip
async def test_what_cannot_be_answered_is_refused_in_openai_s_form(http, path, body, status, says):
    error = (await said(http, path, status, **body))["error"]
    assert says in error["message"]
    assert set(error) == {"message", "type", "param", "code"}
    assert error["code"] == status


@pytest.mark.parametrize("raw", [b"", b"{", b"[]", b"\xff", b"[" * 100_000, b'"a"'])
async def test_bytes_that_are_no_request_are_refused(http, raw):
    answer = await http.post("/v1/embeddings", content=raw)
    assert answer.status_code == 400
    assert "JSON" in answer.json()["error"]["message"]


async def test_text_that_is_half_a_character_is_read_all_the_same(http):
    raw = json.dumps({"input": "a\ud800b"}).encode()
    assert (await http.post("/v1/embeddings", content=raw)).status_code == 200


@pytest.mark.parametrize("given", [[1, 2, 3], [[1, 2], [3]]])
async def test_token_ids_are_read_back_where_the_vocabulary_is_there(given):
    def spell(ids: Sequence[int]) -> str:
        return " ".join(f"word{one}" for one in ids)

    texts = [spell(one) for one in given] if isinstance(given[0], list) else spell(given)
    async with serving(decode=spell) as (_, http):
        from_ids = await said(http, "/v1/embeddings", input=given)
        from_text = await said(http, "/v1/embeddings", input=texts)
    assert [row["embedding"] for row in from_ids["data"]] == [
        row["embedding"] for row in from_text["data"]
    ]
    async with serving() as (_, http):
        error = (await said(http, "/v1/embeddings", 400, input=given))["error"]
    assert "check_embedding_ctx_length=False" in error["message"]


async def test_a_long_text_is_cut_when_that_was_asked_for(http):
    long = "w " * 600
    cut = await said(http, "/v1/embeddings", input=long, truncate_prompt_tokens=-1)
    assert cut["usage"]["prompt_tokens"] == 512
    short = await said(http, "/v1/embeddings", input=long, truncate_prompt_tokens=9)
    assert short["usage"]["prompt_tokens"] == 9
    assert await said(http, "/embed_sparse", inputs=long, truncate=True)


async def test_a_body_that_is_too_long_is_not_read_to_its_end():
    async with serving(embed_max_body_mb=1) as (_, http):
        sent = 0

        async def endless() -> AsyncIterator[bytes]:
            nonlocal sent
            for _ in range(100):
                sent += 1
                yield b" " * 100_000

        answer = await http.post("/v1/embeddings", content=endless())
    assert answer.status_code == 413
    assert sent < 20


class SlowEncoder(TinyEncoder):
    """Runs when the test lets it, and fails as the test says."""

    def __init__(self) -> None:
        super().__init__(dimensions=4)
        self.go = threading.Event()
        self.most_at_once = 1000
        self.fault: Exception | None = None

    def run(self, batch: Sequence[Tokens]) -> list[Encoded]:
        self.go.wait(60)
        if self.fault is not None:
            raise self.fault
        if len(batch) > self.most_at_once:
            raise OutOfMemoryError
        return super().run(batch)


def at_work(server: Server) -> bool:
    """Say whether a batch was begun and nothing waits for the next one."""
    encoding = server._encoding
    return encoding is not None and encoding._working is not None and not encoding._waiting


async def test_what_waits_while_a_batch_runs_is_the_next_batch():
    encoder = SlowEncoder()
    async with serving(Models(encoder, None), embed_batch_items=8) as (server, http):
        asked = [asyncio.create_task(said(http, "/v1/embeddings", input="one"))]
        while not at_work(server):
            await asyncio.sleep(0.01)
        asked += [
            asyncio.create_task(said(http, "/v1/embeddings", input=f"text {n}")) for n in range(10)
        ]
        while server.waiting_tokens < 10 * 4:
            await asyncio.sleep(0.01)
        encoder.go.set()
        await asyncio.gather(*asked)
    assert encoder.batches == [1, 8, 2]


async def test_padding_counts_in_what_a_batch_may_hold():
    encoder = SlowEncoder()
    encoder.go.set()
    texts = ["w " * 50, *["a"] * 5]
    async with serving(Models(encoder, None), embed_batch_tokens=110, embed_max_tokens=100) as (
        _,
        http,
    ):
        await said(http, "/v1/embeddings", input=texts)
    assert encoder.batches == [2, 4]


async def test_a_batch_that_does_not_fit_is_halved_until_it_does():
    encoder = SlowEncoder()
    encoder.go.set()
    encoder.most_at_once = 2
    async with serving(Models(encoder, None)) as (server, http):
        answer = await said(http, "/v1/embeddings", input=["a", "b", "c", "d", "e"])
        assert len(answer["data"]) == 5
        encoder.most_at_once = 0
        error = await said(http, "/v1/embeddings", 503, input="a")
        assert "memory" in error["error"]["message"]
        assert server.state == "ok"


async def test_more_than_may_wait_is_told_to_come_back():
    encoder = SlowEncoder()
    async with serving(Models(encoder, None), embed_queue_tokens=20) as (server, http):
        first = asyncio.create_task(said(http, "/v1/embeddings", input="one"))
        while not at_work(server):
            await asyncio.sleep(0.01)
        second = asyncio.create_task(said(http, "/v1/embeddings", input="w " * 15))
        while server.waiting_tokens < 17:
            await asyncio.sleep(0.01)
        answer = await http.post("/v1/embeddings", json={"input": "two more words"})
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "1"
        assert (await http.post("/v1/embeddings", json={"input": "w " * 30})).status_code == 413
        encoder.go.set()
        await asyncio.gather(first, second)


async def test_who_leaves_while_waiting_costs_the_model_nothing():
    encoder = SlowEncoder()
    async with serving(Models(encoder, None)) as (server, http):
        first = asyncio.create_task(said(http, "/v1/embeddings", input="one"))
        while not at_work(server):
            await asyncio.sleep(0.01)
        leaver = asyncio.create_task(server._encoding.submit([[0, 5, 2]] * 3))
        while server.waiting_tokens < 9:
            await asyncio.sleep(0.01)
        leaver.cancel()
        await asyncio.gather(leaver, return_exceptions=True)
        encoder.go.set()
        await first
        await said(http, "/v1/embeddings", input="two")
    assert encoder.batches == [1, 1]
    assert server.waiting_tokens == 0


async def test_a_model_that_breaks_turns_health_red_and_ends_the_process():
    encoder, ended = SlowEncoder(), []
    encoder.go.set()
    encoder.fault = RuntimeError("CUDA error: an illegal memory access was encountered")
    server = Server(
        Settings(), lambda _: Models(encoder, None), Meters(), lambda: ended.append(True)
    )
    await server.start()
    transport = httpx.ASGITransport(build_app(server, refuse))
    async with httpx.AsyncClient(transport=transport, base_url="http://embed") as http:
        assert (await http.get("/health")).json() == {"status": "ok"}
        await said(http, "/v1/embeddings", 503, input="a")
        health = await http.get("/health")
        assert (health.status_code, health.json()["status"]) == (503, "failed")
        await said(http, "/v1/embeddings", 503, input="a")
    assert ended == [True]
    server.stop()


async def test_before_the_models_are_there_everything_says_so():
    server = Server(Settings(), lambda _: tiny_models(rerank=False), Meters())
    transport = httpx.ASGITransport(build_app(server, refuse))
    async with httpx.AsyncClient(transport=transport, base_url="http://embed") as http:
        assert (await http.get("/health")).status_code == 503
        answer = await http.post("/v1/embeddings", json={"input": "a"})
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
        await server.start()
        assert (await http.get("/health")).status_code == 200
        ids = [one["id"] for one in (await http.get("/v1/models")).json()["data"]]
        assert ids == ["tiny"]
        assert (await http.post("/rerank", json={})).status_code == 404
    server.stop()


async def test_weights_that_cannot_be_loaded_are_the_state():
    def fail(_: Settings) -> Models:
        raise OSError("org/model is not a local folder")

    server = Server(Settings(), fail, Meters())
    await server.start()
    assert server.state == "failed"
    assert "org/model" in (server.problem or "")
    server.stop()


async def test_numbers_are_told_without_the_texts(http):
    await said(http, "/v1/embeddings", input="a secret text")
    await said(http, "/v1/rerank", query="secret", documents=["a"])
    await http.get("/nowhere-secret")
    text = (await http.get("/metrics")).text
    assert 'spark_embed_requests_total{route="/v1/embeddings",status="200"} 1.0' in text
    assert 'spark_embed_tokens_total{model="tiny"} 5.0' in text
    assert 'route="other",status="404"' in text
    assert "secret" not in text


def test_a_ranker_that_is_too_long_is_cut():
    pairs = TinyRanker(max_tokens=10).pair("a", ["b " * 50])
    assert len(pairs[0]) == 10
