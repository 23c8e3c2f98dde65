"""Changes what is kept: lists of names, and what is forgotten. Each change is in the audit."""

from collections.abc import Sequence

from spark_common.events import RedactionActor
from spark_redaction.desk.desk import Desk
from spark_redaction.vault.audit import Act
from spark_redaction.vault.sets import EntitySet


class Keeper:
    """Over the vault and the audit of a desk."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def put_set(
        self, tenant: str, name: str, entities: Sequence[object], size: int
    ) -> EntitySet:
        """Replace a list of names."""
        vault, now = self._desk.vault, self._desk.now()
        act = Act("put_set", "http", tenant, entity_set=name, size=size)
        async with self._desk.audit.watch(act):
            act.counts = {"names": len(entities)}
            return await vault.run(lambda: vault.sets.put(tenant, name, entities, now))

    async def delete_set(self, tenant: str, name: str) -> None:
        """Forget a list; NotFoundError."""
        vault = self._desk.vault
        async with self._desk.audit.watch(Act("delete_set", "http", tenant, entity_set=name)):
            await vault.run(lambda: vault.sets.remove(tenant, name))

    async def delete_task(self, tenant: str, task_id: str) -> None:
        """Forget a task; NotFoundError."""
        vault = self._desk.vault
        async with self._desk.audit.watch(Act("delete_task", "http", tenant, task_id)):
            await vault.run(lambda: vault.forgetting.task(tenant, task_id))

    async def delete_session(
        self, tenant: str, session_id: str, actor: RedactionActor = "http"
    ) -> None:
        """Forget a session; NotFoundError."""
        vault = self._desk.vault
        async with self._desk.audit.watch(Act("delete_session", actor, tenant)):
            await vault.run(lambda: vault.forgetting.session(tenant, session_id))

    async def erase(self, tenant: str, value: str | None, entity_id: str | None) -> int:
        """Forget somebody in every session of a tenant; returns how many placeholders closed."""
        vault, now = self._desk.vault, self._desk.now()
        async with self._desk.audit.watch(Act("erase", "http", tenant)) as act:
            erased = await vault.run(
                lambda: vault.forgetting.value(tenant, value=value, entity_id=entity_id, now=now)
            )
            act.counts = {"tokens": erased}
            return erased

    async def purge(self) -> int:
        """Forget what has expired; returns how many sessions."""
        vault, now = self._desk.vault, self._desk.now()
        forgotten = await vault.run(lambda: vault.forgetting.purge(now))
        if forgotten:
            async with self._desk.audit.watch(Act("purge", "clock", counts={"scopes": forgotten})):
                pass
        return forgotten
