"""All state leaves as one document, and a fresh install becomes the same system by it."""

import json
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from spark_common.embedded import RedisServer
from spark_common.errors import InvalidRequestError, ServiceUnavailableError
from spark_common.redis_access import connect_redis
from spark_coordinator.owner import Exported, TakenIn

pytestmark = pytest.mark.connected

WORDS = "correct horse battery"
RECIPES = "# mine\nmodels:\n  qwen: {repo: org/qwen}\n"


class Targets:
    """A part of the state as webhooks are: entries by id, each with a secret of its own."""

    name = "webhooks"

    def __init__(self):
        self.kept = {}
        self.secrets = {}

    async def export(self):
        return Exported(list(self.kept.values()), dict(self.secrets))

    async def take_in(self, entries, secrets, requested_by):
        self.kept |= {one["id"]: one for one in entries}
        self.secrets |= secrets
        return TakenIn(len(entries), len(secrets))


@pytest_asyncio.fixture
async def elsewhere(make_stack, tmp_path) -> AsyncIterator:
    """Yield a fresh install with a Redis and a folder of its own."""
    server = RedisServer(tmp_path / "redis-elsewhere")
    await server.start()
    redis = connect_redis(server.settings, "coordinator")
    (tmp_path / "elsewhere").mkdir()
    stack = make_stack(redis, tmp_path / "elsewhere")
    stack.targets = Targets()
    await stack.start(stack.targets)
    yield stack
    await redis.aclose()
    await server.kill()


@pytest_asyncio.fixture
async def full(make_stack):
    """Return an install that has something of everything."""
    stack = make_stack()
    stack.targets = Targets()
    await stack.start(stack.targets)
    await stack.change(
        values={"VLLM_PORT": 8890, "DISABLED_SERVICES": ["magpie"], "DROP_CACHES": True},
        secrets={"HF_TOKEN": "hush-one", "NGC_API_KEY": "hush-two"},
    )
    stack.targets.kept = {"a": {"id": "a", "url": "https://hook.example"}}
    stack.targets.secrets = {"a": "hush-three"}
    stack.recipes = RECIPES
    return stack


async def everything(stack):
    owner = [await stack.redis.hgetall(f"sc:settings{end}") for end in ("", ":secrets")]
    return owner, stack.recipes, stack.targets.kept, stack.targets.secrets


async def test_a_fresh_install_becomes_the_same_system(full, elsewhere):
    document = (await full.export(WORDS)).model_dump(mode="json")
    assert "hush" not in json.dumps(document)
    assert document["missing_secrets"] == []
    taken = await elsewhere.take_in(document, WORDS)
    assert (taken.settings, taken.secrets, taken.webhooks, taken.overrides) == (3, 3, 1, True)
    assert taken.warnings == []
    assert await everything(elsewhere) == await everything(full)
    again = (await elsewhere.export(WORDS)).model_dump(mode="json", exclude={"secrets"})
    for moment in (again, document):
        moment.pop("exported_at")
    assert again == {name: value for name, value in document.items() if name != "secrets"}


async def test_taking_the_same_in_twice_changes_nothing(full, elsewhere):
    document = (await full.export(WORDS)).model_dump(mode="json")
    await elsewhere.take_in(document, WORDS)
    before, version = await everything(elsewhere), (await elsewhere.view()).version
    await elsewhere.take_in(document, WORDS)
    assert (await everything(elsewhere), (await elsewhere.view()).version) == (before, version)


