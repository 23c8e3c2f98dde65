"""The plain probes: what each way to answer, or not to, amounts to."""

import asyncio
from datetime import UTC, datetime

import httpx
import pytest

from spark_common.bus.port import Serving
from spark_common.contracts.models import LIST_MODELS, Menu, RuntimeView
from spark_common.contracts.swaps import LIST_SWAPS, Phase, Swaps, SwapView
from spark_common.plain_http import plain_client
from spark_common.testing import MemoryBus
from spark_health.settings import HealthSettings
from spark_health.watching.first.http_look import look
from spark_health.watching.first.places import Places
from spark_health.watching.first.service_probe import BUSY_SECONDS, Place, ServiceProbe
from spark_health.watching.first.sources import first_probes
from spark_health.watching.first.vllm_probe import VllmProbe

NOW = datetime(2026, 11, 2, tzinfo=UTC)
PLACE = Place("qdrant", "Qdrant", "127.0.0.11", 6333, "/healthz", "spark1")
PARAKEET = Place("parakeet", "Speech", "127.0.0.11", 8000, "/health", "spark1", may_be_silent=True)
REFUSED = httpx.ConnectError("refused")
SLOW = httpx.ReadTimeout("slow")


def answering(answer):
    """A client whose server answers, or raises, the same for everything."""

    def handle(request):
        made = answer(request) if callable(answer) else answer
        if isinstance(made, Exception):
            raise made
        return made

    return httpx.AsyncClient(transport=httpx.MockTransport(handle))


@pytest.mark.parametrize(
    ("answer", "state", "word"),
    [
        (httpx.Response(200), "up", ""),
        (httpx.Response(204, text=""), "up", ""),
        (httpx.Response(404), "up", "has no /healthz"),
        (httpx.Response(500, text="x" * 100), "down", "HTTP 500"),
        (httpx.Response(503), "down", "HTTP 503"),
        (httpx.Response(302, headers={"location": "http://b"}), "down", "HTTP 302"),
        (REFUSED, "down", "nothing listens"),
        (httpx.ConnectTimeout("t"), "down", "cannot be reached"),
        (httpx.ConnectError("no route to host"), "down", "cannot be reached"),
        (SLOW, "down", "does not answer"),
        (httpx.RemoteProtocolError("junk"), "down", "speaks no HTTP"),
        (httpx.ReadError("cut"), "down", "ends the connection"),
    ],
)
async def test_what_the_answer_of_a_service_amounts_to(clock, answer, state, word):
    seen = await ServiceProbe(lambda: PLACE, answering(answer), clock, 5.0).look()
    assert seen.state == state
    assert word in seen.reason


async def test_a_speech_container_that_is_silent_works_for_as_long_as_work_may_take(clock):
    answers = [SLOW]
    probe = ServiceProbe(lambda: PARAKEET, answering(lambda _: answers[0]), clock, 5.0)
    assert (await probe.look()).state == "busy"
    await clock.advance(BUSY_SECONDS - 1)
    assert (await probe.look()).state == "busy"
    answers[0] = httpx.Response(200)
    assert (await probe.look()).state == "up"
    answers[0] = SLOW
    assert (await probe.look()).state == "busy"
    await clock.advance(BUSY_SECONDS)
    assert (await probe.look()).state == "down"
    answers[0] = REFUSED
    assert (await probe.look()).state == "down"


async def test_against_real_sockets_refused_silent_and_junk_are_told_apart(clock):
    async def silent(reader, writer):
        await reader.read(100)
        await asyncio.sleep(0.5)
        writer.close()

    async def junk(reader, writer):
        writer.write(b"\x00\xff SSH-2.0-nonsense\r\n\r\n")
        writer.close()

    outcomes = []
    async with plain_client() as client:
        for handler in (silent, junk):
            server = await asyncio.start_server(handler, "127.0.0.1", 0)
            port = server.sockets[0].getsockname()[1]
            async with server:
                outcomes.append((await look(client, f"http://127.0.0.1:{port}/health")).outcome)
        outcomes.append((await look(client, f"http://127.0.0.1:{port}/health")).outcome)
        outcomes.append((await look(client, "http://[::bad/")).outcome)
    assert outcomes == ["broken", "broken", "refused", "broken"]


