"""The official ``openai`` client, unmodified, as an application uses it."""

import httpx
import pytest
from gateway_stand.town import ALIAS, COMING, LOADED

from spark_common.testing.later import Later

openai = Later("openai")

pytestmark = pytest.mark.connected
EMBEDDER = "BAAI/bge-m3"
ASK = [{"role": "user", "content": "What is a control plane?"}]
WEATHER = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}


@pytest.fixture(scope="module")
def client(town):
    with openai.OpenAI(base_url=f"{town.url}/v1", api_key="none", timeout=60) as made:
        yield made


@pytest.fixture
def impatient(client):
    """The same client, which does not try again."""
    return client.with_options(max_retries=0)


def test_it_lists_and_finds_models(client):
    listed = {model.id: model for model in client.models.list()}
    assert {LOADED, COMING, EMBEDDER} <= set(listed)
    assert all(isinstance(model.created, int) for model in listed.values())
    assert all(model.object == "model" and model.owned_by for model in listed.values())
    assert client.models.retrieve(LOADED).id == LOADED
    assert client.models.retrieve(ALIAS).id == ALIAS
    with pytest.raises(openai.NotFoundError) as caught:
        client.models.retrieve("org/nothing")
    assert caught.value.code == "model_not_found"


@pytest.mark.parametrize("model", [LOADED, ALIAS, "auto"])
def test_chat(client, model):
    answer = client.chat.completions.create(model=model, messages=ASK)
    assert answer.choices[0].message.content.strip().startswith("You asked: What is a control")
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage.total_tokens == answer.usage.prompt_tokens + answer.usage.completion_tokens
    assert answer.model == (LOADED if model == "auto" else model)


@pytest.mark.parametrize("wants_usage", [False, True])
def test_a_streamed_chat_has_usage_only_when_asked(client, wants_usage):
    options = {"stream_options": {"include_usage": True}} if wants_usage else {}
    with client.chat.completions.create(
        model=LOADED, messages=ASK, stream=True, **options
    ) as stream:
        chunks = list(stream)
    said = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    whole = client.chat.completions.create(model=LOADED, messages=ASK)
    assert said == whole.choices[0].message.content
    usages = [chunk.usage for chunk in chunks if chunk.usage is not None]
    without_choices = [chunk for chunk in chunks if not chunk.choices]
    assert len(usages) == len(without_choices) == int(wants_usage)
    if wants_usage:
        assert usages[0].completion_tokens == whole.usage.completion_tokens


def test_tools_whole_and_streamed(town, client, recorded):
    with town.answering(recorded("tools_required")):
        answer = client.chat.completions.create(
            model=LOADED, messages=ASK, tools=[WEATHER], tool_choice="required"
        )
    (call,) = answer.choices[0].message.tool_calls
    assert (call.function.name, call.function.arguments) == ("get_weather", '{"city": "Berlin"}')
    with (
        town.answering(recorded("tools_auto_stream")),
        client.chat.completions.stream(model=LOADED, messages=ASK, tools=[WEATHER]) as stream,
    ):
        final = stream.get_final_completion()
    (call,) = final.choices[0].message.tool_calls
    assert call.function.name == "get_weather"
    assert final.choices[0].finish_reason == "tool_calls"


def test_responses_whole_and_streamed(town, client, recorded):
    answer = client.responses.create(model=LOADED, input="What is a control plane?")
    assert answer.status == "completed"
    assert "control plane" in answer.output_text
    with client.responses.stream(model=LOADED, input="What is a control plane?") as stream:
        kinds = [event.type for event in stream]
        final = stream.get_final_response()
    assert kinds[0] == "response.created"
    assert kinds[-1] == "response.completed"
    assert final.output_text == answer.output_text
    with town.answering(recorded("responses_tools_stream")):
        events = list(client.responses.create(model=LOADED, input="Weather?", stream=True))
    assert "response.function_call_arguments.done" in [event.type for event in events]


def test_completions(client):
    answer = client.completions.create(model=LOADED, prompt=["Once", "Twice"], max_tokens=5)
    assert [choice.index for choice in answer.choices] == [0, 1]
    with client.completions.create(
        model=LOADED, prompt="Once", max_tokens=5, stream=True
    ) as stream:
        chunks = list(stream)
    assert "".join(chunk.choices[0].text for chunk in chunks) == answer.choices[0].text


