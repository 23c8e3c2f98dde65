"""``/api/redaction/scopes`` asks the redaction service and passes on what it says."""

from datetime import UTC, datetime

import pytest

from spark_common.bus import Serving
from spark_common.contracts.redaction import REHYDRATE_TEXT, RedactionAnswer, RehydrateText
from spark_common.contracts.redaction_scopes import (
    FORGET_SCOPE,
    LIST_SCOPES,
    ForgetScope,
    ListScopes,
    ScopesView,
    ScopeView,
)
from spark_common.errors import GoneError, NotFoundError
from spark_common.testing import MemoryBus

NOW = datetime(2026, 11, 27, tzinfo=UTC)
SCOPE = ScopeView(
    tenant="crm", session_id="chat:1", profile="crm", created_at=NOW, expires_at=NOW, tasks=2,
    counts={"PERSON": 3},
)  # fmt: skip
PLACE = "/api/redaction/scopes"


async def test_scopes_are_listed_and_forgotten(bench):
    asked: list[ListScopes | ForgetScope] = []

    async def scopes(request: ListScopes) -> ScopesView:
        asked.append(request)
        return ScopesView(scopes=[SCOPE])

    async def forget(request: ForgetScope) -> ScopesView:
        asked.append(request)
        if request.session_id != SCOPE.session_id:
            raise NotFoundError("there is no such session")
        return ScopesView()

    service = MemoryBus("redaction", bench.broker)
    verbs = [Serving(LIST_SCOPES, scopes), Serving(FORGET_SCOPE, forget)]
    await service.serve("redaction", "1", "a test", verbs)
    found = await bench.http.get(PLACE)
    assert found.json() == {"scopes": [SCOPE.model_dump(mode="json")]}
    gone = await bench.http.delete(f"{PLACE}/crm/chat:1")
    assert (gone.status_code, gone.json()) == (200, {"scopes": []})
    missing = await bench.http.delete(f"{PLACE}/crm/none")
    assert (missing.status_code, missing.json()["code"]) == (404, "not_found")
    assert asked[:2] == [ListScopes(), ForgetScope(tenant="crm", session_id="chat:1")]


async def test_a_text_is_put_back_for_any_tenant_and_refusals_repeat_nothing(bench):
    asked: list[RehydrateText] = []

    async def rehydrate(request: RehydrateText) -> RedactionAnswer:
        asked.append(request)
        if request.question["session_id"] == "old":
            raise GoneError("this session has expired or was deleted; its values are gone")
        if request.question["session_id"] == "newer":
            return RedactionAnswer(answer={"texts": ["SECRETWORD"]})
        said = {"text": "to bob", "restored": {"[[PERSON_1]]": 1}, "normalised": [],
                "unresolved": ["[[PERSON_9]]"], "blocked": []}  # fmt: skip
        return RedactionAnswer(answer=said)

    service = MemoryBus("redaction", bench.broker)
    await service.serve("redaction", "1", "a test", [Serving(REHYDRATE_TEXT, rehydrate)])
    answer = await bench.http.post(
        f"{PLACE}/crm/chat:1/rehydrate", json={"text": "to [[PERSON_1]]"}
    )
    assert answer.status_code == 200, answer.text
    assert (answer.json()["text"], answer.json()["unresolved"]) == ("to bob", ["[[PERSON_9]]"])
    assert answer.headers["cache-control"] == "no-store"
    assert (asked[0].tenant, asked[0].asked_by) == ("crm", "operator")
    assert asked[0].question["text"] == "to [[PERSON_1]]"
    gone = await bench.http.post(f"{PLACE}/crm/old/rehydrate", json={"text": "x"})
    assert (gone.status_code, gone.json()["code"]) == (410, "gone")
    for body in ({"text": ["SECRETWORD"]}, {"txt": "SECRETWORD"}):
        wrong = await bench.http.post(f"{PLACE}/crm/chat:1/rehydrate", json=body)
        assert wrong.status_code == 422
        assert "SECRETWORD" not in wrong.text
    assert len(asked) == 2
    odd = await bench.http.post(f"{PLACE}/crm/newer/rehydrate", json={"text": "x"})
    assert (odd.status_code, odd.json()["code"]) == (503, "unavailable")
    assert "SECRETWORD" not in odd.text


@pytest.mark.parametrize("place", ["a%20b/s", "a/s%40b", f"{'a' * 65}/s"])
async def test_names_that_cannot_be_are_refused(bench, place):
    assert (await bench.http.delete(f"{PLACE}/{place}")).status_code == 422


async def test_without_the_service_it_is_away(bench):
    answer = await bench.http.get(PLACE)
    assert (answer.status_code, answer.json()["code"]) == (503, "service_unavailable")
