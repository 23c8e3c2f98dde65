"""The door of the application: off it is not there, on it opens to keys and sessions alone."""

from datetime import timedelta

import pytest

from spark_common.key_text import fresh_key
from spark_common.settings.policies import KeySettings
from spark_gateway.keys.control_door import ControlDoor

CONTROL = "/api/keys"
LIST = "/v1/models"
AWAY = 503
UNKNOWN = "sk-spark-NotASecret00000000000000000000002fGEh2"
"""Behind the door nobody answers in these tests: it was passed."""


def bearer(key):
    return {"authorization": f"Bearer {key}"}


async def status(http, path, headers=None):
    return (await http.get(path, headers=headers or {})).status_code


async def test_off_nothing_is_asked_for_whatever_is_shown(office, http):
    office.issue("admin", "admin")
    office.settings = KeySettings()
    for headers in ({}, bearer("anything"), {"x-api-key": fresh_key()}):
        assert await status(http, LIST, headers) == 200
        assert await status(http, CONTROL, headers) == AWAY
    assert await status(http, f"/v1/models?k={fresh_key()}") == 200
    assert (await http.get("/api/session")).json()["needed"] is False


@pytest.mark.parametrize("header", ["authorization", "x-api-key", "api-key"])
async def test_each_scope_opens_its_own_side(office, http, header):
    infer, admin = office.issue("i", "infer"), office.issue("a", "admin")
    both = office.issue("b", "admin", "infer")

    def shown(key):
        return {header: f"Bearer {key}" if header == "authorization" else key}

    for key, expected in ((infer, (200, 403)), (admin, (403, AWAY)), (both, (200, AWAY))):
        found = (await status(http, LIST, shown(key)), await status(http, CONTROL, shown(key)))
        assert found == expected


async def test_an_app_reports_with_the_key_it_has(office, http):
    keys = office.issue("i", "infer"), office.issue("a", "admin")
    report = {"service": "parakeet", "ok": False}
    for key in keys:
        sent = await http.post("/api/health-event", json=report, headers=bearer(key))
        assert sent.status_code == AWAY
        other = await http.post("/api/maintenance", json={}, headers=bearer(key))
        assert other.status_code == (403 if key == keys[0] else AWAY)
    assert (await http.post("/api/health-event", json=report)).status_code == 401


async def test_without_a_key_the_answer_says_what_to_send(office, http):
    office.issue("a", "admin")
    answer = await http.get(CONTROL)
    assert (answer.status_code, answer.json()["code"]) == (401, "missing_api_key")
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert answer.headers["content-type"] == "application/problem+json"
    openai = await http.get(LIST)
    assert (openai.status_code, openai.json()["error"]["code"]) == (401, "missing_api_key")
    assert openai.headers["x-should-retry"] == "false"
    assert "sk-spark-..." in openai.json()["error"]["message"]


@pytest.mark.parametrize(
    ("key", "says"),
    [
        (UNKNOWN, "no API key of this cluster"),
        ("sk-spark-" + "a" * 38, "mistyped"),
        ("sk-other", "no API key"),
        ("\xff\xfe", "no API key"),
    ],
)
async def test_a_wrong_key_is_refused_and_not_repeated(office, http, key, says):
    office.issue("a", "admin")
    answer = await http.get(CONTROL, headers=[(b"x-api-key", key.encode("latin-1"))])
    assert answer.status_code == 401
    assert says in answer.json()["detail"]
    assert key not in answer.text


async def test_a_key_that_was_revoked_switched_off_or_ran_out_opens_nothing(office, http):
    office.issue("stays", "admin")
    for name, end in (
        ("gone", lambda: office.revoke("gone")),
        ("off", lambda: office.change("off", enabled=False)),
        ("over", lambda: office.clock.advance(61)),
    ):
        key = office.issue(name, "admin", expires_at=office.clock.now() + timedelta(seconds=60))
        assert await status(http, CONTROL, bearer(key)) == AWAY
        ended = end()
        if ended is not None:
            await ended
        assert await status(http, CONTROL, bearer(key)) == 401


async def test_what_stays_open(office, http):
    office.issue("a", "admin")
    assert await status(http, "/") == 200
    assert await status(http, "/openapi.json") == 200
    assert (await http.options(LIST)).status_code == 204
    assert (await http.get("/api/session")).json() == {
        "needed": True, "signed_in": False, "name": None,
    }  # fmt: skip
    office.settings = KeySettings(api_keys=True, api_keys_models_open=True)
    assert await status(http, LIST) == 200
    assert await status(http, CONTROL) == 401
    office.settings = KeySettings(api_keys=True, api_keys_control_open=True)
    assert (await status(http, LIST), await status(http, CONTROL)) == (401, AWAY)


async def test_the_control_plane_is_open_until_there_is_an_administrator(office, http):
    office.issue("i", "infer")
    assert (await status(http, LIST), await status(http, CONTROL)) == (401, AWAY)
    office.issue("a", "admin")
    assert await status(http, CONTROL) == 401
    office.change("a", enabled=False)
    assert await status(http, CONTROL) == 401


