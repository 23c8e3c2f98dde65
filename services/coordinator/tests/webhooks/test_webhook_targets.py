"""Targets: made, changed, removed, refused; what is secret in them is never told again."""

import json

import pytest

from spark_common.contracts.webhooks import (
    LIST_DELIVERIES,
    LIST_TARGETS,
    PUT_TARGET,
    REMOVE_TARGET,
    ListDeliveries,
    ListTargets,
    PutTarget,
    RemoveTarget,
)
from spark_common.errors import ConflictError, InvalidRequestError, NotFoundError
from spark_common.settings import load
from spark_common.settings.support import WebhookSettings
from spark_common.testing.logs import logged
from spark_coordinator.webhooks.targets import MOST_TARGETS
from spark_coordinator.webhooks.testing import BAD, GONE

pytestmark = pytest.mark.connected
SECRET = "correct-horse-battery"


async def listed(bench):
    return (await bench.ask(LIST_TARGETS, ListTargets())).targets


async def kept_secret(bench, id="bob"):
    return json.loads(await bench.redis.hget("sc:webhook:targets", id))["secret"]


async def refused(bench, says, error=InvalidRequestError, **given):
    with pytest.raises(error, match=says):
        await bench.ask(PUT_TARGET, PutTarget(**{"id": "bob"} | given))


async def test_a_secret_is_set_kept_replaced_cleared_and_never_told(bench):
    made = await bench.put("bob", secret=SECRET, name="Bob's", topics=["swap", "health"])
    assert made.has_secret
    assert (made.name, made.topics, made.url) == (
        "Bob's", ["swap", "health"], "http://127.0.0.1:5678/hook",
    )  # fmt: skip
    assert (await bench.put("bob")).has_secret
    assert await kept_secret(bench) == SECRET
    await bench.put("bob", secret="another")
    assert await kept_secret(bench) == "another"
    assert not (await bench.put("bob", clear_secret=True)).has_secret
    assert await kept_secret(bench) is None
    assert (await bench.put("bob", url=None)).url == "http://127.0.0.1:5678/hook"


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({}, "needs a url"),
        ({"url": "ftp://a.lan/"}, "http:// or https://"),
        ({"url": "http://alice:pw@a.lan/"}, "user or password"),
        ({"url": "http://bad.lan/"}, "link-local"),
        ({"url": "http://mixed.lan/"}, "link-local"),
        ({"url": "http://[::ffff:127.0.0.1]/"}, "IPv4 address written as IPv6"),
        ({"url": "http://127.0.0.1:9999/api/swap"}, "spark-control itself"),
        ({"url": "http://localhost:9999/"}, "spark-control itself"),
        ({"url": "http://gateway:9999/api/swap"}, "spark-control itself"),
        ({"url": "http://a.lan/", "secret": "whsec_!!"}, "base64"),
        ({"url": "http://a.lan/", "address": "ntfy://a/b"}, "no address"),
        ({"kind": "ntfy"}, "needs an address"),
        ({"kind": "ntfy", "url": "http://a.lan/"}, "no url"),
        ({"kind": "ntfy", "address": "gotify://a.lan/tok"}, "ntfys://"),
        ({"kind": "gotify", "address": "gotify://"}, "gotifys://"),
        ({"kind": "gotify", "address": "gotify://bad.lan/token"}, "link-local"),
        ({"kind": "gotify", "address": "gotify://127.0.0.1:9999/api"}, "spark-control itself"),
        ({"kind": "gotify", "address": "gotify://a.lan/token", "secret": "x"}, "no secret"),
        ({"kind": "email", "address": "mailto://u:p@a.lan?smtp=bad.lan&to=x@a.lan"}, "link-local"),
        ({"kind": "email", "address": "mailto://u:p@a.lan?to=x@a.lan&pgp=yes"}, "leave out pgp"),
        ({"id": "default", "url": "http://a.lan/"}, "WEBHOOK_URL"),
        ({"id": "deliveries", "url": "http://a.lan/"}, "reserved"),
    ],
)
async def test_what_cannot_be_a_target_is_refused_with_the_reason(bench, given, says):
    bench.names.known = {
        "bad.lan": ["fe80::1"],
        "mixed.lan": ["203.0.113.7", "fe80::1"],
        "localhost": ["::1", "127.0.0.1"],
    }
    await refused(bench, says, **given)
    assert await listed(bench) == []


