"""The official ``anthropic`` client, unmodified, and what Claude Code asks beside it."""

import pytest
from gateway_stand.town import COMING, LOADED

from spark_common.testing.later import Later

anthropic = Later("anthropic")

pytestmark = pytest.mark.connected
ASK = [{"role": "user", "content": "What is a control plane?"}]
WEATHER = {
    "name": "get_weather",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}},
}


@pytest.fixture(scope="module")
def client(town):
    with anthropic.Anthropic(base_url=town.url, api_key="none", timeout=60) as made:
        yield made


@pytest.fixture
def impatient(client):
    """The same client, which does not try again."""
    return client.with_options(max_retries=0)


@pytest.mark.parametrize("model", [LOADED, "auto"])
def test_messages(client, model):
    answer = client.messages.create(model=model, max_tokens=200, messages=ASK)
    said = "".join(block.text for block in answer.content if block.type == "text")
    assert "control plane" in said
    assert answer.stop_reason == "end_turn"
    assert answer.usage.output_tokens > 0
    assert answer._request_id


def test_a_stream_is_the_same_message(client):
    whole = client.messages.create(model=LOADED, max_tokens=200, messages=ASK)
    with client.messages.stream(model=LOADED, max_tokens=200, messages=ASK) as stream:
        kinds = [event.type for event in stream]
        final = stream.get_final_message()
    assert (kinds[0], kinds[-1]) == ("message_start", "message_stop")
    assert [block.type for block in final.content] == [block.type for block in whole.content]
    assert final.content[-1].text == whole.content[-1].text


def test_tools_whole_and_streamed(town, client, recorded):
    with town.answering(recorded("messages_tools")):
        answer = client.messages.create(model=LOADED, max_tokens=200, messages=ASK, tools=[WEATHER])
    with (
        town.answering(recorded("messages_tools_stream")),
        client.messages.stream(
            model=LOADED, max_tokens=200, messages=ASK, tools=[WEATHER]
        ) as stream,
    ):
        final = stream.get_final_message()
    for message in (answer, final):
        assert message.stop_reason in {"tool_use", "max_tokens", "end_turn"}
        assert message.content


def test_tokens_are_counted(client):
    counted = client.messages.count_tokens(model=LOADED, messages=ASK)
    answer = client.messages.create(model=LOADED, max_tokens=10, messages=ASK)
    assert counted.input_tokens == answer.usage.input_tokens


def test_the_beta_address_of_claude_code(client):
    beta = client.beta.messages
    answer = beta.create(model=LOADED, max_tokens=50, messages=ASK, betas=["claude-code-20250219"])
    assert answer.content
    assert beta.count_tokens(model=LOADED, messages=ASK).input_tokens > 0


def test_an_unknown_model_is_not_found(impatient):
    with pytest.raises(anthropic.NotFoundError) as caught:
        impatient.messages.create(model="gemma-4-26", max_tokens=10, messages=ASK)
    assert caught.value.body["type"] == "error"
    assert caught.value.body["error"]["type"] == "not_found_error"
    assert LOADED in caught.value.body["error"]["message"]
    assert caught.value.response.headers["x-request-id"]
    # By this one the client itself reads it.
    assert caught.value.request_id == caught.value.response.headers["x-request-id"]


def test_a_mistake_is_a_bad_request(impatient):
    with pytest.raises(anthropic.BadRequestError):
        impatient.messages.create(model=LOADED, max_tokens=10, messages=[])


def test_while_a_model_is_loading_it_is_overloaded_and_told_when(town, client, impatient):
    with town.loading("anthropic-1", eta_seconds=0.5):
        with pytest.raises(anthropic.APIStatusError) as caught:
            impatient.messages.create(model=LOADED, max_tokens=10, messages=ASK)
        assert caught.value.response.status_code == 503
        assert caught.value.body["error"]["type"] == "overloaded_error"
        assert caught.value.response.headers["x-should-retry"] == "true"
        with pytest.raises(anthropic.APIStatusError) as caught:
            impatient.messages.count_tokens(model=LOADED, messages=ASK)
        assert caught.value.body["error"]["type"] == "overloaded_error"
        tries = []

        def note(answer) -> None:
            tries.append(answer.status_code)
            if len(tries) == 1:
                town.back("anthropic-1")

        http = anthropic.DefaultHttpxClient(event_hooks={"response": [note]}, trust_env=False)
        with anthropic.Anthropic(base_url=client.base_url, api_key="x", http_client=http) as again:
            assert again.messages.create(model=LOADED, max_tokens=10, messages=ASK).content
    assert tries == [503, 200]


def test_a_model_that_is_not_loaded_is_said_at_once(client):
    with pytest.raises(anthropic.APIStatusError) as caught:
        client.messages.create(model=COMING, max_tokens=10, messages=ASK)
    assert caught.value.response.headers["x-should-retry"] == "false"


def test_keys_are_read_from_both_fields(town, impatient):
    with town.keys_asked_for():
        with pytest.raises(anthropic.AuthenticationError) as caught:
            impatient.messages.create(model=LOADED, max_tokens=10, messages=ASK)
        assert caught.value.body["error"]["type"] == "authentication_error"
        key = town.key()

        def ask(client):
            return client.messages.create(model=LOADED, max_tokens=10, messages=ASK)

        as_x_api_key = impatient.with_options(api_key=key)
        assert town.eventually(lambda: ask(as_x_api_key), anthropic.AuthenticationError).content
        with anthropic.Anthropic(base_url=town.url, auth_token=key, max_retries=0) as as_bearer:
            assert ask(as_bearer).content
        limited = impatient.with_options(api_key=town.key(requests_per_minute=1))
        town.eventually(lambda: ask(limited), anthropic.AuthenticationError)
        with pytest.raises(anthropic.RateLimitError) as refused:
            ask(limited)
        assert refused.value.body["error"]["type"] == "rate_limit_error"


async def test_the_asynchronous_client(town):
    async with anthropic.AsyncAnthropic(base_url=town.url, api_key="x", timeout=60) as client:
        async with client.messages.stream(model=LOADED, max_tokens=200, messages=ASK) as stream:
            final = await stream.get_final_message()
        assert final.content[-1].text
