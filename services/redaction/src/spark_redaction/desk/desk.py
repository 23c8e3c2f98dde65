"""Answers the requests: opens the scope, has the work done, writes it down, answers."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any
from weakref import WeakValueDictionary

from spark_common.clock import Clock
from spark_common.errors import ConflictError, NotFoundError, TooLargeError
from spark_common.events import RedactionActor
from spark_common.ids import new_id
from spark_redaction.desk.auditing import Auditor, Tell
from spark_redaction.desk.counts import HIDDEN
from spark_redaction.desk.questions import (
    MOST_INLINE,
    MOST_TOKENS,
    RehydrateQuestion,
    ScrubQuestion,
    VerifyQuestion,
)
from spark_redaction.desk.seeking import Sought, seek
from spark_redaction.scrub.version import VERSION
from spark_redaction.unknown.ports import NameFinder
from spark_redaction.vault.audit import LEAK, OK, Act
from spark_redaction.vault.scopes import Scope, Task
from spark_redaction.vault.sets import EntitySet
from spark_redaction.vault.vault import Vault
from spark_redaction.work.orders import Names, RehydrateWork, ScrubDone, ScrubWork
from spark_redaction.work.pool import Workers

HINT = "Keep tokens like [[PERSON_1]] exactly as written."


class Desk:
    """Scrub, rehydrate and verify for all tenants."""

    def __init__(
        self,
        vault: Vault,
        workers: Workers,
        clock: Clock,
        finders: Mapping[str, NameFinder] | None = None,
        tell: Tell = lambda _news: None,
    ) -> None:
        """``finders``: who looks for names that nobody listed, by what ``coverage`` calls them.

        ``tell``: who hears what was done, beside the audit.
        """
        self.vault = vault
        self.audit = Auditor(vault, clock, tell)
        self._workers = workers
        self._clock = clock
        self._finders = finders or {}
        self._locks: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()

    def now(self) -> float:
        """Seconds since the epoch."""
        return self._clock.now().timestamp()

    async def scrub(
        self, tenant: str, question: ScrubQuestion, size: int, actor: RedactionActor = "http"
    ) -> dict[str, Any]:
        """Scrub one text; nothing is answered before the map is on disk."""
        act = Act(
            "scrub", actor, tenant,
            entity_set=question.entity_set, profile=question.profile, size=size,
        )  # fmt: skip
        async with self.audit.watch(act):
            return await self._scrubbed(tenant, question, act)

    async def _scrubbed(self, tenant: str, question: ScrubQuestion, act: Act) -> dict[str, Any]:
        began = self._clock.monotonic()
        if len(question.entities) > MOST_INLINE:
            raise TooLargeError(f"more than {MOST_INLINE} entities in one request; make a set")
        known = await self._set(tenant, question.entity_set)
        sought = await self._sought(tenant, question)
        session_id = question.session_id or f"s_{new_id()}"
        async with self._alone(tenant, session_id):
            scope = await self._scope(tenant, session_id, question)
            work = ScrubWork(
                question.shape,
                question.content,
                question.format,
                question.profile,
                question.passthrough_placeholders,
                tuple(each.name() for each in question.entities),
                tuple(question.keep),
                None if known is None else (tenant, known.name, known.version),
                None,
                tuple(scope.entries),
                dict(scope.next_numbers),
                unknown=sought.names,
            )
            done = await self._workers.scrub(work, lambda: _names(known))
            if len(scope.entries) + len(done.added) > MOST_TOKENS:
                raise TooLargeError(f"more than {MOST_TOKENS} placeholders in one session")
            self.audit.measure(act, began)
            task = await self._written(scope, done, question.ttl_s, act)
        for kind, count in done.counts.items():
            HIDDEN.labels(kind).inc(count)
        return {
            "task_id": task.id,
            "session_id": session_id,
            question.shape: done.body,
            "expires_at": _moment(task.expires),
            "counts": done.counts,
            "placeholders": [
                {"token": token, "type": _type(token), "occurrences": count}
                for token, count in done.tokens.items()
            ],
            "coverage": {
                "structured": VERSION,
                "entities": len(question.entities),
                "entity_set": None
                if known is None
                else {"name": known.name, "version": known.version, "names": known.names},
                "ner": sought.coverage,
                "readers": dict(sought.readers),
            },
            "prompt_hint": HINT,
            "warnings": list(sought.warnings),
        }

    async def rehydrate(
        self,
        tenant: str,
        question: RehydrateQuestion,
        size: int = 0,
        actor: RedactionActor = "http",
    ) -> dict[str, Any]:
        """Put values back; ConflictError with ``on_unknown`` error when some are not there."""
        act = Act("rehydrate", actor, tenant, question.task_id, size=size)
        async with self.audit.watch(act):
            return await self._rehydrated(tenant, question, act)

    async def _rehydrated(
        self, tenant: str, question: RehydrateQuestion, act: Act
    ) -> dict[str, Any]:
        scope = await self.opened(tenant, question.task_id, question.session_id)
        work = RehydrateWork(
            question.shape,
            question.content,
            question.format,
            question.tolerance,
            question.expand_in_urls,
            tuple(scope.entries),
        )
        body, report = await self._workers.rehydrate(work)
        for token, count in report.restored.items():
            act.counts = {**act.counts, _type(token): act.counts.get(_type(token), 0) + count}
        if report.unresolved and question.on_unknown == "error":
            raise ConflictError("some placeholders are not of this session")
        return {
            question.shape: body,
            "restored": dict(report.restored),
            "normalised": report.normalised,
            "unresolved": report.unresolved,
            "blocked": report.blocked,
        }

    async def verify(self, tenant: str, question: VerifyQuestion, size: int = 0) -> list[str]:
        """Return the types of values of the scope that can be read in a text."""
        act = Act("verify", "http", tenant, question.task_id, size=size)
        async with self.audit.watch(act):
            scope = await self.opened(tenant, question.task_id, question.session_id)
            types = await self._workers.verify(question.text, tuple(scope.entries))
            act.outcome = LEAK if types else OK
            return types

    async def streamed(self, tenant: str, task_id: str) -> Scope:
        """Return the scope of a task whose values are put back while a text passes."""
        async with self.audit.watch(Act("stream", "http", tenant, task_id or None)):
            return await self.opened(tenant, task_id, None)

    async def opened(self, tenant: str, task_id: str | None, session_id: str | None) -> Scope:
        """Return the scope of a task or session."""
        now = self.now()
        if task_id is not None:
            return await self.vault.run(lambda: self.vault.scopes.of_task(tenant, task_id, now))
        found = await self.vault.run(
            lambda: self.vault.scopes.of_session(tenant, session_id or "", now)
        )
        if found is None:
            raise NotFoundError("there is no such session")
        return found

    async def _scope(self, tenant: str, session_id: str, question: ScrubQuestion) -> Scope:
        now = self.now()
        scopes = self.vault.scopes
        found = None
        if question.session_id is not None:
            found = await self.vault.run(lambda: scopes.of_session(tenant, session_id, now))
        if found is None:
            return scopes.new(new_id(), tenant, session_id, question.profile, now + question.ttl_s)
        if found.profile != question.profile:
            raise ConflictError(f"this session was begun with the profile {found.profile}")
        return found

    async def _written(self, scope: Scope, done: ScrubDone, ttl_seconds: int, act: Act) -> Task:
        now = self.now()
        task = Task(f"t_{new_id()}", act.size, done.counts, now + ttl_seconds)
        act.task_id, act.counts = task.id, done.counts
        await self.vault.run(
            lambda: self.vault.scopes.save(scope, task, done.added, done.next_numbers, now, act)
        )
        return task

    async def _sought(self, tenant: str, question: ScrubQuestion) -> Sought:
        """Before the session is anybody's alone: a model may take its time."""
        work = ScrubWork(question.shape, question.content, question.format)
        return await seek(self._finders, tenant, question, lambda: self._workers.prose(work))

    async def _set(self, tenant: str, name: str | None) -> EntitySet | None:
        if name is None:
            return None
        return await self.vault.run(lambda: self.vault.sets.get(tenant, name))

    @asynccontextmanager
    async def _alone(self, tenant: str, session_id: str) -> AsyncIterator[None]:
        """One at a time in a session: two at once could give two values one number."""
        lock = self._locks.setdefault((tenant, session_id), asyncio.Lock())
        async with lock:
            yield


def _names(known: EntitySet | None) -> Names:
    entities = [] if known is None else known.entities
    return tuple((kind, value, tuple(aliases), id_) for kind, value, aliases, id_ in entities)


def _type(token: str) -> str:
    return token[2:].partition("_")[0]


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
