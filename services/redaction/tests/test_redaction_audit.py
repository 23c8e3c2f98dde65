"""Everything that is done with a map, or refused, is written down and told, without what it was."""

import json
import sqlite3

import pytest

from spark_common.contracts.redaction_scopes import ForgetScope
from spark_common.errors import UnavailableError
from spark_redaction.desk.auditing import at_most
from spark_redaction.desk.keeper import Keeper
from spark_redaction.desk.keeping import KeepingVerbs
from spark_redaction.vault.keyfile import MasterKey
from spark_redaction.vault.schema import open_database

TEXT = "Alice Smith, alice.smith@corp.internal, 415-555-0132."
ALICE = [{"type": "PERSON", "value": "Alice Smith", "id": "crm:12"}]
TENANT = "harbour-clinic"


def lines(stand) -> list[tuple]:
    with sqlite3.connect(stand.database) as database:
        return database.execute(
            "SELECT action, actor, outcome, tenant, counts, bytes FROM audit ORDER BY rowid"
        ).fetchall()


async def test_every_act_is_in_the_audit_and_told_without_whose_it_was(stand) -> None:
    headers = {"x-tenant": TENANT}
    http = stand.http
    await http.put("/entity-sets/oncology", json={"entities": ALICE}, headers=headers)
    done = await stand.scrub(
        TEXT, entity_set="oncology", session_id="ward-7", tenant=TENANT, profile="crm", ner="off"
    )
    task = {"task_id": done["task_id"]}
    await stand.back(done["task_id"], done["text"], tenant=TENANT)
    await http.post("/scrub/verify", json={**task, "text": "clean"}, headers=headers)
    await http.post("/scrub/verify", json={**task, "text": "Alice Smith"}, headers=headers)
    passing = {**headers, "x-task-id": done["task_id"], "content-type": "text/plain"}
    await http.post("/rehydrate/stream", content=b"[[PERSON_1]]", headers=passing)
    other = {"x-tenant": "other"}
    assert (
        await http.post("/rehydrate", json={**task, "text": "x"}, headers=other)
    ).status_code == 404
    await http.post("/erase", json={"entity_id": "crm:12"}, headers=headers)
    await http.delete(f"/tasks/{done['task_id']}", headers=headers)
    await http.post("/rehydrate", json={**task, "text": "x"}, headers=headers)
    await KeepingVerbs(stand.desk).forget(ForgetScope(tenant=TENANT, session_id="ward-7"))
    await http.delete("/entity-sets/oncology", headers=headers)
    await http.delete("/entity-sets/oncology", headers=headers)

    written = lines(stand)
    assert [line[:3] for line in written] == [
        ("put_set", "http", "ok"), ("scrub", "http", "ok"), ("rehydrate", "http", "ok"), ("verify", "http", "ok"),
        ("verify", "http", "leak"), ("stream", "http", "ok"), ("rehydrate", "http", "not_found"), ("erase", "http", "ok"),
        ("delete_task", "http", "ok"), ("rehydrate", "http", "gone"), ("delete_session", "operator", "ok"),
        ("delete_set", "http", "ok"), ("delete_set", "http", "not_found"),
    ]  # fmt: skip
    assert [(each.action, each.actor, each.outcome) for each in stand.told] == [
        line[:3] for line in written
    ]
    assert json.loads(written[1][4]) == {"PERSON": 1, "EMAIL": 1, "PHONE": 1}
    scrub, rehydrate = stand.told[1], stand.told[2]
    assert (
        scrub.counts_at_most == rehydrate.counts_at_most == {"PERSON": 10, "EMAIL": 10, "PHONE": 10}
    )
    assert (scrub.bytes_at_most, scrub.profile) == (at_most(written[1][5]), "crm")
    assert scrub.entity_set is not None
    assert scrub.entity_set == stand.told[0].entity_set
    assert len({each.tenant for each in stand.told}) == 2
    said = "".join(each.model_dump_json() for each in stand.told)
    names = (
        TENANT,
        "oncology",
        "ward-7",
        "crm:12",
        done["task_id"],
        "Alice",
        "corp.internal",
        "4155550132",
        "[[",
    )
    assert not [name for name in names if name in said]
    with sqlite3.connect(stand.database) as database:
        kept = json.dumps(database.execute("SELECT * FROM audit").fetchall())
    assert not [name for name in names[5:-1] if name in kept]


async def test_the_audit_says_what_the_gateway_calls_the_key_and_nobody_else_hears_it(
    stand,
) -> None:
    for label in ("n8n%20at%20home", "bad%0Aline", ""):
        headers = {"x-tenant": TENANT, "x-spark-label": label}
        await stand.http.post("/scrub", json={"text": TEXT}, headers=headers)
    with sqlite3.connect(stand.database) as database:
        callers = database.execute("SELECT caller FROM audit ORDER BY rowid").fetchall()
    assert callers == [("n8n at home",), ("",), ("",)]
    assert "n8n" not in "".join(each.model_dump_json() for each in stand.told)


async def test_what_expires_is_forgotten_by_the_clock(stand) -> None:
    await stand.scrub(TEXT, ttl_s=60)
    keeper = Keeper(stand.desk)
    assert await keeper.purge() == 0
    await stand.clock.advance(61)
    assert await keeper.purge() == 1
    assert lines(stand)[-1][:4] == ("purge", "clock", "ok", "")
    assert (stand.told[-1].tenant, stand.told[-1].counts_at_most) == (None, {"scopes": 10})
    await stand.clock.advance(31 * 86400)
    await keeper.purge()
    assert lines(stand) == []


async def test_nothing_is_put_back_that_cannot_be_written_down(stand) -> None:
    done = await stand.scrub(TEXT)
    await stand.desk.vault.run(
        lambda: stand.desk.vault._database.execute("ALTER TABLE audit RENAME TO gone")
    )
    answer = await stand.http.post(
        "/rehydrate",
        json={"task_id": done["task_id"], "text": done["text"]},
        headers={"x-tenant": "a"},
    )
    assert (answer.status_code, "corp.internal" in answer.text) == (503, False)
    with pytest.raises(UnavailableError):
        await stand.desk.vault.run(
            lambda: stand.desk.vault._database.execute("SELECT 1 FROM audit")
        )


def test_sizes_are_rounded_up_so_that_they_fit_many_texts() -> None:
    assert [at_most(each) for each in (0, 1, 10, 11, 100, 4711)] == [0, 10, 10, 100, 100, 10_000]


def test_a_map_of_an_earlier_version_gets_the_new_columns(tmp_path) -> None:
    place = tmp_path / "map.db"
    with sqlite3.connect(place) as old:
        old.execute(
            "CREATE TABLE audit (at REAL NOT NULL, tenant TEXT NOT NULL, action TEXT NOT NULL, task_id TEXT, counts TEXT NOT NULL, bytes INTEGER NOT NULL)"
        )
        old.execute("INSERT INTO audit VALUES (1, 'a', 'scrub', NULL, '{}', 5)")
    for _ in range(2):
        database = open_database(place, MasterKey(bytes(32)))
        assert database.execute("SELECT bytes, actor, ms, outcome FROM audit").fetchall() == [
            (5, "", 0, "ok")
        ]
        database.close()
