"""Schedules and webhooks as they really are kept go along, on two installs of their own."""

import json
from datetime import UTC, datetime

import pytest

from spark_common.contracts.schedules import PutSchedule
from spark_common.contracts.webhooks import PutTarget
from spark_common.embedded import RedisServer
from spark_common.redis_access import connect_redis
from spark_coordinator.owner.state.schedules import ScheduleState
from spark_coordinator.schedules.registry import Registry as Schedules
from spark_coordinator.webhooks.guard import TargetGuard
from spark_coordinator.webhooks.registry import Registry as Targets
from spark_coordinator.webhooks.state import TargetsAsState
from spark_coordinator.webhooks.store import WebhookStore
from spark_coordinator.webhooks.targets import DEFAULT_ID, Target
from spark_coordinator.webhooks.testing.receivers import Names

pytestmark = pytest.mark.connected
WORDS = "correct horse battery"
NTFY = "ntfys://alice:hush-two@ntfy.example/topic"


async def a_stack(make_stack, *where):
    """Start an install with the real stores of schedules and webhooks."""
    stack = make_stack(*where)
    store = WebhookStore(stack.redis)
    stack.schedules = Schedules(stack.redis, stack.clock)
    stack.targets = Targets(store, stack.asker, Names(), TargetGuard(frozenset()), stack.clock)
    stack.store = store
    await stack.start(
        ScheduleState(stack.schedules), TargetsAsState(store, stack.targets, stack.clock)
    )
    return stack


@pytest.fixture
async def two(make_stack, tmp_path):
    """Yield an install with something of everything, and a fresh one."""
    server = RedisServer(tmp_path / "redis-elsewhere")
    await server.start()
    redis = connect_redis(server.settings, "coordinator")
    (tmp_path / "elsewhere").mkdir()
    full = await a_stack(make_stack)
    fresh = await a_stack(make_stack, redis, tmp_path / "elsewhere")
    await full.schedules.put(
        PutSchedule(
            id="nightly", kind="swap", cron="0 3 * * *", model="qwen", timezone="Europe/Rome"
        )
    )
    await full.schedules.put(PutSchedule(id="hourly", every_seconds=3600, owner="Bob"))
    await full.targets.put(
        PutTarget(
            id="home", url="https://hook.example/x", secret="hush-one", topics=["swap", "lock"]
        )
    )
    await full.targets.put(PutTarget(id="phone", kind="ntfy", address=NTFY, enabled=False))
    yield full, fresh
    await redis.aclose()
    await server.kill()


async def everything(stack):
    schedules = {one.id: one.schedule for one in await stack.schedules.all()}
    targets = {
        name: json.loads(one.as_json()) | {"created_at": None}
        for name, one in (await stack.store.targets()).items()
    }
    return schedules, targets


async def test_they_are_the_same_on_a_fresh_install(two):
    full, fresh = two
    document = (await full.export(WORDS)).model_dump(mode="json")
    assert "hush" not in json.dumps(document)
    taken = await fresh.take_in(document, WORDS)
    assert (taken.schedules, taken.webhooks, taken.secrets) == (2, 2, 2)
    assert taken.warnings == []
    assert await everything(fresh) == await everything(full)
    await fresh.take_in(document, WORDS)
    assert await everything(fresh) == await everything(full)


async def test_without_the_passphrase_nothing_is_sent_unsigned(two):
    full, fresh = two
    document = (await full.export()).model_dump(mode="json")
    assert document["missing_secrets"] == ["webhooks: home", "webhooks: phone"]
    taken = await fresh.take_in(document)
    assert (taken.schedules, taken.webhooks) == (2, 1)
    assert any("home: it is off" in one for one in taken.warnings)
    assert any("phone: ntfy needs an address" in one for one in taken.warnings)
    assert not (await fresh.store.targets())["home"].enabled
    await full.take_in(document)
    assert (await full.store.targets())["home"].enabled, "it keeps the secret that is there"


async def test_what_the_owner_chose_for_the_target_of_the_settings_goes_along(two):
    full, fresh = two
    chosen = Target(
        id=DEFAULT_ID,
        name="Mine",
        url="https://old.example/",
        topics=("swap", "health"),
        from_settings=True,
        created_at=datetime(2026, 11, 1, tzinfo=UTC),
    )
    await full.targets.change(DEFAULT_ID, lambda _: chosen, check=False)
    document = (await full.export(WORDS)).model_dump(mode="json")
    assert "old.example" not in json.dumps(document)
    await fresh.take_in(document, WORDS)
    restored = (await fresh.store.targets())[DEFAULT_ID]
    assert (restored.topics, restored.url, restored.from_settings) == (
        ("swap", "health"),
        None,
        True,
    )


WRONG = [
    ("schedules", {"id": "x"}),
    ("schedules", {"id": "x", "cron": "never"}),
    ("schedules", {"id": "x", "at": "2020-01-01T00:00:00Z"}),
    ("schedules", {"id": "x", "every_seconds": 1, "shell": "rm -rf /"}),
    ("webhooks", {"id": "x"}),
    ("webhooks", {"id": "x", "name": "x", "url": "ftp://x", "created_at": "2026-11-01T00:00:00Z"}),
    ("webhooks", {"id": "default", "name": "x", "created_at": "2026-11-01T00:00:00Z"}),
]


async def test_an_entry_that_is_wrong_is_left_out_and_told(two):
    full, fresh = two
    document = (await full.export(WORDS)).model_dump(mode="json")
    for part, entry in WRONG:
        taken = await fresh.take_in(
            document | {"schedules": [], "webhooks": [], part: [entry]}, WORDS
        )
        assert (taken.schedules, taken.webhooks) == (0, 0), entry
        assert len(taken.warnings) == 1, entry
