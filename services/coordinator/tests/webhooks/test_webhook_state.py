"""Exported and taken in on a fresh install, the targets are the same."""

import pytest

from spark_common.contracts.webhooks import LIST_TARGETS, PUT_TARGET, ListTargets, PutTarget
from spark_common.settings.support import WebhookSettings
from spark_coordinator.webhooks.guard import TargetGuard
from spark_coordinator.webhooks.registry import Registry
from spark_coordinator.webhooks.state import TargetsAsState
from spark_coordinator.webhooks.store import WebhookStore

pytestmark = pytest.mark.connected
NTFY = "ntfys://:tk_hidden@a.lan/topic"


@pytest.fixture
def state(bench):
    store = WebhookStore(bench.redis)
    registry = Registry(store, bench.bus, bench.names, TargetGuard({9999}), bench.clock)
    return TargetsAsState(store, registry, bench.clock)


async def shown(bench):
    listed = (await bench.ask(LIST_TARGETS, ListTargets())).targets
    return {one.id: one.model_dump() for one in listed}


async def filled(bench, state):
    await bench.put("bob", secret="s3cret", name="Bob's", topics=["swap", "lock"])
    await bench.put("off", enabled=False)
    await bench.ask(PUT_TARGET, PutTarget(id="n", kind="ntfy", address=NTFY))
    return await shown(bench), await state.export()


async def test_a_fresh_install_gets_the_same_targets(bench, state):
    before, exported = await filled(bench, state)
    assert exported.secrets == {"bob": "s3cret", "n": NTFY}
    assert "s3cret" not in repr(exported)
    assert "tk_hidden" not in repr(exported)
    kept = [key async for key in bench.redis.scan_iter("sc:webhook:*")]
    await bench.redis.delete(*kept)
    for _ in range(2):
        taken = await state.take_in(exported.entries, exported.secrets, "Alice")
        assert (taken.entries, taken.secrets, taken.warnings) == (3, 2, [])
        assert await shown(bench) == before


async def test_without_secrets_the_standing_ones_stay_and_what_lacks_one_is_named(bench, state):
    before, exported = await filled(bench, state)
    taken = await state.take_in(exported.entries, {}, "Alice")
    assert (taken.entries, taken.secrets, await shown(bench)) == (3, 0, before)
    await bench.redis.delete("sc:webhook:targets")
    taken = await state.take_in(exported.entries, {}, "Alice")
    assert taken.entries == 2
    assert taken.warnings == [
        "webhook target bob: it is off; enter its secret, then switch it on",
        "webhook target n: ntfy needs an address",
    ]


async def test_what_cannot_be_taken_in_is_a_sentence_each(bench, state):
    entries = [
        {"id": "default", "url": "http://a.lan/"},
        {"id": "bad", "url": "http://[fe80::1]/"},
        {"id": "new", "kind": "pager"},
        {"url": "http://a.lan/"},
        {"id": "good", "url": "http://a.lan/"},
    ]
    taken = await state.take_in(entries, {}, "Alice")
    assert taken.entries == 1
    assert [one.split(":")[0] for one in taken.warnings] == [
        "webhook target default",
        "webhook target bad",
        "webhook target new",
        "webhook target without an id",
    ]


async def test_what_was_chosen_for_the_target_of_the_settings_waits_for_them(bench, state):
    chosen = {"id": "default", "topics": ["swap", "lock"], "from_settings": True}
    for _ in range(2):
        taken = await state.take_in([chosen], {}, "Alice")
        assert (taken.entries, taken.warnings) == (1, [])
        for _ in range(5):
            await bench.clock.advance(1)
            assert "default" in await shown(bench)
        bench.settings = WebhookSettings(webhook_url="http://127.0.0.1:5678/hook")

        async def has_its_url():
            return (await shown(bench))["default"]["url"] is not None

        await bench.until(has_its_url, "its url is there")
        assert (await shown(bench))["default"]["topics"] == ["swap", "lock"]
        bench.settings = WebhookSettings()

        async def gone():
            return not await shown(bench)

        await bench.until(gone, "without one it is gone")
    await state.take_in([chosen], {}, "Alice")
    await bench.until(gone, "and without ever having had one", step=5)