@pytest.mark.parametrize(
    ("kind", "address", "shown"),
    [
        ("ntfy", "ntfys://a.lan/topic", "ntfys://a.lan"),
        ("ntfy", "ntfy://tk_secret@a.lan:8080/topic", "ntfy://a.lan"),
        ("ntfy", "ntfy://topic", "ntfy://ntfy.sh"),
        ("gotify", "gotifys://a.lan/path/token", "gotifys://a.lan"),
        ("matrix", "matrixs://token@a.lan/!room:a.lan", "matrixs://a.lan"),
        ("matrix", f"matrixs://{'a' * 64}/?mode=t2bot", "matrixs://webhooks.t2bot.io"),
        ("email", "mailtos://user:pw@mail.lan?to=x@a.lan", "mailtos://mail.lan"),
        ("email", "mailto://user:pw@a.lan?smtp=relay.lan&to=x@a.lan", "mailto://relay.lan"),
    ],
)
async def test_of_an_address_only_scheme_and_host_are_shown(bench, kind, address, shown):
    made = await bench.ask(PUT_TARGET, PutTarget(id="n", kind=kind, address=address))
    assert (made.address, made.url, made.has_secret) == (shown, None, False)
    changed = await bench.ask(PUT_TARGET, PutTarget(id="n", kind=kind, topics=["health"]))
    assert (changed.address, changed.topics) == (shown, ["health"])


async def test_there_is_room_for_fifty(bench):
    for number in range(MOST_TARGETS):
        await bench.put(f"t{number}")
    with pytest.raises(ConflictError, match="remove one first"):
        await bench.put("bob")
    assert (await bench.put("t0", name="changed")).name == "changed"
    assert len(await listed(bench)) == MOST_TARGETS


async def test_removing_forgets_everything_of_a_target(bench):
    bench.receivers.answers["bob"] = lambda _: BAD
    await bench.put("bob", secret=SECRET)
    await bench.put("alice")
    for number in range(3):
        await bench.tell(number)
    await bench.taken()
    left = await bench.ask(REMOVE_TARGET, RemoveTarget(id="bob"))
    assert [one.id for one in left.targets] == ["alice"]

    async def nothing_of_bob():
        for key in [key async for key in bench.redis.scan_iter("sc:webhook:*")]:
            kind = await bench.redis.type(key)
            dump = await bench.redis.hgetall(key) if kind == "hash" else {}
            if ":bob" in key or any("bob" in f"{k}{v}" for k, v in dump.items()):
                return False
        return True

    await bench.until(nothing_of_bob, "nothing of bob is left")
    with pytest.raises(NotFoundError):
        await bench.ask(REMOVE_TARGET, RemoveTarget(id="bob"))
    await bench.tell(9)
    await bench.until(lambda: "swap-9" in bench.receivers.events("alice"), "alice goes on")
    assert "swap-9" not in bench.receivers.events("bob")


async def until_listed(bench, ids):
    async def found():
        return [one.id for one in await listed(bench)] == ids

    await bench.until(found, f"{ids} are listed")


