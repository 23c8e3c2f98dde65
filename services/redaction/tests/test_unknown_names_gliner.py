"""GLiNER beside the model, through the door: the container's own server, and ones that fail."""

import asyncio
import json
from collections.abc import Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from spark_common.settings import RuntimeSettings
from spark_common.settings.redaction import UnknownNamesSettings
from spark_common.testing.clock import FakeClock
from spark_common.testing.wait import until
from spark_gliner.app import build_app
from spark_gliner.meters import Meters
from spark_gliner.server import Server
from spark_gliner.settings import Settings
from spark_gliner.tiny import TinyTagger
from spark_redaction.unknown.finder import Finder
from spark_redaction.unknown.gliner_server import GlinerServer
from spark_redaction.unknown.model_server import ModelServer
from spark_redaction.unknown.places import AskedPlace

SPARKS = ("127.0.0.8", "127.0.0.9")
SET = UnknownNamesSettings(redaction_gliner_url="http://127.0.0.9:1235/v1")
TEXT = "yesterday Zora Quill of kestrel rang; write to zora@corp.internal."
HIDDEN = "yesterday [[PERSON_1]] of kestrel rang; write to [[EMAIL_1]]."


def entities(*found: tuple[object, object]) -> dict[str, object]:
    return {"entities": [{"suggested_label": label, "value": text} for label, text in found]}


@dataclass
class Gliner:
    """A server with GLiNER's route that says what a test wants."""

    says: Any
    served: Any = field(default_factory=lambda: {"data": [{"id": "g"}]})
    asked: list[dict] = field(default_factory=list)

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/v1/models", self.models),
                Route("/v1/extract", self.extract, methods=["POST"]),
            ]
        )

    def models(self, _: Request) -> Response:
        if isinstance(self.served, Response):
            return self.served
        return JSONResponse(self.served)

    async def extract(self, request: Request) -> Response:
        self.asked.append(await request.json())
        if isinstance(self.says, Response):
            return self.says
        return JSONResponse(await self.says() if callable(self.says) else self.says)


class Sparks(httpx.AsyncBaseTransport):
    """The model server at the first address, GLiNER at the second; what is None is not there."""

    def __init__(self, model: Any, gliner: Any) -> None:
        self.apps = {"127.0.0.8": model, "127.0.0.9": gliner}
        self.hosts: list[str] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.hosts.append(f"{request.url.host}:{request.url.port}")
        app = self.apps[request.url.host]
        if app is None:
            raise httpx.ConnectError("nobody")
        return await httpx.ASGITransport(app).handle_async_request(request)


@pytest.fixture
def asking(standing) -> Callable[..., Any]:
    """``asking(model, gliner, settings)``: a desk that asks both, its transport beside it."""

    @asynccontextmanager
    async def begin(model: Any, gliner: Any, settings: UnknownNamesSettings = SET):
        place = AskedPlace(SPARKS, lambda: settings, RuntimeSettings)
        sparks = Sparks(model, gliner)
        async with httpx.AsyncClient(transport=sparks) as client:

            def look(clock: FakeClock) -> dict[str, Finder]:
                def finder(reader: Any, **more: Any) -> Finder:
                    return Finder(reader, lambda: 20.0, clock, **more)

                gliner_server = GlinerServer(place.gliner_url, client)
                return {
                    "model": finder(ModelServer(place.url, client)),
                    "gliner": finder(gliner_server, is_set_up=place.gliner_is_set),
                }

            async with standing(look) as stand:
                yield stand, sparks, place

    return begin


async def test_the_container_s_own_server_is_asked_while_no_model_is_loaded(asking) -> None:
    server = Server(Settings(), lambda _: TinyTagger(), Meters())
    async with asking(None, build_app(server)) as (stand, sparks, place):
        loading = await stand.http.post("/scrub", json={"text": TEXT, "profile": "crm"})
        assert loading.status_code == 503
        assert "Zora" not in loading.text
        await server.start()
        done = await stand.scrub(TEXT, profile="crm")
        assert done["text"] == HIDDEN
        assert done["coverage"]["ner"] == "full"
        assert done["coverage"]["readers"] == {"model": "unavailable", "gliner": "full"}
        assert done["warnings"] == []
        assert (await stand.back(done["task_id"], done["text"]))["text"] == TEXT
        assert (await stand.scrub(TEXT, ner="required"))["text"] == HIDDEN
        off = await stand.scrub(TEXT)
        assert off["coverage"]["readers"] == {"model": "off", "gliner": "off"}
        assert "127.0.0.9:1235" in sparks.hosts
        assert place.warnings() == ()
    server.stop()


