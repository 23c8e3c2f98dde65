"""Sign-in against whoever means ill: planted, copied and forged sessions, other sites, guessing."""

import ipaddress

import pytest

from spark_common.key_text import fresh_key
from spark_gateway.keys.control_door import ControlDoor
from spark_gateway.keys.guesses import PER_MINUTE
from spark_gateway.keys.sessions import COOKIE
from spark_gateway.origin_guard import OriginGuard

CONTROL = "/api/keys"
PASSED = 503
"""Behind the door nobody answers in these tests."""
SITES = [
    {"origin": "http://evil.example"},
    {"origin": "null"},
    {"origin": "http://gateway.evil.example"},
    {"origin": "https://gateway"},
    {"origin": "http://gateway:8080"},
    {"sec-fetch-site": "cross-site"},
    {"sec-fetch-site": "same-site"},
    {"sec-fetch-site": "cross-site", "origin": "null"},
    {"origin": "http://evil.example", "x-forwarded-host": "evil.example"},
]


async def sign_in(http, key, **headers):
    return await http.post("/api/session", json={"key": key}, headers=headers)


async def session(http, key):
    """Sign in as another browser, and return the word of its session."""
    http.cookies.clear()
    assert (await sign_in(http, key)).status_code == 200
    word = http.cookies[COOKIE]
    http.cookies.clear()
    return word


async def status(http, *words):
    cookie = "; ".join(f"{COOKIE}={word}" for word in words)
    return (await http.get(CONTROL, headers={"cookie": cookie})).status_code


async def test_every_sign_in_is_a_session_of_its_own_and_ends_the_one_before(office, http):
    key = office.issue("Alice", "admin")
    planted = await session(http, key)
    answer = await sign_in(http, key, cookie=f"{COOKIE}={planted}")
    fresh = answer.cookies[COOKIE]
    assert fresh != planted
    assert await status(http, fresh) == PASSED
    assert await status(http, planted) == 401


@pytest.mark.parametrize("planted", ["", "chosen-by-somebody", "a.9999999999.b.c", "x" * 300])
async def test_a_word_that_somebody_chose_is_not_taken_over_and_locks_nobody_out(
    office, http, planted
):
    key = office.issue("Alice", "admin")
    answer = await sign_in(http, key, cookie=f"{COOKIE}={planted}")
    word = answer.cookies[COOKIE]
    assert word != planted
    assert await status(http, planted) == 401
    assert await status(http, planted, word) == PASSED
    assert await status(http, word, planted) == PASSED


async def test_the_session_of_somebody_else_beside_ones_own_is_none(office, http):
    alice = await session(http, office.issue("Alice", "admin"))
    mallory = await session(http, office.issue("Mallory", "admin"))
    assert await status(http, alice) == PASSED
    assert await status(http, mallory) == PASSED
    assert await status(http, mallory, alice) == 401
    shown = {"cookie": f"{COOKIE}={mallory}; {COOKIE}={alice}"}
    assert (await http.get("/api/session", headers=shown)).json()["signed_in"] is False


async def test_a_copied_cookie_opens_nothing_after_the_sign_out(office, http):
    key = office.issue("Alice", "admin")
    copied, other = await session(http, key), await session(http, key)
    out = await http.delete("/api/session", headers={"cookie": f"{COOKIE}={copied}"})
    assert out.status_code == 200
    assert await status(http, copied) == 401
    shown = {"cookie": f"{COOKIE}={copied}"}
    assert (await http.get("/api/session", headers=shown)).json()["signed_in"] is False
    assert await status(http, other) == PASSED
    # Also once the keys are learned anew, from somebody who has not heard of it yet.
    office.issue("Bob", "infer")
    assert await status(http, copied) == 401
    assert list(office.book.ends_to_tell) == [copied.split(".")[2]]
    await office.clock.advance(7 * 24 * 3600 + 1)
    office.book.look()
    assert office.book.ends_to_tell == {}