def test_embeddings_are_the_same_as_floats_and_as_base64(client):
    texts = ["Paris", "cats purr"]
    # Without a word of the caller the client asks for base64 and unpacks it.
    packed = client.embeddings.create(model=EMBEDDER, input=texts)
    plain = client.embeddings.create(model=EMBEDDER, input=texts, encoding_format="float")
    assert [len(row.embedding) for row in packed.data] == [1024, 1024]
    for one, other in zip(packed.data, plain.data, strict=True):
        assert one.embedding == pytest.approx(other.embedding, abs=1e-6)
    auto = client.embeddings.create(model="auto", input="Paris")
    assert auto.model == EMBEDDER


def test_token_ids_are_refused_with_the_way_out(client):
    with pytest.raises(openai.BadRequestError) as caught:
        client.embeddings.create(model=EMBEDDER, input=[[3923, 374], [9906]])
    assert "check_embedding_ctx_length=False" in caught.value.message


def test_an_unknown_model_is_not_found_and_near_ones_are_named(impatient):
    with pytest.raises(openai.NotFoundError) as caught:
        impatient.chat.completions.create(model="gemma-4-26", messages=ASK)
    assert (caught.value.code, caught.value.param) == ("model_not_found", "model")
    assert LOADED in caught.value.message
    assert caught.value.request_id == caught.value.response.headers["x-request-id"]
    assert caught.value.request_id


def test_a_mistake_is_a_bad_request_of_the_model_server(impatient):
    with pytest.raises(openai.BadRequestError) as caught:
        impatient.chat.completions.create(model=LOADED, messages=[], temperature=1)
    assert caught.value.request_id
    with pytest.raises(openai.NotFoundError):
        impatient.with_options(max_retries=0).post("/nothing", cast_to=object)


def test_a_model_of_the_menu_that_is_not_loaded_is_said_at_once(client):
    tries = []
    with (
        counting(client, tries) as counted,
        pytest.raises(openai.InternalServerError) as caught,
    ):
        counted.chat.completions.create(model=COMING, messages=ASK)
    assert caught.value.code == "model_not_loaded"
    assert caught.value.response.headers["x-should-retry"] == "false"
    assert tries == [503]


def counting(client, tries, then=lambda: None):
    """The client as it is, which notes the status of each of its tries."""

    def note(answer: httpx.Response) -> None:
        tries.append(answer.status_code)
        if len(tries) == 1:
            then()

    http = httpx.Client(event_hooks={"response": [note]}, trust_env=False)
    return openai.OpenAI(base_url=client.base_url, api_key="none", http_client=http)


def test_while_a_model_is_loading_it_is_told_to_come_back_and_does(town, client):
    tries = []
    with town.loading("openai-1", eta_seconds=0.5):
        with pytest.raises(openai.InternalServerError) as caught:
            client.with_options(max_retries=0).chat.completions.create(model=LOADED, messages=ASK)
        refused = caught.value
        assert refused.code == "model_loading"
        assert refused.response.headers["x-should-retry"] == "true"
        assert 0 < int(refused.response.headers["retry-after"]) <= 60
        assert refused.request_id
        loading = refused.response.json()["loading"]
        assert (loading["swap_id"], loading["phase"]) == ("openai-1", "loading")
        assert loading["model"] == COMING
        with counting(client, tries, then=lambda: town.back("openai-1")) as counted:
            answer = counted.chat.completions.create(model=LOADED, messages=ASK)
    assert answer.choices[0].message.content
    assert tries == [503, 200]


def test_an_eta_that_nobody_knows_is_left_out(town, impatient):
    with town.loading("openai-2"), pytest.raises(openai.InternalServerError) as caught:
        impatient.completions.create(model=LOADED, prompt="Once")
    assert "eta_seconds" not in caught.value.response.json()["loading"]