def model_app(*found: tuple[str, str]) -> Starlette:
    """A model server that lists these names."""
    listed = {"names": [{"type": kind, "text": text} for kind, text in found]}

    async def chat(_: Request) -> Response:
        message = {"content": json.dumps(listed)}
        return JSONResponse({"choices": [{"message": message, "finish_reason": "stop"}]})

    return Starlette(
        routes=[
            Route("/v1/models", lambda _: JSONResponse({"data": [{"id": "m"}]})),
            Route("/v1/chat/completions", chat, methods=["POST"]),
        ]
    )


async def test_both_are_asked_and_what_either_says_is_hidden(asking) -> None:
    gliner = Gliner(
        entities(("first_name", "Zora"), ("last_name", "Quill"), ("city", "kestrel"),
                 ("weapon", "rang"), ("person", "Alice Smith"), ("person", 7), ("user_name", "write to"))
    )  # fmt: skip
    async with asking(model_app(("ORG", "kestrel")), gliner.app()) as (stand, _, _place):
        done = await stand.scrub(TEXT, ner="required")
        assert done["text"] == HIDDEN.replace("kestrel", "[[ORG_1]]").replace(
            "write to", "[[HANDLE_1]]"
        )
        assert done["coverage"]["readers"] == {"model": "full", "gliner": "full"}
        asked = gliner.asked[0]
        assert (asked["threshold"], asked["text"]) == (0.3, TEXT)
        assert {"person", "company_name", "street_address", "user_name"} <= set(asked["labels"])
        assert "city" not in asked["labels"]
        strict = await stand.scrub(TEXT, ner="required", profile="strict")
        assert "city" in gliner.asked[1]["labels"]
        assert "kestrel" not in strict["text"]


UNREADABLE = {
    "junk": Response("}{"), "no list": {"entities": {}}, "nothing": {}, "broken": Response("x", 500), "long": Response(b"x" * 300_000),
    "busy": Response("{}", 503), "away": RedirectResponse("http://192.0.2.1/v1/extract", 307), "deep": Response("[" * 99_999),
}  # fmt: skip


@pytest.mark.parametrize("kind", UNREADABLE)
async def test_a_server_that_fails_is_said_and_lets_no_customer_text_out(asking, kind) -> None:
    gliner = Gliner(UNREADABLE[kind])
    async with asking(model_app(("PERSON", "Zora Quill")), gliner.app()) as (stand, sparks, _place):
        must = await stand.http.post("/scrub", json={"text": TEXT, "profile": "crm"})
        assert must.status_code == 503
        assert "Zora" not in must.text
        done = await stand.scrub(TEXT, ner="best_effort")
        assert done["text"] == HIDDEN
        assert done["coverage"]["ner"] == "full"
        assert done["coverage"]["readers"] == {"model": "full", "gliner": "unavailable"}
        assert len(done["warnings"]) == 1
        assert "192.0.2.1:80" not in sparks.hosts


async def test_one_that_is_away_is_said_and_one_that_never_answers_is_left(asking) -> None:
    async with asking(model_app(), None) as (stand, _, _place):
        done = await stand.scrub(TEXT, profile="crm")
        assert done["coverage"]["readers"] == {"model": "full", "gliner": "unavailable"}
        assert len(done["warnings"]) == 1

    async def never() -> dict:
        await asyncio.Event().wait()
        return {}

    gliner = Gliner(never)
    async with asking(model_app(("PERSON", "Zora Quill")), gliner.app()) as (stand, _, _place):
        scrubbing = asyncio.create_task(stand.scrub(TEXT, ner="best_effort"))
        await until(lambda: bool(gliner.asked), "it was asked")
        await stand.clock.advance(21)
        done = await scrubbing
        assert done["text"] == HIDDEN
        assert done["coverage"]["readers"] == {"model": "full", "gliner": "unavailable"}


@pytest.mark.parametrize(
    ("url", "says"),
    [("http://192.0.2.7:1235", True), ("https://127.0.0.9:1235", True), (None, False)],
)  # fmt: skip
async def test_no_other_machine_is_asked(asking, url, says) -> None:
    gliner = Gliner(entities(("person", "Zora Quill")))
    settings = UnknownNamesSettings(redaction_gliner_url=url)
    async with asking(None, gliner.app(), settings) as (stand, sparks, place):
        done = await stand.scrub(TEXT, ner="best_effort")
        wanted = "unavailable" if says else "off"
        assert done["coverage"]["readers"] == {"model": "unavailable", "gliner": wanted}
        assert gliner.asked == []
        assert not [host for host in sparks.hosts if not host.startswith("127.0.0.8")]
        assert bool(place.warnings()) == says