def metrics(tokens, running=0):
    return (
        "# TYPE vllm:generation_tokens_total counter\n"
        f'vllm:generation_tokens_total{{engine="0",model_name="m"}} {tokens}.0\n'
        f'vllm:num_requests_running{{engine="0",model_name="m"}} {running}.0\n'
        'vllm:num_requests_waiting_by_reason{reason="x"} 9.0\n'
    )


class Swapper:
    """The part of a swapper that is asked."""

    def __init__(self):
        self.runtime = RuntimeView(state="idle")
        self.swaps = Swaps(current=None, recent=[])

    async def menu(self, _request):
        return Menu(models=[], recipes=[], hosts=[], runtime=self.runtime, as_of=NOW)

    async def list(self, _request):
        return self.swaps

    async def serve(self, broker):
        verbs = (Serving(LIST_MODELS, self.menu), Serving(LIST_SWAPS, self.list))
        await MemoryBus("swapper", broker).serve("swapper", "1", "swapper", verbs)


class Vllm:
    """A server whose routes answer what a test puts there."""

    def __init__(self, bus, clock):
        self.routes = {}
        place = Place("vllm", "vLLM", "127.0.0.11", 8888, "/health", "spark1")
        self.probe = VllmProbe(
            lambda: place, answering(lambda request: self.routes[request.url.path]), bus, clock, 5.0
        )

    def serves(self, health=None, counters=None):
        models = httpx.Response(200, json={"data": [{"id": "gemma"}]})
        self.routes = {
            "/health": health or httpx.Response(200),
            "/metrics": counters or httpx.Response(200, text=metrics(5)),
            "/v1/models": models,
        }

    def is_gone(self, failure=REFUSED):
        self.routes = dict.fromkeys(("/health", "/metrics", "/v1/models"), failure)

    async def look(self):
        seen = await self.probe.look()
        return seen.state, seen.reason


@pytest.fixture
def vllm(bus, clock):
    return Vllm(bus, clock)


async def test_counters_that_move_are_life(vllm):
    vllm.serves()
    seen = await vllm.probe.look()
    assert (seen.state, seen.facts["model"]) == ("up", "gemma")
    assert seen.reason == "the loaded model is gemma"
    vllm.serves(counters=httpx.Response(200, text=metrics(9)))
    assert (await vllm.look())[0] == "busy"
    assert (await vllm.look())[0] == "up"
    vllm.serves(counters=httpx.Response(200, text=metrics(9, running=2)))
    assert (await vllm.look()) == ("busy", "answering with gemma")
    vllm.serves(health=SLOW, counters=httpx.Response(200, text=metrics(12)))
    assert (await vllm.look())[0] == "busy"
    assert (await vllm.look())[0] == "down"
    # It began anew: what went backwards did not move.
    vllm.serves(health=SLOW, counters=httpx.Response(200, text=metrics(1)))
    assert (await vllm.look())[0] == "down"


@pytest.mark.parametrize(
    ("health", "counters", "state"),
    [
        (httpx.Response(503), None, "down"),
        (httpx.Response(500), None, "down"),
        (SLOW, SLOW, "down"),
        (httpx.Response(200), SLOW, "up"),
        (httpx.Response(200), httpx.Response(200, text="\x00junk vllm:x{ nan"), "up"),
        (httpx.Response(200), httpx.Response(404), "up"),
    ],
)
async def test_a_server_that_answers_is_judged_by_its_health(vllm, health, counters, state):
    vllm.serves(health, counters)
    assert (await vllm.look())[0] == state


@pytest.mark.parametrize(
    ("runtime", "state"),
    [
        (RuntimeView(state="idle"), "idle"),
        (RuntimeView(state="idle", ended=True), "idle"),
        (RuntimeView(state="starting"), "busy"),
        (RuntimeView(state="serving"), "down"),
        (RuntimeView(state="unreachable", detail="no ssh"), "down"),
        (RuntimeView(state="unknown"), "unknown"),
    ],
)
async def test_where_nothing_listens_the_swapper_knows_what_is_meant(vllm, broker, runtime, state):
    swapper = Swapper()
    swapper.runtime = runtime
    await swapper.serve(broker)
    vllm.is_gone()
    assert (await vllm.look())[0] == state


