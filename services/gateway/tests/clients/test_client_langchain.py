"""``langchain-openai``, unmodified: chat, and embeddings with and without its token ids."""

import httpx
import pytest
from gateway_stand.town import LOADED

from spark_common.plain_http import plain_client
from spark_common.testing.later import Later

openai, tiktoken = Later("openai"), Later("tiktoken")
langchain_openai, messages = Later("langchain_openai"), Later("langchain_core.messages")

pytestmark = pytest.mark.connected
EMBEDDER = "BAAI/bge-m3"


def question():
    return [messages.HumanMessage("What is a control plane?")]


@pytest.fixture(scope="module")
def chat(town):
    return langchain_openai.ChatOpenAI(
        base_url=f"{town.url}/v1", api_key="none", model=LOADED, timeout=60
    )


def test_chat_whole_and_streamed(chat):
    whole = chat.invoke(question())
    assert "control plane" in whole.content
    assert whole.usage_metadata["output_tokens"] > 0
    pieces = list(chat.stream(question()))
    assert "".join(str(piece.content) for piece in pieces) == whole.content


async def test_chat_of_many_at_once(town):
    async with plain_client(timeout=60) as http:
        chat = langchain_openai.ChatOpenAI(
            base_url=f"{town.url}/v1", api_key="none", model=LOADED, http_async_client=http
        )
        answers = await chat.abatch([question()] * 8)
    assert len({answer.content for answer in answers}) == 1


def test_tools(town, chat, recorded):
    weather = {"title": "get_weather", "description": "Say the weather.", "type": "object",
               "properties": {"city": {"type": "string"}}}  # fmt: skip
    with town.answering(recorded("tools_required")):
        answer = chat.bind_tools([weather], tool_choice="required").invoke(question())
    (call,) = answer.tool_calls
    assert (call["name"], call["args"]) == ("get_weather", {"city": "Berlin"})


def test_the_responses_of_newer_defaults(chat):
    answer = chat.model_copy(update={"use_responses_api": True}).invoke(question())
    assert "control plane" in answer.text


@pytest.fixture
def vocabulary(monkeypatch):
    """One of bytes, in the place of the one that ``tiktoken`` would fetch from the internet.

    Which numbers are sent differs; that numbers are sent, and in which form, does not.
    """
    bytewise = tiktoken.Encoding(
        "cl100k_base",
        pat_str=r"\S+|\s+",
        mergeable_ranks={bytes([number]): number for number in range(256)},
        special_tokens={},
    )
    monkeypatch.setitem(tiktoken.registry.ENCODINGS, "cl100k_base", bytewise)


def embeddings(town, **more):
    return langchain_openai.OpenAIEmbeddings(
        base_url=f"{town.url}/v1", api_key="none", model=EMBEDDER, **more
    )


@pytest.fixture
def http():
    """A client that is closed: one of its own it leaves open."""
    with httpx.Client(trust_env=False) as client:
        yield client


def test_its_token_ids_are_refused_with_the_switch_that_helps(town, vocabulary, http):
    with pytest.raises(openai.BadRequestError) as caught:
        embeddings(town, http_client=http).embed_documents(["Paris", "Cats purr."])
    assert "check_embedding_ctx_length=False" in caught.value.message


def test_with_that_switch_documents_and_questions_are_embedded(town, http):
    switched = embeddings(town, check_embedding_ctx_length=False, http_client=http)
    documents = switched.embed_documents(["Paris", "Cats purr."])
    assert [len(vector) for vector in documents] == [1024, 1024]
    assert switched.embed_query("Paris") == pytest.approx(documents[0], abs=1e-6)


async def test_embeddings_without_blocking(town):
    async with plain_client(timeout=60) as http:
        client = embeddings(town, check_embedding_ctx_length=False, http_async_client=http)
        assert len((await client.aembed_documents(["Paris"]))[0]) == 1024
