"""What the routes promise."""

import asyncio
import json
import sqlite3

import pytest
from prometheus_client import generate_latest

from spark_common.contracts.redaction_scopes import ForgetScope, ListScopes
from spark_common.errors import NotFoundError
from spark_common.service import REGISTRY
from spark_redaction.desk.keeping import KeepingVerbs

SECRETS = ["alice.smith@corp.internal", "Alice Smith", "415-555-0132", "4111 1111 1111 1111"]
TEXT = "Alice Smith, alice.smith@corp.internal, 415-555-0132, card 4111 1111 1111 1111."
ALICE = [{"type": "PERSON", "value": "Alice Smith", "id": "crm:12"}]


async def test_a_text_is_scrubbed_and_comes_back(stand) -> None:
    done = await stand.scrub(TEXT, entities=ALICE)
    body = json.dumps(done)
    assert not any(secret in body for secret in SECRETS)
    assert done["coverage"]["ner"] == "off"
    assert done["counts"] == {"PERSON": 1, "EMAIL": 1, "PHONE": 1, "CARD": 1}
    shown = generate_latest(REGISTRY).decode()
    assert 'spark_redaction_hidden_total{type="CARD"} ' in shown
    assert not any(secret in shown for secret in SECRETS)
    back = await stand.back(done["task_id"], done["text"])
    assert back["text"] == TEXT
    assert back["unresolved"] == []
    assert back["restored"]["[[PERSON_1]]"] == 1


async def test_json_and_messages_keep_their_shape(stand) -> None:
    document = {"phone": 4155550132, "who": ["Alice Smith"], "args": json.dumps({"to": SECRETS[0]})}
    answer = await stand.http.post("/scrub", json={"json": document, "entities": ALICE})
    done = answer.json()
    assert not any(secret in answer.text for secret in ("Alice", "corp.internal", "4155550132"))
    assert json.loads(done["json"]["args"])["to"].startswith("[[EMAIL_")
    back = await stand.http.post(
        "/rehydrate", json={"task_id": done["task_id"], "json": done["json"]}
    )
    assert back.json()["json"] == document
    messages = [
        {"role": "user", "content": "call Alice Smith"},
        {"role": "assistant", "content": None},
    ]
    done = (await stand.http.post("/scrub", json={"messages": messages, "entities": ALICE})).json()
    assert done["messages"] == [{"role": "user", "content": "call [[PERSON_1]]"}, messages[1]]


async def test_a_session_keeps_its_numbers_and_another_tenant_sees_nothing(stand) -> None:
    first = await stand.scrub("mail bob@corp.internal", session_id="chat-1")
    second = await stand.scrub("ann@corp.internal, bob@corp.internal", session_id="chat-1")
    assert second["text"] == "[[EMAIL_2]], [[EMAIL_1]]"
    replay = await stand.scrub(
        f"{first['text']} and [[EMAIL_9]]", session_id="chat-1", passthrough_placeholders=True
    )
    assert replay["text"] == "mail [[EMAIL_1]] and [[LITERAL_1]]"
    for other in ({"task_id": first["task_id"]}, {"session_id": "chat-1"}):
        answer = await stand.http.post(
            "/rehydrate", json={"text": "[[EMAIL_1]]", **other}, headers={"x-tenant": "b"}
        )
        unknown = await stand.http.post(
            "/rehydrate", json={"text": "x", "task_id": "t_unknown0000"}, headers={"x-tenant": "b"}
        )
        assert answer.status_code == unknown.status_code == 404
    assert (
        await stand.http.post(
            "/scrub",
            json={"text": "x", "session_id": "chat-1", "profile": "strict"},
            headers={"x-tenant": "a"},
        )
    ).status_code == 409


