"""Keys: made once, kept as hashes, changed, revoked; the last administrator stays."""

import asyncio
import hashlib
import json
from datetime import timedelta

import pytest

from spark_common.contracts.api_keys import (
    CHANGE_KEY,
    END_SESSION,
    LIST_KEYS,
    NOTE_USE,
    REMOVE_KEY,
    ChangeKey,
    EndSession,
    ListKeys,
    NoteUse,
    RemoveKey,
)
from spark_common.errors import ConflictError, InvalidRequestError, NotFoundError
from spark_common.settings.policies import KeySettings
from spark_common.testing.logs import logged
from spark_coordinator.api_keys import registry, store

pytestmark = pytest.mark.connected
ON = KeySettings(api_keys=True)


async def listed(desk):
    return (await desk.asker.call(LIST_KEYS, ListKeys())).keys


async def everything_in(redis):
    texts = []
    async for place in redis.scan_iter("*"):
        kind = await redis.type(place)
        texts.append(str(await (redis.hgetall(place) if kind == "hash" else redis.get(place))))
    return "".join(texts)


async def change(desk, id, **given):
    return await desk.asker.call(CHANGE_KEY, ChangeKey(id=id, **given))


async def remove(desk, id):
    return await desk.asker.call(REMOVE_KEY, RemoveKey(id=id))


async def test_the_text_of_a_key_stands_in_one_answer_and_nowhere_else(desk):
    with logged("coordinator") as out:
        made = await desk.create(requests_per_minute=5, models=["org/Qwen3"], weight=3)
        (shown,) = await listed(desk)
        ring = await desk.ring()
    digest = hashlib.sha256(made.key.encode()).hexdigest()
    assert shown == shown.model_validate(made.model_dump())
    assert (shown.requests_per_minute, shown.models, shown.weight) == (5, ["org/Qwen3"], 3)
    assert ring.keys is not None
    assert [key.digest for key in ring.keys] == [digest]
    for text in (await everything_in(desk.redis), out.getvalue(), json.dumps(desk.hints)):
        assert made.key not in text
    assert "keys.changed" in out.getvalue()
    assert digest not in out.getvalue() + json.dumps(desk.hints) + repr(ring) + repr(shown)


async def test_a_change_is_told_and_is_one_version_further(desk):
    made = await desk.create()
    first = await desk.ring()
    assert (await desk.ring(first.version)).keys is None
    changed = await change(desk, made.id, concurrency=2, enabled=False)
    assert (changed.concurrency, changed.enabled, changed.name) == (2, False, "Alice's laptop")
    second = await desk.ring(first.version)
    assert second.keys is not None
    assert second.version > first.version
    assert second.session_secret == first.session_secret
    await remove(desk, made.id)
    assert (await desk.ring(second.version)).keys == []
    await asyncio.sleep(0)
    assert [(hint["key_id"], hint["action"]) for hint in desk.hints] == [
        (made.id, "created"), (made.id, "changed"), (made.id, "removed"),
    ]  # fmt: skip


async def test_an_end_is_set_and_taken_away_again(desk):
    end = desk.clock.now() + timedelta(days=1)
    made = await desk.create(expires_at=end)
    assert made.expires_at == end
    assert (await change(desk, made.id, name="Bob")).expires_at == end
    assert (await change(desk, made.id, never_expires=True)).expires_at is None
    with pytest.raises(InvalidRequestError, match="not both"):
        await change(desk, made.id, never_expires=True, expires_at=end)
    past = desk.clock.now() - timedelta(seconds=1)
    with pytest.raises(InvalidRequestError, match="over already"):
        await desk.create(expires_at=past)
    with pytest.raises(InvalidRequestError, match="over already"):
        await change(desk, made.id, expires_at=past)


async def test_what_is_not_there_is_not_found(desk):
    for ask in (change(desk, "nobody", weight=2), remove(desk, "nobody")):
        with pytest.raises(NotFoundError):
            await ask