async def test_before_the_keys_are_known_nobody_is_let_in(office, http):
    key = fresh_key()
    for path in (LIST, CONTROL):
        answer = await http.get(path, headers=bearer(key))
        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "2"
    assert await status(http, "/") == 200
    assert (await http.get("/api/session")).json()["needed"] is True


@pytest.mark.parametrize("form", ["{}", "sk%2Dspark{}"])
async def test_a_key_in_an_address_is_refused_even_beside_a_good_one(office, http, form):
    key = office.issue("a", "admin", "infer")
    shown = form.format(key if form == "{}" else key.removeprefix("sk-spark"))
    for path in (LIST, CONTROL):
        answer = await http.get(f"{path}?api_key={shown}", headers=bearer(key))
        assert answer.status_code == 400
        assert key not in answer.text


async def test_a_session_stands_for_its_key_until_the_key_ends(office, http):
    key = office.issue("Alice", "admin")
    office.issue("other", "admin")
    refused = await http.post("/api/session", json={"key": fresh_key()})
    assert (refused.status_code, "set-cookie" in refused.headers) == (401, False)
    begun = await http.post("/api/session", json={"key": f" {key} "})
    assert begun.json() == {"needed": True, "signed_in": True, "name": "Alice"}
    cookie = begun.headers["set-cookie"]
    for word in ("HttpOnly", "SameSite=strict", "Max-Age=604800"):
        assert word in cookie
    assert "Secure" not in cookie
    assert "Path" not in cookie
    assert [kept.path for kept in http.cookies.jar] == ["/api"]
    assert key not in cookie
    assert office.keys["Alice"].digest not in cookie
    assert await status(http, CONTROL) == AWAY
    assert await status(http, LIST) == 401
    assert (await http.get("/api/session")).json()["name"] == "Alice"
    crossing = await http.post(CONTROL, json={"name": "x"}, headers={"origin": "http://evil.lan"})
    assert crossing.json()["code"] == "cross_origin"
    office.revoke("Alice")
    assert await status(http, CONTROL) == 401
    assert (await http.get("/api/session")).json()["signed_in"] is False


async def test_a_session_ends_by_itself_by_hand_and_when_it_was_tampered_with(office, http):
    key = office.issue("Alice", "admin")
    await http.post("/api/session", json={"key": key})
    word = http.cookies["spark_session"]
    http.cookies.clear()
    name, end, number, signature = word.split(".")
    rest = f"{number}.{signature}"
    for wrong in (
        f"{name}.{int(end) + 1}.{rest}", f"Bob.{end}.{rest}", f"{name}.{end}.{number}.{'0' * 64}",
        f"{name}.{end}", "", "...", f"{name}.-1.{rest}", f"{name}.{end}.{number}.\u00e9",
        f"{name}.{end}.{signature}", f"{name}.{end}.x{rest}", f"{word}.", f"{word}.{signature}",
    ):  # fmt: skip
        cookie = f"spark_session={wrong}".encode("latin-1")
        answer = await http.get(CONTROL, headers=[(b"cookie", cookie)])
        assert answer.status_code == 401, wrong
    good = {"cookie": f"a=b; spark_session={word}; c=d"}
    assert await status(http, CONTROL, good) == AWAY
    await office.clock.advance(7 * 24 * 3600 + 1)
    assert await status(http, CONTROL, good) == 401
    ended = await http.request("DELETE", "/api/session")
    assert 'spark_session=""; HttpOnly; Max-Age=0' in ended.headers["set-cookie"]


async def test_over_https_the_cookie_is_for_https_alone(office, http):
    key = office.issue("Alice", "admin")
    begun = await http.post("https://gateway/api/session", json={"key": key})
    assert "Secure" in begun.headers["set-cookie"]


async def test_a_stream_ends_with_the_key_it_was_opened_by(office):
    key = office.issue("Alice", "admin")
    sent = []

    async def stream(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"one", "more_body": True})
        office.revoke("Alice")
        await send({"type": "http.response.body", "body": b"two", "more_body": True})
        await send({"type": "http.response.body", "body": b"three", "more_body": True})

    async def send(message):
        sent.append(message)

    entrance = office.entrance
    door = ControlDoor(stream, entrance.settings, entrance.book, entrance.sessions)
    scope = {
        "type": "http", "method": "GET", "path": "/api/live", "query_string": b"",
        "headers": [(b"x-api-key", key.encode())],
    }  # fmt: skip
    await door(scope, None, send)
    assert [message.get("body") for message in sent] == [None, b"one", b""]
    assert sent[-1]["more_body"] is False


async def test_the_status_page_asks_for_what_the_control_side_asks_for(office, http):
    admin, infer = office.issue("a", "admin"), office.issue("i", "infer")
    assert await status(http, "/status") == 401
    assert await status(http, "/status", bearer(infer)) == 403
    assert await status(http, "/status", bearer(admin)) == 200
    sent = await http.get("/status", headers={"accept": "text/html,*/*;q=0.8"})
    assert (sent.status_code, sent.headers["location"]) == (303, "static/sign-in.html#status")
    office.settings = KeySettings(api_keys=True, api_keys_control_open=True)
    assert await status(http, "/status") == 200