async def test_eight_writers_in_one_session_never_share_a_number(stand) -> None:
    done = await asyncio.gather(
        *(stand.scrub(f"mail p{number}@corp.internal", session_id="many") for number in range(8))
    )
    tokens = [each["placeholders"][0]["token"] for each in done]
    assert sorted(tokens) == [f"[[EMAIL_{number}]]" for number in range(1, 9)]
    for number, each in enumerate(done):
        assert (await stand.back(each["task_id"], each["text"]))[
            "text"
        ] == f"mail p{number}@corp.internal"


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"{", 400), (b'{"text": 5, "SECRETKEY": 1}', 422), (b'{"text": "SECRETKEY", "profile": "SECRETKEY"}', 422),
        (b'{"entities": [{"value": ["SECRETKEY"]}], "text": "x"}', 422), (b'{"text":"a","json":{}}', 422), (b"[]", 422),
        (b'{"text": "x", "ner": "required"}', 503), (b'{"text": "x", "entity_set": "none"}', 404),
        (b'{"text": "no json", "format": "json"}', 400), (b'{"text": "' + b"x" * (1 << 20) + b'"}', 413),
        (json.dumps({"text": "x", "entities": [{"value": "Bob"}] * 2001}).encode(), 413), (b'{"json":' + b"[" * 3000 + b"]" * 3000 + b"}", 400),
    ],
)  # fmt: skip
async def test_what_is_refused_repeats_nothing_of_it(stand, body: bytes, status: int) -> None:
    answer = await stand.http.post("/scrub", content=body)
    assert answer.status_code == status, answer.text
    assert "SECRETKEY" not in answer.text
    if status == 503:
        assert answer.headers["retry-after"]


async def test_time_ends_a_task_and_its_values_leave_the_disk(stand) -> None:
    done = await stand.scrub(TEXT, entities=ALICE, ttl_s=60)
    with sqlite3.connect(stand.database) as database:
        wrapped = database.execute("SELECT wrapped_dek FROM scope").fetchone()[0]
    disk = b"".join(path.read_bytes() for path in stand.database.parent.iterdir())
    assert wrapped in disk
    assert not any(secret.encode() in disk for secret in [*SECRETS, "alicesmith", "4155550132"])
    await stand.clock.advance(61)
    question = {"task_id": done["task_id"], "text": done["text"]}
    vault = stand.desk.vault
    for purge in (False, True):
        if purge:
            assert await vault.run(lambda: vault.forgetting.purge(stand.desk.now())) == 1
        answer = await stand.http.post("/rehydrate", json=question, headers={"x-tenant": "a"})
        assert answer.status_code == 410
    disk = b"".join(path.read_bytes() for path in stand.database.parent.iterdir())
    assert wrapped not in disk


async def test_what_is_deleted_or_erased_stays_gone(stand) -> None:
    headers = {"x-tenant": "a"}
    done = await stand.scrub(TEXT, entities=ALICE, session_id="one")
    other = await stand.scrub("Alice Smith wrote", entities=ALICE, session_id="two")
    assert (
        await stand.http.delete(f"/tasks/{done['task_id']}", headers={"x-tenant": "b"})
    ).status_code == 404
    erased = await stand.http.post("/erase", json={"entity_id": "crm:12"}, headers=headers)
    assert erased.json() == {"tokens_erased": 2}
    back = await stand.back(other["task_id"], other["text"])
    assert back["text"] == other["text"]
    assert back["unresolved"] == ["[[PERSON_1]]"]
    later = await stand.scrub("Alice Smith again", entities=ALICE)
    assert (await stand.back(later["task_id"], later["text"]))["restored"] == {}
    assert (
        await stand.http.delete(f"/tasks/{done['task_id']}", headers=headers)
    ).status_code == 200
    assert (await stand.http.delete("/sessions/two", headers=headers)).status_code == 200
    for task in (done, other):
        answer = await stand.http.post(
            "/rehydrate", json={"task_id": task["task_id"], "text": "x"}, headers=headers
        )
        assert answer.status_code == 410


async def test_an_entity_set_is_used_by_version_and_never_shown(stand) -> None:
    headers = {"x-tenant": "a"}
    for version, name in enumerate(("Bob Baker", "Carol Danvers"), 1):
        put = await stand.http.put(
            "/entity-sets/crm", json={"entities": [{"value": name}]}, headers=headers
        )
        assert put.json() == {"name": "crm", "version": version, "names": 1}
        done = await stand.scrub(f"{name} called", entity_set="crm")
        assert done["text"] == "[[PERSON_1]] called"
        assert done["coverage"]["entity_set"]["version"] == version
    assert "Carol" not in (await stand.http.get("/entity-sets/crm", headers=headers)).text
    assert (await stand.http.get("/entity-sets/crm", headers={"x-tenant": "b"})).status_code == 404


async def test_verify_finds_a_value_in_any_spelling(stand) -> None:
    done = await stand.scrub(TEXT, entities=ALICE)
    for text, clean in [
        (done["text"], True), ("nothing here", True), ("ALICE  smith", False), ("four one five five five five oh one three two", False),
        ("4111-1111-1111-1111", False), ("Alice%20Smith", False), ("\u0410lice_Smith", False),
    ]:  # fmt: skip
        answer = await stand.http.post(
            "/scrub/verify",
            json={"text": text, "task_id": done["task_id"]},
            headers={"x-tenant": "a"},
        )
        assert (answer.status_code, answer.json()["clean"]) == (
            (200, True) if clean else (409, False)
        ), text


