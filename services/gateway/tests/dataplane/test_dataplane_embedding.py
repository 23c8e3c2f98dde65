"""OpenAI's client through the data plane, to the simulated embedding server and to the real one."""

import contextlib
from collections.abc import AsyncIterator

import httpx
import pytest

from spark_common.clock import SystemClock
from spark_common.testing.later import Later
from spark_common.testing.wait import PATIENCE_SECONDS, until
from spark_embed.app import build_app
from spark_embed.meters import Meters
from spark_embed.server import Server
from spark_embed.settings import Settings
from spark_embed.tiny import tiny_models
from spark_gateway.catalogue import Catalogue
from spark_gateway.dataplane.ports import Upstream
from spark_gateway.dataplane.reservation import Reservation
from spark_gateway.dataplane.watch import UpstreamWatch
from spark_sim.embed_http.app import EmbedServer
from spark_sim.standing_in import standing_in

openai = Later("openai")

KINDS = ("simulated", "real")
DOCUMENTS = ["Cats purr.", "Paris is the capital of France."]


@contextlib.asynccontextmanager
async def a_server(kind: str) -> AsyncIterator[int]:
    if kind == "simulated":
        async with standing_in(EmbedServer()) as port:
            yield port
        return
    server = Server(Settings(), lambda _: tiny_models(), Meters())
    await server.start()
    # The vocabulary of cl100k is not on this machine: what it would say stands for it.
    decode = lambda ids: " ".join(f"word{number}" for number in ids)  # noqa: E731 - one expression
    async with standing_in(build_app(server, decode)) as port:
        yield port
    server.stop()


@pytest.fixture(params=KINDS)
async def base(request, make_plane):
    """The address of a gateway, and the names of what it has beside the model."""
    async with (
        a_server(request.param) as port,
        httpx.AsyncClient(timeout=PATIENCE_SECONDS) as http,
    ):
        plane = await make_plane()
        plane.upstream.port = port
        watch = UpstreamWatch(lambda: Upstream("127.0.0.1", port), http, SystemClock())

        async def known() -> bool:
            """A look has little patience, and both sides share a processor here."""
            await watch.look()
            return watch.served.paths is not None

        await until(known, "it is known what is served, and where")
        aliases = (f"mine={watch.models()[0].id}",)
        idle = UpstreamWatch(lambda: Upstream("127.0.0.1", 9), http, SystemClock())
        catalogue = Catalogue(
            lambda: idle.served, lambda: watch.served, lambda: aliases, lambda: True, tuple, 0
        )
        free = Reservation(lambda: None, lambda: frozenset(), SystemClock())
        plane.chooser = plane.choose_with(free, catalogue)
        yield request.param, f"http://127.0.0.1:{plane.port}", catalogue


async def test_embeddings_come_as_numbers_and_as_base64_under_every_name(base):
    kind, url, catalogue = base
    name = catalogue.first("embedding").id
    async with openai.AsyncOpenAI(base_url=f"{url}/v1", api_key="any", max_retries=0) as client:
        told = []
        for model in (name, "mine", "auto"):
            # Unless told otherwise this client asks for base64.
            packed = await client.embeddings.create(model=model, input=DOCUMENTS)
            plain = await client.embeddings.create(
                model=model, input=DOCUMENTS, encoding_format="float"
            )
            assert packed.model == plain.model == name
            for one, other in zip(packed.data, plain.data, strict=True):
                assert one.embedding == pytest.approx(other.embedding, abs=1e-6)
            told.append([row.embedding for row in plain.data])
        assert told[0] == told[1] == told[2]
        with pytest.raises(openai.NotFoundError, match="no model 'nope' here"):
            await client.embeddings.create(model="nope", input="a")
        if kind == "simulated":
            with pytest.raises(openai.BadRequestError, match="check_embedding_ctx_length=False"):
                await client.embeddings.create(model=name, input=[[1, 2], [3]])
        else:
            ids = await client.embeddings.create(model=name, input=[[1, 2], [3]])
            text = await client.embeddings.create(model=name, input=["word1 word2", "word3"])
            assert [row.embedding for row in ids.data] == [row.embedding for row in text.data]


@pytest.mark.parametrize("path", ["/v1/rerank", "/v2/rerank", "/rerank"])
async def test_documents_are_ranked_as_jina_cohere_and_vllm_ask_for_it(base, path):
    _, url, catalogue = base
    name = catalogue.first("rerank").id
    query = "the capital of France"
    jina = {"model": name, "query": query, "documents": [{"text": t} for t in DOCUMENTS]}
    cohere1 = {"model": "auto", "query": query, "documents": DOCUMENTS, "return_documents": True}
    cohere2 = {"model": name, "query": query, "documents": DOCUMENTS, "top_n": 1}
    vllm = {"query": query, "documents": DOCUMENTS, "top_n": 0}
    async with httpx.AsyncClient(base_url=url, timeout=PATIENCE_SECONDS) as http:
        for body, count in ((jina, 2), (cohere1, 2), (cohere2, 1), (vllm, 2)):
            answer = await http.post(path, json=body)
            assert answer.status_code == 200, answer.text
            said = answer.json()
            assert (said["model"], len(said["results"])) == (name, count)
            first = said["results"][0]
            assert first["index"] == 1
            assert isinstance(first["relevance_score"], float)
            assert first["document"]["text"] == DOCUMENTS[1]
            assert said["usage"]["total_tokens"] > 0
        refused = await http.post(path, json={"model": "nope", "query": "a", "documents": ["b"]})
        assert refused.status_code == 404
        assert refused.json()["error"]["code"] == "model_not_found"
        # A model that embeds has no such address, and says so as every error is said.
        wrong = await http.post("/v1/chat/completions", json={"model": "mine", "messages": []})
        assert wrong.status_code == 404
        assert wrong.json()["error"]["type"] == "NotFoundError"