async def test_without_a_swapper_nobody_can_tell_and_a_host_that_is_off_is_down(vllm):
    vllm.is_gone()
    assert (await vllm.look())[0] == "unknown"
    vllm.is_gone(httpx.ConnectTimeout("off"))
    assert (await vllm.look())[0] == "down"


async def test_a_model_that_ended_by_itself_is_down_until_it_serves_again(vllm, broker):
    swapper = Swapper()
    await swapper.serve(broker)
    vllm.serves()
    assert (await vllm.look())[0] == "up"
    vllm.is_gone()
    swapper.runtime = RuntimeView(state="idle", ended=True)
    assert (await vllm.look())[0] == "down"
    # A switch that begins is not yet a model that answers.
    current = SwapView(
        id="s",
        model="gemma",
        model_name="Gemma",
        requested_by="Alice",
        phase=Phase.LOADING,
        created_at=NOW,
    )
    swapper.swaps = Swaps(current=current, recent=[])
    assert (await vllm.look())[0] == "unknown"
    vllm.serves()
    swapper.swaps = Swaps(current=None, recent=[])
    assert (await vllm.look())[0] == "up"
    # One that was asked for is no failure.
    vllm.is_gone()
    swapper.swaps = Swaps(current=current, recent=[])
    assert (await vllm.look())[0] == "busy"


def settings(**more):
    from spark_common.settings import load

    return load(
        HealthSettings,
        {
            "NATS_URL": "nats://127.0.0.1:4222",
            "REDIS_URL": "redis://127.0.0.1:6379",
            "SPARK1_HOST": "192.0.2.1",
            "SPARK1_USER": "alice",
            "SPARK2_HOST": "192.0.2.2",
            "SPARK2_USER": "alice",
            "SSH_KEY_PATH": "k",
            "SSH_KNOWN_HOSTS": "h",
            **more,
        },
    )


def places_of(found):
    return Places(
        found.cluster,
        runtime=lambda: found.cluster.runtime,
        page=lambda: found.page,
        parakeet=lambda: found.parakeet,
        kokoro=lambda: found.kokoro,
        magpie=lambda: found.magpie,
        embed=lambda: found.embed,
        qdrant=lambda: found.qdrant,
    )


def wanted(found, clock, bus):
    places = places_of(found)
    probes = first_probes(places, answering(REFUSED), bus, clock, found.pace)
    return places, {probe.target.name: probe.target for probe in probes()}


def test_what_the_settings_name_is_watched_where_they_say(clock, bus):
    found = settings(QDRANT_HOST="192.0.2.9", QDRANT_PORT="7000", MAGPIE_HOST="2001:db8::1")
    places, targets = wanted(found, clock, bus)
    assert set(targets) == {
        "vllm", "parakeet", "kokoro", "magpie", "embeddings", "qdrant",
    }  # fmt: skip
    assert (targets["qdrant"].url, targets["qdrant"].host) == ("http://192.0.2.9:7000", None)
    assert (targets["embeddings"].url, targets["embeddings"].host) == (
        "http://192.0.2.2:8081", "spark2",
    )  # fmt: skip
    assert targets["magpie"].url == "http://[2001:db8::1]:9000"
    speech = next(one for one in places.endpoints() if one.kind == "speech_to_text")
    assert speech.openai_base_url == "http://192.0.2.1:8000/v1"


def test_what_the_owner_hid_has_no_probe_and_stays_in_the_list_of_addresses(clock, bus):
    places, targets = wanted(settings(DISABLED_SERVICES="kokoro, embed"), clock, bus)
    assert not {"kokoro", "embeddings", "magpie"} & set(targets)
    assert {one.name for one in places.endpoints() if one.disabled} == {"kokoro", "embeddings"}