async def test_the_last_way_in_is_not_taken_away(desk):
    with pytest.raises(InvalidRequestError, match="without an expiry"):
        await desk.create(scopes=["admin"], expires_at=desk.clock.now() + timedelta(days=1))
    admin = await desk.create(scopes=["admin", "infer", "admin"])
    assert admin.scopes == ["admin", "infer"]
    desk.settings = ON
    later = desk.clock.now() + timedelta(days=1)
    for attempt in (
        lambda: remove(desk, admin.id),
        lambda: change(desk, admin.id, scopes=["infer"]),
        lambda: change(desk, admin.id, enabled=False),
        lambda: change(desk, admin.id, expires_at=later),
    ):
        with pytest.raises(ConflictError, match="last key"):
            await attempt()
    other = await desk.create(scopes=["admin"])
    assert [key.id for key in (await remove(desk, admin.id)).keys] == [other.id]
    desk.settings = KeySettings()
    assert (await remove(desk, other.id)).keys == []


async def test_many_at_once_are_all_kept_and_each_has_a_number_of_its_own(desk):
    made = await asyncio.gather(*(desk.create(f"n{number}") for number in range(5)))
    assert len({key.key for key in made}) == 5
    assert {key.name for key in await listed(desk)} == {f"n{number}" for number in range(5)}
    assert (await desk.ring()).version == 5


async def test_there_is_an_end_to_how_many(desk, monkeypatch):
    monkeypatch.setattr(registry, "MOST_KEYS", 2)
    await desk.create()
    await desk.create()
    with pytest.raises(ConflictError, match="remove one first"):
        await desk.create()


async def test_the_day_of_the_latest_use_only_moves_on(desk):
    made = await desk.create()
    today, yesterday = desk.clock.now().date(), desk.clock.now().date() - timedelta(days=1)
    for day, shown in ((yesterday, yesterday), (today, today), (yesterday, today)):
        await desk.asker.call(NOTE_USE, NoteUse(ids=[made.id, "gone"], day=day))
        assert [key.last_used_on for key in await listed(desk)] == [shown]
    await remove(desk, made.id)
    assert "gone" not in await everything_in(desk.redis)
    assert made.id not in await everything_in(desk.redis)


async def test_keys_go_from_one_install_to_another_as_hashes(desk):
    temporary = await desk.create(
        "temporary", scopes=["infer"], expires_at=desk.clock.now() + timedelta(days=9)
    )
    await desk.create("owner", scopes=["admin"])
    exported = await desk.state.export()
    assert exported.secrets == {}
    text = json.dumps(list(exported.entries))
    assert temporary.key not in text
    before = await desk.ring()
    await desk.redis.delete("sc:keys", "sc:keys:version", "sc:keys:session")
    assert await listed(desk) == []
    broken = [{"name": "torn", "id": "torn"}, {}]
    taken = await desk.state.take_in([*exported.entries, *broken], {}, "Alice")
    assert taken.entries == 2
    assert [one.partition(":")[0] for one in taken.warnings] == [
        "API key torn", "API key without a name",
    ]  # fmt: skip
    after = await desk.ring()
    assert after.keys == before.keys
    assert after.session_secret != before.session_secret
    again = await desk.state.take_in(exported.entries, {}, "Alice")
    assert (again.entries, again.warnings) == (2, [])


async def test_sessions_that_were_signed_out_of_are_known_to_all_until_their_time(
    desk, clock, monkeypatch
):
    await desk.create()
    before = await desk.ring()

    async def sign_out(letter, seconds):
        until = clock.now() + timedelta(seconds=seconds)
        await desk.asker.call(END_SESSION, EndSession(id=letter * 22, until=until))

    await sign_out("a", 60)
    await sign_out("a", 60)
    await sign_out("l", -1)
    ring = await desk.ring(before.version)
    assert (ring.version, ring.ended) == (before.version + 1, ["a" * 22])
    assert await desk.create() is not None
    await clock.advance(61)
    await sign_out("b", 60)
    assert (await desk.ring()).ended == ["b" * 22]
    monkeypatch.setattr(store, "_MOST_ENDED", 2)
    await sign_out("c", 61)
    await sign_out("d", 62)
    assert (await desk.ring()).ended == ["c" * 22, "d" * 22]
    assert "session" not in json.dumps(desk.hints)
