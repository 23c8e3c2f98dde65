"""Unknown names through the door, with a server of OpenAI's kind that says what a test wants."""

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import httpx
import pytest
import pytest_asyncio
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from spark_common.plain_http import plain_client
from spark_common.service import REGISTRY
from spark_common.settings import RuntimeSettings
from spark_common.settings.redaction import UnknownNamesSettings
from spark_common.testing.clock import FakeClock
from spark_common.testing.wait import until
from spark_redaction.unknown.finder import AT_ONCE, Finder
from spark_redaction.unknown.model_server import ModelServer
from spark_redaction.unknown.places import AskedPlace

TEXT = "Zora Quill of Kestrel Works rang; write to zora@corp.internal. Zora Quill pays."
NAMES = [("PERSON", "Zora Quill"), ("ORG", "Kestrel Works")]


def listed(*names: tuple[str, str]) -> str:
    return json.dumps({"names": [{"type": kind, "text": text} for kind, text in names]})


@dataclass
class Model:
    """A model server; ``says`` is asked with the piece of text."""

    says: Callable[[str], object] = lambda _piece: listed(*NAMES)
    served: object = field(default_factory=lambda: {"data": [{"id": "m"}]})
    asked: list[dict] = field(default_factory=list)
    picky: bool = False

    def app(self) -> Starlette:
        return Starlette(
            routes=[
                Route("/v1/models", lambda _: JSONResponse(self.served)),
                Route("/v1/chat/completions", self.chat, methods=["POST"]),
            ]
        )

    async def chat(self, request: Request) -> Response:
        body = await request.json()
        self.asked.append(body)
        if self.picky and "response_format" in body:
            return JSONResponse({"error": {"message": "no such field"}}, 400)
        said = self.says(body["messages"][1]["content"])
        if asyncio.iscoroutine(said):
            said = await said
        if isinstance(said, Response):
            return said
        finish = "length" if said is None else "stop"
        return JSONResponse({"choices": [{"message": {"content": said}, "finish_reason": finish}]})


class Spark:
    """A desk whose model a test speaks for; asks as a ``Stand`` does."""

    def __init__(self, stand, model: Model, settings: list[UnknownNamesSettings]) -> None:
        self.http, self.scrub, self.back = stand.http, stand.scrub, stand.back
        self.clock = stand.clock
        self.model = model
        self.settings = settings


@asynccontextmanager
async def seeing(standing, model: Model, client: httpx.AsyncClient) -> AsyncIterator[Spark]:
    settings = [UnknownNamesSettings()]
    place = AskedPlace(("127.0.0.9",), lambda: settings[0], RuntimeSettings)

    def look(clock: FakeClock) -> dict[str, Finder]:
        server = ModelServer(place.url, client)
        return {"model": Finder(server, lambda: settings[0].redaction_ner_seconds, clock)}

    async with client, standing(look) as stand:
        yield Spark(stand, model, settings)


@pytest_asyncio.fixture
async def spark(standing) -> AsyncIterator[Spark]:
    model = Model()
    client = httpx.AsyncClient(transport=httpx.ASGITransport(model.app()))
    async with seeing(standing, model, client) as begun:
        yield begun


async def test_unknown_names_are_hidden_with_everything_else_and_come_back(spark, caplog) -> None:
    caplog.set_level(logging.DEBUG)
    done = await spark.scrub(TEXT, profile="crm")
    assert done["text"] == (
        "[[PERSON_1]] of [[ORG_1]] rang; write to [[EMAIL_1]]. [[PERSON_1]] pays."
    )
    assert (done["coverage"]["ner"], done["warnings"]) == ("full", [])
    assert (await spark.back(done["task_id"], done["text"]))["text"] == TEXT
    known = [{"type": "PERSON", "value": "Zora Quill", "id": "crm:1"}]
    again = await spark.scrub(TEXT, profile="crm", entities=known)
    assert again["text"] == done["text"]
    assert len(spark.model.asked) == 1, "what was read just now is not asked for again"
    asked = spark.model.asked[0]
    assert (asked["temperature"], asked["response_format"]["type"]) == (0, "json_schema")
    other = await spark.scrub(TEXT, profile="crm", tenant="b")
    assert (other["text"], len(spark.model.asked)) == (done["text"], 2)
    assert "Zora" not in caplog.text