def test_without_a_key_with_a_wrong_one_and_with_too_many_requests(town, client):
    with town.keys_asked_for():
        tries = []
        with (
            counting(client, tries) as counted,
            pytest.raises(openai.AuthenticationError) as caught,
        ):
            counted.chat.completions.create(model=LOADED, messages=ASK)
        assert (caught.value.code, tries) == ("invalid_api_key", [401])
        assert caught.value.request_id
        mine = client.with_options(api_key=town.key(requests_per_minute=2), max_retries=0)
        for _ in range(2):
            town.eventually(
                lambda: mine.chat.completions.create(model=LOADED, messages=ASK),
                openai.AuthenticationError,
            )
        with pytest.raises(openai.RateLimitError) as limited:
            mine.chat.completions.create(model=LOADED, messages=ASK)
        assert int(limited.value.response.headers["retry-after"]) >= 1
        assert limited.value.code == "rate_limit_exceeded"
        only = client.with_options(api_key=town.key(models=[EMBEDDER]), max_retries=0)
        with pytest.raises(openai.PermissionDeniedError):
            town.eventually(
                lambda: only.chat.completions.create(model=LOADED, messages=ASK),
                openai.AuthenticationError,
            )


def test_a_dead_model_server_is_a_server_error_with_a_request_id(town, impatient):
    async def hang_up(scope, receive, send):
        raise ConnectionError("gone")

    with town.answering(hang_up), pytest.raises(openai.InternalServerError) as caught:
        impatient.chat.completions.create(model=LOADED, messages=ASK)
    assert caught.value.request_id


async def endless(scope, receive, send):
    """Say one thing, then nothing, until the client goes."""
    fields = [(b"content-type", b"text/event-stream")]
    await send({"type": "http.response.start", "status": 200, "headers": fields})
    chunk = (
        b'data: {"id":"1","object":"chat.completion.chunk","created":1,"model":"m","choices":[]}'
    )
    await send({"type": "http.response.body", "body": chunk + b"\n\n", "more_body": True})
    while (await receive())["type"] != "http.disconnect":
        pass


def test_a_timeout_of_the_client_is_its_own(town, impatient):
    with (
        town.answering(endless),
        impatient.with_options(timeout=httpx.Timeout(60, read=1.0)).chat.completions.create(
            model=LOADED, messages=ASK, stream=True
        ) as stream,
        pytest.raises(openai.APITimeoutError),
    ):
        list(stream)


def test_a_stream_that_breaks_is_an_error_and_not_an_end(town, impatient):
    async def break_off(scope, receive, send):
        fields = [(b"content-type", b"text/event-stream")]
        await send({"type": "http.response.start", "status": 200, "headers": fields})
        await send({"type": "http.response.body", "body": b": hello\n\n", "more_body": True})
        raise ConnectionError("gone")

    with (
        town.answering(break_off),
        impatient.chat.completions.create(model=LOADED, messages=ASK, stream=True) as stream,
        pytest.raises(openai.APIError) as caught,
    ):
        list(stream)
    assert caught.value.code == "upstream_disconnected"


def test_who_leaves_early_ends_the_generation(town, client):
    town.runtime.left.clear()
    with client.chat.completions.create(
        model=LOADED, messages=ASK, stream=True, max_tokens=4000, extra_body={"ignore_eos": True}
    ) as stream:
        next(iter(stream))
    assert town.runtime.left.wait(60)


async def test_the_asynchronous_client(town):
    async with openai.AsyncOpenAI(base_url=f"{town.url}/v1/", api_key="x", timeout=60) as client:
        answer = await client.chat.completions.create(model=LOADED, messages=ASK)
        stream = await client.chat.completions.create(model="auto", messages=ASK, stream=True)
        said = [chunk.choices[0].delta.content or "" async for chunk in stream]
        assert "".join(said) == answer.choices[0].message.content
        assert LOADED in [model.id async for model in client.models.list()]
        rows = await client.embeddings.create(model=EMBEDDER, input="Paris")
        assert len(rows.data[0].embedding) == 1024
        with pytest.raises(openai.NotFoundError):
            await client.responses.create(model="org/nothing", input="Hi")
        async with client.chat.completions.stream(model=LOADED, messages=ASK) as events:
            final = await events.get_final_completion()
        assert final.choices[0].message.content == answer.choices[0].message.content