async def test_the_target_of_the_settings_comes_changes_and_goes_with_them(bench):
    bench.settings = load(
        WebhookSettings, {"WEBHOOK_URL": "http://127.0.0.1:1/a", "WEBHOOK_SECRET": SECRET}
    )
    await until_listed(bench, ["default"])
    (shown,) = await listed(bench)
    assert (shown.from_settings, shown.has_secret, shown.topics) == (True, True, ["swap"])
    bench.receivers.answers["default"] = lambda _: GONE
    await bench.tell(1)
    await bench.until(lambda: bool(bench.receivers.tried["default"]), "told")

    await refused(bench, "in the settings", ConflictError, id="default", url="http://a.lan/")
    await refused(bench, "in the settings", ConflictError, id="default", secret="x")
    with pytest.raises(ConflictError, match="in the settings"):
        await bench.ask(REMOVE_TARGET, RemoveTarget(id="default"))
    bench.receivers.answers.clear()
    wide = await bench.ask(PUT_TARGET, PutTarget(id="default", topics=["swap", "health"]))
    assert (wide.enabled, wide.disabled_because, wide.topics) == (True, None, ["swap", "health"])
    await bench.until(lambda: bool(bench.receivers.got["default"]), "what was owed came")

    bench.settings = load(WebhookSettings, {"WEBHOOK_URL": "http://127.0.0.1:1/b"})

    async def changed():
        (shown,) = await listed(bench)
        return shown.url == "http://127.0.0.1:1/b" and not shown.has_secret

    await bench.until(changed, "it follows the settings")
    assert (await listed(bench))[0].topics == ["swap", "health"]
    bench.settings = WebhookSettings()
    await until_listed(bench, [])


async def test_the_target_of_the_settings_gets_what_happened_during_a_restart(bench):
    bench.settings = load(WebhookSettings, {"WEBHOOK_URL": "http://127.0.0.1:1/a"})
    await until_listed(bench, ["default"])
    await bench.kill()
    await bench.tell(1)
    await bench.start()
    await bench.until(lambda: bool(bench.receivers.got["default"]), "told")


@pytest.mark.parametrize(
    "url", ["http://alice:pw@a.lan/", "nonsense", "http://[::1/", "http://127.1/"]
)
def test_a_setting_that_is_none_falls_back_with_a_warning_that_repeats_nothing(url):
    settings = load(WebhookSettings, {"WEBHOOK_URL": url})
    assert settings.webhook_url is None
    (warning,) = settings.warnings
    assert warning.startswith("WEBHOOK_URL is wrong")
    assert "pw" not in warning


async def test_no_secret_is_in_a_reply_or_a_log(bench):
    """The one place they are in is the record of the target."""
    with logged("coordinator", "debug") as told:
        secrets = [SECRET, "tk_hidden", "pw-hidden", "gotify-hidden"]
        await bench.put("bob", secret=SECRET)
        for name, kind, address in (
            ("n", "ntfy", "ntfy://tk_hidden@127.0.0.1:1/topic"),
            ("m", "email", "mailto://user:pw-hidden@a.lan:1?smtp=127.0.0.1&to=x@a.lan"),
            ("g", "gotify", "gotify://127.0.0.1:1/gotify-hidden"),
        ):
            await bench.ask(PUT_TARGET, PutTarget(id=name, kind=kind, address=address))
        bench.receivers.answers["bob"] = lambda _: BAD
        await bench.tell(1)
        await bench.until(lambda: len(bench.receivers.got["g"]) == 1, "sent")
        replies = [
            (await bench.ask(LIST_TARGETS, ListTargets())).model_dump_json(),
            (await bench.ask(LIST_DELIVERIES, ListDeliveries())).model_dump_json(),
        ]
        for key in [key async for key in bench.redis.scan_iter("sc:webhook:*")]:
            if key != "sc:webhook:targets" and await bench.redis.type(key) == "hash":
                replies.append(json.dumps(await bench.redis.hgetall(key)))
        everything = told.getvalue() + "".join(replies)
        assert "webhook.delivered" in everything
        assert [secret for secret in secrets if secret in everything] == []
        record = repr(await bench.redis.hgetall("sc:webhook:targets"))
        assert all(secret in record for secret in secrets)