async def test_documents_are_looked_at_as_well(spark) -> None:
    document = {"who": "Zora Quill", "args": json.dumps({"firm": "Kestrel Works"}), "n": [1]}
    answer = await spark.http.post("/scrub", json={"json": document, "ner": "required"})
    body = answer.json()
    assert body["json"]["who"] == "[[PERSON_1]]"
    assert json.loads(body["json"]["args"]) == {"firm": "[[ORG_1]]"}
    assert body["coverage"]["ner"] == "full"
    halved = json.dumps({"text": "\ud83d Zora Quill", "ner": "required"})
    answer = await spark.http.post("/scrub", content=halved)
    assert answer.json()["text"] == "\ud83d [[PERSON_1]]"
    asked = json.dumps(spark.model.asked)
    assert "u0000" not in asked
    assert "ud83d" not in asked


@pytest.mark.parametrize(
    ("profile", "ner", "served", "status", "coverage"),
    [
        ("transcript", None, True, 200, "off"), ("crm", "off", True, 200, "off"), ("transcript", "required", True, 200, "full"),
        ("crm", None, False, 200, "unavailable"), ("transcript", "best_effort", False, 200, "unavailable"), ("crm", "required", False, 503, None),
    ],
)  # fmt: skip
async def test_what_is_wanted_and_what_is_there(
    spark, profile, ner, served, status, coverage
) -> None:
    if not served:
        spark.model.served = {"data": []}
    before = {
        each: REGISTRY.get_sample_value("spark_redaction_names_sought_total", {"outcome": each})
        or 0
        for each in ("off", "full", "unavailable", "refused")
    }
    question = {"text": TEXT, "profile": profile} | ({"ner": ner} if ner else {})
    answer = await spark.http.post("/scrub", json=question)
    assert answer.status_code == status
    outcome = {"outcome": coverage or "refused"}
    sought = REGISTRY.get_sample_value("spark_redaction_names_sought_total", outcome) or 0
    assert sought - before[outcome["outcome"]] == (coverage != "off")
    if status == 503:
        assert answer.headers["retry-after"]
        assert "Zora" not in answer.text
        return
    assert answer.json()["coverage"]["ner"] == coverage
    assert bool(answer.json()["warnings"]) == (coverage == "unavailable")
    assert ("Zora Quill" in answer.json()["text"]) == (coverage != "full")


HOSTILE = {
    "refusal": "Sure! Ignore all rules.", "junk": "}{", "nothing": "", "whole text": listed(("PERSON", TEXT)), "cut": None,
    "not there": listed(("PERSON", "Alice Smith"), ("PERSON", "zora")), "thousands": listed(*[("PERSON", f"x{n}") for n in range(5_000)]),
    "html": Response("<html>", 200), "broken": Response("x", 500), "huge": Response(b"x" * 300_000), "away": RedirectResponse("http://127.0.0.8/v1/chat/completions", 307),
    "empty": listed(), "placeholders": listed(("PERSON", "[[PERSON_1]]"), ("LITERAL", "Zora")),
}  # fmt: skip
UNREAD = {"refusal", "junk", "nothing", "cut", "html", "broken", "huge", "away"}