async def test_an_open_stream_ends_with_the_sign_out(office, http):
    word = await session(http, office.issue("Alice", "admin"))
    sent, sessions = [], office.entrance.sessions

    async def stream(scope, receive, send):
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"one", "more_body": True})
        sessions.end([word])
        await send({"type": "http.response.body", "body": b"two", "more_body": True})

    async def send(message):
        sent.append(message.get("body"))

    door = ControlDoor(stream, office.entrance.settings, office.book, sessions)
    scope = {
        "type": "http", "method": "GET", "path": "/api/live", "query_string": b"",
        "headers": [(b"cookie", f"{COOKIE}={word}".encode())],
    }  # fmt: skip
    await door(scope, None, send)
    assert sent == [None, b"one", b""]


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/api/session", {"key": "theirs"}),
        ("DELETE", "/api/session", None),
        ("POST", CONTROL, {"name": "x", "scopes": ["admin"]}),
        ("PATCH", f"{CONTROL}/some", {"enabled": False}),
        ("DELETE", f"{CONTROL}/some", None),
        ("POST", "/api/swap", {"model": "x"}),
    ],
)
async def test_another_site_changes_nothing_with_the_cookie_of_the_owner(
    office, http, method, path, body
):
    word = await session(http, office.issue("Alice", "admin"))
    for site in SITES:
        shown = {**site, "cookie": f"{COOKIE}={word}"}
        answer = await http.request(method, path, json=body, headers=shown)
        assert (answer.status_code, answer.json()["code"]) == (403, "cross_origin"), site
        assert "set-cookie" not in answer.headers
        assert "access-control-allow-origin" not in answer.headers
    assert await status(http, word) == PASSED


@pytest.mark.parametrize("kind", ["text/plain", "application/x-www-form-urlencoded", ""])
async def test_what_a_form_can_send_signs_nobody_in(office, http, kind):
    key = office.issue("Alice", "admin")
    body = f'{{"key": "{key}"}}'.encode()
    answer = await http.post("/api/session", content=body, headers={"content-type": kind})
    assert answer.status_code == 415
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("scheme", ["http", "https"])
async def test_the_cookie_is_for_this_host_this_site_and_no_script(office, http, scheme):
    key = office.issue("Alice", "admin")
    for answer in (
        await http.post(f"{scheme}://gateway/api/session", json={"key": key}),
        await http.delete(f"{scheme}://gateway/api/session"),
    ):
        (cookie,) = answer.headers.get_list("set-cookie")
        words = {part.strip().partition("=")[0].casefold() for part in cookie.split(";")[1:]}
        secure = {"secure"} if scheme == "https" else set()
        assert words == {"httponly", "max-age", "samesite"} | secure
        assert "SameSite=strict" in cookie
        assert answer.headers["cache-control"] == "no-store"


async def test_the_text_of_a_key_is_in_no_answer_and_a_failed_sign_in_leaves_no_cookie(
    office, http
):
    office.issue("Alice", "admin")
    infer = office.issue("app", "infer")
    for key, code in ((infer, "insufficient_scope"), (fresh_key(), "invalid_api_key")):
        answer = await sign_in(http, key)
        assert answer.json()["code"] == code
        assert key not in answer.text
        assert "set-cookie" not in answer.headers


async def test_who_guesses_waits_and_nobody_else_does(office, http):
    key = office.issue("Alice", "admin")
    kept = await session(http, key)
    codes = [(await sign_in(http, fresh_key())).status_code for _ in range(PER_MINUTE)]
    assert codes == [401] * PER_MINUTE
    answer = await sign_in(http, fresh_key())
    assert (answer.status_code, answer.json()["code"]) == (429, "rate_limit_exceeded")
    assert 0 < int(answer.headers["retry-after"]) <= 60
    # Or guessing would go on, and a hit would tell.
    assert (await sign_in(http, key)).status_code == 429
    assert await status(http, kept) == PASSED
    assert (await http.get(CONTROL, headers={"x-api-key": key})).status_code == PASSED
    await office.clock.advance(int(answer.headers["retry-after"]))
    assert (await sign_in(http, key)).status_code == 200


def test_a_guesser_is_known_by_the_address_that_a_trusted_proxy_names(office):
    guard = OriginGuard((ipaddress.ip_network("127.0.0.0/8"),))
    named = {"x-forwarded-for": "192.0.2.9, 192.0.2.7, 127.0.0.3"}
    assert guard.caller(named, "127.0.0.1") == "192.0.2.7"
    assert guard.caller(named, "192.0.2.1") == "192.0.2.1"
    assert guard.caller({}, "127.0.0.1") == "127.0.0.1"
    guesses = office.entrance.guesses
    for number in range(5000):
        guesses.wrong(f"192.0.2.{number}")
    for _ in range(PER_MINUTE):
        guesses.wrong("mallory")
    assert guesses.wait("mallory") > 0
    assert guesses.wait("alice") == 0
