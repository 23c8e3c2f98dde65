"""What vLLM answers over HTTP, and what is made of it."""

import httpx
import pytest

from spark_common.runtime_questions import Spoken
from spark_swapper.adapters.ssh_runtime import SshRuntime
from spark_swapper.runtime import Served
from spark_swapper.testing import TWO_SPARKS


class NoShell:
    """Nothing here is asked over SSH."""


def vllm(**answers):
    """Return a runtime; paths that are not given refuse the connection, as while loading."""

    def handle(request):
        path = request.url.path.rpartition("/")[2]
        if path not in answers:
            raise httpx.ConnectError("refused")
        answer = answers[path]
        return answer if isinstance(answer, httpx.Response) else httpx.Response(200, text=answer)

    transport = httpx.MockTransport(handle)
    return SshRuntime(NoShell(), httpx.AsyncClient(transport=transport), lambda: TWO_SPARKS)


CARD = '{"object":"list","data":[{"id":"m","root":"org/m","max_model_len":4096}]}'


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ({"health": "", "models": CARD}, Served("org/m", "m", 4096)),
        ({"health": "", "models": '{"data":[{"id":"m"}]}'}, Served("m", "m", None)),
        ({"models": CARD}, None),
        ({"health": httpx.Response(503), "models": CARD}, None),
        ({"health": "", "models": "<html>"}, None),
        ({"health": "", "models": '{"data":[]}'}, None),
        ({"health": "", "models": '{"data":[3]}'}, None),
        ({"health": "", "models": "[]"}, None),
        ({"health": "", "models": httpx.Response(401, text="{}")}, None),
        ({}, None),
    ],
)
async def test_only_a_healthy_runtime_that_names_its_model_serves(answers, expected):
    assert await vllm(**answers).served("spark1") == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('# HELP x\nvllm:num_requests_running{engine="0",model_name="m"} 2.0\n', 2),
        ('vllm:num_requests_running 1.0\nvllm:num_requests_running{engine="1"} 3\n', 4),
        ("vllm:num_requests_running 1.0\nvllm:num_requests_waiting 9\n", 10),
        ('vllm:num_requests_waiting_by_reason{reason="capacity"} 9\n', None),
        ("vllm:num_requests_running nonsense\n", None),
    ],
)
async def test_running_answers_are_counted_over_all_engines(text, expected):
    assert await vllm(metrics=text).in_flight("spark1") == expected


async def test_nobody_says_how_many_answers_run_when_nothing_answers():
    assert await vllm().in_flight("spark1") is None


def chunk(delta):
    return f'data: {{"choices":[{{"index":0,"delta":{delta}}}]}}\n\n'


@pytest.mark.parametrize(
    ("stream", "problem"),
    [
        (chunk('{"role":"assistant","content":""}') + chunk('{"content":"Hi"}'), None),
        (chunk('{"reasoning":"Let me"}'), None),
        (chunk('{"reasoning_content":"Let me"}'), None),
        (": keep-alive\n\n" + chunk('{"content":"Hi"}'), None),
        (chunk('{"content":""}') + "data: [DONE]\n\n", "without a single token"),
        ('data: {"error":{"message":"CUDA"}}\n\ndata: [DONE]\n\n', "CUDA"),
        ("data: {broken\n\n", "not JSON"),
        ('data: {"choices":[3,{"delta":null}]}\n\n', "without a single token"),
        (httpx.Response(500, text="EngineDeadError"), "HTTP 500: EngineDeadError"),
    ],
)
async def test_only_a_streamed_token_counts_as_an_answer(stream, problem):
    said = await vllm(completions=stream).first_token("spark1", "m")
    assert said is None if problem is None else problem in (said or "")


async def test_a_refused_connection_is_no_answer():
    assert "ConnectError" in (await vllm().first_token("spark1", "m") or "")


@pytest.mark.parametrize(
    ("stream", "heard"),
    [
        (chunk('{"content":"Pa"}') + chunk('{"content":"ris"}'), Spoken("Paris", "", whole=True)),
        (chunk('{"reasoning":"Hm"}') + chunk('{"content":"12"}'), Spoken("12", "Hm", whole=True)),
        (chunk('{"reasoning_content":"Hm"}'), Spoken("", "Hm", whole=True)),
        ("data: [DONE]\n\n", Spoken(whole=True)),
        (
            'data: {"choices":[{"index":0,"delta":{},"finish_reason":"length"}]}\n\n',
            Spoken(whole=False),
        ),
        (
            'data: {"choices":[{"index":0,"delta":{"content":"Pa"},"finish_reason":"stop"}]}\n\n',
            Spoken("Pa", whole=True),
        ),
        (chunk('{"content":"Pa"}') + 'data: {"error":{"message":"CUDA"}}\n\n', Spoken("Pa")),
    ],
)
async def test_an_answer_is_read_as_far_as_it_comes(stream, heard):
    assert await vllm(completions=stream).answers("spark1", "m", ["a", "b"]) == [heard, heard]


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(404, text='{"detail":"Not Found"}'),
        httpx.Response(500, text="EngineDeadError"),
        httpx.Response(400, text="The model does not support Chat Completions API"),
    ],
)
async def test_a_model_that_answers_no_question_says_nothing(answer):
    assert await vllm(completions=answer).answers("spark1", "m", ["a", "b"]) == []


async def test_a_runtime_that_is_not_there_says_nothing():
    assert await vllm().answers("spark1", "m", ["a"]) == []