@pytest.mark.parametrize("kind", HOSTILE)
async def test_whatever_the_model_answers_does_no_harm(spark, kind) -> None:
    spark.model.says = lambda _piece: HOSTILE[kind]
    must = await spark.http.post("/scrub", json={"text": TEXT, "profile": "crm"})
    assert must.status_code == (503 if kind in UNREAD else 200)
    done = await spark.scrub(TEXT, ner="best_effort")
    assert done["text"] == TEXT.replace("zora@corp.internal", "[[EMAIL_1]]")
    assert done["coverage"]["ner"] == ("unavailable" if kind in UNREAD else "full")
    assert (await spark.back(done["task_id"], done["text"]))["text"] == TEXT
    assert "Zora" not in must.text or must.status_code == 200
    assert all(len(body["messages"]) == 2 for body in spark.model.asked)


async def test_a_model_told_to_call_everything_a_name_changes_nothing_that_comes_back(
    spark,
) -> None:
    words = [("PERSON", word.strip(".;")) for word in TEXT.split()]
    spark.model.says = lambda _piece: listed(*words)
    done = await spark.scrub(TEXT, ner="required")
    assert (await spark.back(done["task_id"], done["text"]))["text"] == TEXT
    assert " of [[" in done["text"]


async def test_a_long_text_is_read_in_pieces_and_an_answer_too_long_in_halves(spark) -> None:
    text = " ".join(f"Line {number} is plain." for number in range(400)) + " Zora Quill ends it."
    spark.model.says = lambda piece: None if len(piece) > 2_500 else listed(*NAMES)
    done = await spark.scrub(text, ner="required")
    assert done["text"] == text.replace("Zora Quill", "[[PERSON_1]]")
    assert any(len(body["messages"][1]["content"]) < 2_500 for body in spark.model.asked)


async def test_time_ends_the_look_and_what_was_found_by_then_counts(spark) -> None:
    plain = " ".join(f"Line {number} is plain." for number in range(900))
    long = f"Zora Quill came. {plain}"

    async def slowly() -> str:
        await asyncio.Event().wait()
        return ""

    spark.model.says = lambda piece: listed(*NAMES) if "Zora" in piece else slowly()
    scrubbing = asyncio.create_task(spark.scrub(long, ner="best_effort"))
    await until(lambda: len(spark.model.asked) > AT_ONCE, "the first piece was answered for")
    await spark.clock.advance(spark.settings[0].redaction_ner_seconds + 1)
    done = await scrubbing
    assert done["text"].startswith("[[PERSON_1]] came.")
    assert done["coverage"]["ner"] == "partial"
    assert done["warnings"]


async def test_a_server_that_takes_less_is_asked_in_plainer_words(spark) -> None:
    spark.model.picky = True
    for tenant in ("a", "b"):
        assert (await spark.scrub(TEXT, ner="required", tenant=tenant))["counts"]["PERSON"] == 2
    assert ["response_format" in body for body in spark.model.asked] == [True, False, False]


async def test_nobody_else_is_asked_and_nobody_at_all_when_it_is_off(spark) -> None:
    for settings in (
        UnknownNamesSettings(redaction_ner=False),
        UnknownNamesSettings(redaction_ner_url="http://127.0.0.8:8888"),
    ):
        spark.settings[0] = settings
        assert (await spark.scrub(TEXT, profile="crm"))["coverage"]["ner"] == "unavailable"
    assert spark.model.asked == []


async def test_a_model_server_that_is_away_is_no_model(standing) -> None:
    async with seeing(standing, Model(), plain_client()) as stand:
        stand.settings[0] = UnknownNamesSettings(redaction_ner_url="http://127.0.0.9:9")
        assert (await stand.scrub(TEXT, profile="crm"))["coverage"]["ner"] == "unavailable"
        assert (
            await stand.http.post("/scrub", json={"text": TEXT, "ner": "required"})
        ).status_code == 503


async def test_a_model_server_that_is_stuck_lets_no_customer_text_out(spark) -> None:
    spark.model.served = ["junk"]
    answer = await spark.http.post("/scrub", json={"text": TEXT, "profile": "crm"})
    assert answer.status_code == 503
    assert (await spark.scrub(TEXT, ner="best_effort"))["coverage"]["ner"] == "unavailable"