async def test_a_dry_run_says_what_would_change_and_changes_nothing(full, elsewhere):
    document = (await full.export(WORDS)).model_dump(mode="json")
    await elsewhere.change(
        values={"VLLM_PORT": 9000, "DROP_CACHES": True}, secrets={"HF_TOKEN": "its own"}
    )
    elsewhere.targets.kept = {"a": {"id": "a", "url": "https://other.example"}}
    document["schedules"] = [{"id": "night"}]
    before, version = await everything(elsewhere), (await elsewhere.view()).version
    foreseen = await elsewhere.take_in(document, WORDS, dry_run=True)
    assert (await everything(elsewhere), (await elsewhere.view()).version) == (before, version)
    assert foreseen.dry_run
    assert [(one.part, one.name, one.how) for one in foreseen.changes] == [
        ("settings", "DISABLED_SERVICES", "added"),
        ("settings", "VLLM_PORT", "replaced"),
        ("secrets", "HF_TOKEN", "replaced"),
        ("secrets", "NGC_API_KEY", "added"),
        ("secrets", "webhooks: a", "added"),
        ("recipes", "models.override.yaml", "added"),
        ("webhooks", "a", "replaced"),
    ]
    assert (foreseen.changes[1].before, foreseen.changes[1].after) == ("9000", "8890")
    assert foreseen.warnings == [
        "schedules of the document were left out: this version does not know them"
    ]
    assert "hush" not in foreseen.model_dump_json()
    await elsewhere.take_in(document, WORDS)
    assert (await elsewhere.take_in(document, WORDS, dry_run=True)).changes == []
    with pytest.raises(InvalidRequestError, match="passphrase"):
        await elsewhere.take_in(document, "another passphrase", dry_run=True)


async def test_without_a_passphrase_secrets_are_left_out_and_listed(full, elsewhere):
    document = (await full.export()).model_dump(mode="json")
    assert document["secrets"] is None
    assert document["missing_secrets"] == ["HF_TOKEN", "NGC_API_KEY", "webhooks: a"]
    assert "hush" not in json.dumps(document)
    await elsewhere.change(secrets={"HF_TOKEN": "its own"})
    taken = await elsewhere.take_in(document)
    assert any("NGC_API_KEY is not in the document" in one for one in taken.warnings)
    assert await elsewhere.redis.hgetall("sc:settings:secrets") == {"HF_TOKEN": "its own"}


async def test_sealed_secrets_without_the_passphrase_are_left_out_and_told(full, elsewhere):
    document = (await full.export(WORDS)).model_dump(mode="json")
    taken = await elsewhere.take_in(document)
    assert any("no passphrase" in one for one in taken.warnings)
    assert (taken.settings, taken.secrets) == (3, 0)


@pytest.mark.parametrize(
    "damage",
    [
        {"product": "other"},
        {"format": 2},
        {"settings": ["VLLM_PORT"]},
        {"secrets": "AAAA"},
        {"overrides": "no recipes at all"},
        {"overrides": "models:\n" + "#" * 500_000},
        {"schedules": "x"},
    ],
)
async def test_a_document_that_is_wrong_changes_nothing(full, elsewhere, damage):
    document = (await full.export(WORDS)).model_dump(mode="json") | damage
    before = await everything(elsewhere)
    with pytest.raises(InvalidRequestError):
        await elsewhere.take_in(document, WORDS)
    assert await everything(elsewhere) == before


async def test_the_wrong_passphrase_changes_nothing(full, elsewhere):
    document = (await full.export(WORDS)).model_dump(mode="json")
    before = await everything(elsewhere)
    with pytest.raises(InvalidRequestError, match="nothing was imported"):
        await elsewhere.take_in(document, "wrong horse battery")
    assert await everything(elsewhere) == before


async def test_settings_of_another_version_are_left_out_and_told(full, elsewhere):
    document = (await full.export()).model_dump(mode="json")
    document["settings"] |= {"OF_TOMORROW": "1", "KOKORO_PORT": "none"}
    taken = await elsewhere.take_in(document)
    assert taken.settings == 3
    for name in ("OF_TOMORROW", "KOKORO_PORT"):
        assert any(one.startswith(f"{name} was left out") for one in taken.warnings)


async def test_what_a_file_says_moves_no_cursor_and_clears_no_screen(full, elsewhere):
    document = (await full.export()).model_dump(mode="json")
    document["settings"] = {"\x1b[2J\nVLLM_PORT": "1"}
    document["missing_secrets"] = ["\x1b]0;title\x07"]
    warnings = (await elsewhere.take_in(document)).warnings
    assert len(warnings) == 2
    assert all(one.isprintable() for one in warnings)


async def test_parts_nobody_takes_in_are_told(full, elsewhere):
    document = (await full.export()).model_dump(mode="json")
    document["schedules"] = [{"id": "nightly"}]
    taken = await elsewhere.take_in(document)
    assert any("schedules" in one for one in taken.warnings)


async def test_an_export_is_whole_or_refused(make_stack):
    stack = make_stack()
    await stack.start(swapper=False)
    with pytest.raises(ServiceUnavailableError):
        await stack.export()