async def test_a_stream_of_events_is_rehydrated_by_choice_and_tool_call(stand) -> None:
    done = await stand.scrub(TEXT, entities=ALICE)
    pieces = ["Ask [", "[PERS", "ON_1]", "] now [[EMAIL_1"]
    chunks = [{"choices": [{"index": 0, "delta": {"content": piece}}]} for piece in pieces]
    call = {"index": 0, "function": {"arguments": '{"to":"[[EMAIL_1]]"}'}}
    chunks += [
        {"choices": [{"index": 1, "delta": {"tool_calls": [call]}}]},
        {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
    ]
    body = "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks) + "data: [DONE]\n\n"
    answer = await stand.http.post(
        "/rehydrate/stream",
        content=body,
        headers={
            "x-tenant": "a",
            "x-task-id": done["task_id"],
            "content-type": "text/event-stream",
        },
    )
    events = [line[6:] for line in answer.text.splitlines() if line.startswith("data: ")]
    assert events[-1] == "[DONE]"
    said = {0: "", 1: ""}
    for event in events[:-1]:
        for choice in json.loads(event)["choices"]:
            delta = choice.get("delta", {})
            said[choice["index"]] += delta.get("content") or ""
            for each in delta.get("tool_calls", []):
                said[choice["index"]] += each["function"]["arguments"]
    assert said == {0: "Ask Alice Smith now [[EMAIL_1", 1: '{"to":"alice.smith@corp.internal"}'}


async def test_plain_text_streams_too_and_urls_stay_closed(stand) -> None:
    done = await stand.scrub(TEXT, entities=ALICE)
    headers = {"x-tenant": "a", "x-task-id": done["task_id"], "content-type": "text/plain"}
    answer = await stand.http.post(
        "/rehydrate/stream",
        content=b"PERSON_1 https://x.test/[[PERSON_1]]",
        headers=headers,
    )
    assert answer.text == "Alice Smith https://x.test/[[PERSON_1]]"
    back = await stand.back(done["task_id"], "https://x.test/[[PERSON_1]] [[PERSON_9]]")
    assert (back["blocked"], back["unresolved"]) == (["[[PERSON_1]]"], ["[[PERSON_9]]"])
    open_ = await stand.back(done["task_id"], "https://x.test/[[PERSON_1]]", expand_in_urls=True)
    assert open_["text"] == "https://x.test/Alice Smith"


async def test_what_is_kept_is_listed_by_type_and_never_shown(stand) -> None:
    keeping = KeepingVerbs(stand.desk)
    await stand.scrub(TEXT, entities=ALICE, session_id="one", ttl_s=600)
    await stand.scrub("again 415-555-0132, 415-555-0133", session_id="one", ttl_s=60)
    other = await stand.scrub("to bob@corp.internal", tenant="b", session_id="one", ttl_s=60)
    own = await stand.http.get("/scrub/scopes", headers={"x-tenant": "a"})
    (scope,) = own.json()["scopes"]
    assert (scope["tasks"], scope["placeholders"]) == (2, 5)
    assert scope["counts"] == {"CARD": 1, "EMAIL": 1, "PERSON": 1, "PHONE": 2}
    assert not any(secret in own.text for secret in SECRETS)

    kept = await keeping.scopes(ListScopes())
    assert [(each.tenant, each.session_id) for each in kept.scopes] == [("b", "one"), ("a", "one")]
    assert kept.scopes[0].created_at == stand.clock.now()
    assert (kept.scopes[0].expires_at - kept.scopes[0].created_at).total_seconds() == 60
    assert not any(secret in kept.model_dump_json() for secret in [*SECRETS, "bob"])
    assert (await keeping.scopes(ListScopes(tenant="a"))).scopes == kept.scopes[1:]

    left = await keeping.forget(ForgetScope(tenant="a", session_id="one"))
    assert left.scopes == kept.scopes[:1]
    assert (await stand.back(other["task_id"], other["text"], tenant="b"))["restored"]
    with pytest.raises(NotFoundError):
        await keeping.forget(ForgetScope(tenant="a", session_id="none"))
    await stand.clock.advance(61)
    assert (await keeping.scopes(ListScopes())).scopes == []
