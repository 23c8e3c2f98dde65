"""The routes."""

from dataclasses import asdict
from typing import Any

from pydantic import TypeAdapter, ValidationError
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from spark_common.errors import InvalidRequestError, TooLargeError
from spark_redaction.desk.desk import Desk
from spark_redaction.desk.keeper import Keeper
from spark_redaction.desk.questions import (
    MOST_IN_SET,
    EntitySetQuestion,
    EraseQuestion,
    RehydrateQuestion,
    ScrubQuestion,
    SetName,
    VerifyQuestion,
)
from spark_redaction.vault.sets import EntitySet
from spark_redaction.web.answers import answered, guarded, tenant_of
from spark_redaction.web.bodies import body_of, parsed
from spark_redaction.web.streams import streamed

_SET_FACTOR = 16
"""A set of entities may be longer than a text."""


class Routes:
    """Handlers of one desk."""

    def __init__(self, desk: Desk, most_bytes: int) -> None:
        self._desk = desk
        self._keeper = Keeper(desk)
        self._most = most_bytes

    def all(self) -> list[Route]:
        """Every route."""
        table = [
            ("/scrub", "POST", self.scrub),
            ("/scrub/verify", "POST", self.verify),
            ("/rehydrate", "POST", self.rehydrate),
            ("/rehydrate/stream", "POST", self.stream),
            ("/entity-sets", "GET", self.list_sets),
            ("/entity-sets/{name}", "PUT", self.put_set),
            ("/entity-sets/{name}", "GET", self.get_set),
            ("/entity-sets/{name}", "DELETE", self.delete_set),
            ("/scopes", "GET", self.list_scopes),
            ("/tasks/{id}", "DELETE", self.delete_task),
            ("/sessions/{id}", "DELETE", self.delete_session),
            ("/erase", "POST", self.erase),
            ("/health", "GET", self.health),
        ]
        # The gateway passes on what lies below /scrub; apps beside us may use the short address.
        return [
            Route(prefix + path, guarded(handle), methods=[method])
            for path, method, handle in table
            for prefix in (("",) if path.startswith(("/scrub", "/rehydrate")) else ("", "/scrub"))
        ]

    async def scrub(self, request: Request) -> Response:
        """Hide what is personal."""
        tenant = tenant_of(request)
        body = await body_of(request, self._most)
        question = parsed(body, ScrubQuestion)
        return answered(await self._desk.scrub(tenant, question, len(body)))

    async def rehydrate(self, request: Request) -> Response:
        """Put it back."""
        tenant = tenant_of(request)
        body = await body_of(request, self._most)
        question = parsed(body, RehydrateQuestion)
        return answered(await self._desk.rehydrate(tenant, question, len(body)))

    async def stream(self, request: Request) -> Response:
        """Put it back while it is being written."""
        scope = await self._desk.streamed(tenant_of(request), request.headers.get("x-task-id", ""))
        return streamed(request, scope)

    async def verify(self, request: Request) -> Response:
        """Say whether a text is clean of everything the scope hides."""
        tenant = tenant_of(request)
        body = await body_of(request, self._most)
        question = parsed(body, VerifyQuestion)
        types = await self._desk.verify(tenant, question, len(body))
        if types:
            return answered({"clean": False, "types": types}, 409)
        return answered({"clean": True})

    async def put_set(self, request: Request) -> Response:
        """Replace a set of known entities."""
        tenant, name = tenant_of(request), _set_name(request)
        body = await body_of(request, self._most * _SET_FACTOR)
        question = parsed(body, EntitySetQuestion)
        if len(question.entities) > MOST_IN_SET:
            raise TooLargeError(f"more than {MOST_IN_SET} entities in a set")
        entities = [each.name() for each in question.entities]
        kept = await self._keeper.put_set(tenant, name, entities, len(body))
        return answered(_shown(kept))

    async def get_set(self, request: Request) -> Response:
        """Show a set's version and size, never what is in it."""
        tenant, name = tenant_of(request), _set_name(request)
        vault = self._desk.vault
        found = await vault.run(lambda: vault.sets.get(tenant, name, contents=False))
        return answered(_shown(found))

    async def list_sets(self, request: Request) -> Response:
        """Show all sets that way."""
        tenant, vault = tenant_of(request), self._desk.vault
        found = await vault.run(lambda: vault.sets.listed(tenant))
        return answered({"entity_sets": [_shown(each) for each in found]})

    async def delete_set(self, request: Request) -> Response:
        """Forget a set."""
        await self._keeper.delete_set(tenant_of(request), _set_name(request))
        return answered({"deleted": True})

    async def list_scopes(self, request: Request) -> Response:
        """Show what is kept and until when, without contents."""
        tenant, vault, now = tenant_of(request), self._desk.vault, self._desk.now()
        found = await vault.run(lambda: vault.forgetting.scopes(tenant, now))
        return answered({"scopes": [asdict(each) for each in found]})

    async def delete_task(self, request: Request) -> Response:
        """Forget a task."""
        await self._keeper.delete_task(tenant_of(request), request.path_params["id"])
        return answered({"deleted": True})

    async def delete_session(self, request: Request) -> Response:
        """Forget a session."""
        await self._keeper.delete_session(tenant_of(request), request.path_params["id"])
        return answered({"deleted": True})

    async def erase(self, request: Request) -> Response:
        """Forget a person everywhere, now and later."""
        tenant = tenant_of(request)
        question = parsed(await body_of(request, self._most), EraseQuestion)
        erased = await self._keeper.erase(tenant, question.value, question.entity_id)
        return answered({"tokens_erased": erased})

    async def health(self, _request: Request) -> Response:
        """Say whether key and map are there."""
        problem = await self._desk.vault.problem()
        return answered({"ready": problem is None, "reason": problem}, 503 if problem else 200)


def _set_name(request: Request) -> str:
    try:
        return TypeAdapter[str](SetName).validate_python(request.path_params["name"])
    except ValidationError:
        raise InvalidRequestError(
            "a set's name is letters, digits, dot, dash, underscore"
        ) from None


def _shown(found: EntitySet) -> dict[str, Any]:
    return {"name": found.name, "version": found.version, "names": found.names}
