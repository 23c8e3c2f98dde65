"""``/api/keys``: who may use ``/v1`` and ``/api``; the text of a key is answered once."""

from typing import Annotated

from fastapi import APIRouter, Body, Path, Query, Request
from pydantic import AwareDatetime, BaseModel, ConfigDict

from spark_common.contracts.api_keys import (
    CHANGE_KEY,
    CREATE_KEY,
    LIST_KEYS,
    REMOVE_KEY,
    ChangeKey,
    Concurrency,
    CreateKey,
    KeyId,
    Keys,
    KeyView,
    ListKeys,
    Models,
    NewKey,
    PerMinute,
    RemoveKey,
    Scopes,
    Weight,
)
from spark_common.contracts.swaps import Text
from spark_gateway.api.asking import ask
from spark_gateway.api.errors_doc import CHANGE, READ, problems
from spark_gateway.control_route import ControlRoute
from spark_gateway.keys.control_door import asker

router = APIRouter(prefix="/api/keys", tags=["keys"], route_class=ControlRoute)

IdInPath = Annotated[KeyId, Path(description="Id of the key; it opens nothing.")]


class KeyChanges(BaseModel):
    """The body of `PATCH /api/keys/{id}`. What is left out stays; a limit of 0 is none."""

    model_config = ConfigDict(extra="forbid")

    name: Text | None = None
    scopes: Scopes | None = None
    requests_per_minute: PerMinute | None = None
    tokens_per_minute: PerMinute | None = None
    concurrency: Concurrency | None = None
    weight: Weight | None = None
    models: Models | None = None
    expires_at: AwareDatetime | None = None
    """`null` takes the expiry away."""
    enabled: bool | None = None
    requested_by: Text = "someone"


@router.get("", responses=problems(*READ))
async def list_keys(request: Request) -> Keys:
    """All keys with their limits and the day of their latest use."""
    return await ask(request, LIST_KEYS, ListKeys())


@router.post("", status_code=201, responses=problems(*CHANGE))
async def create_key(request: Request, form: Annotated[CreateKey, Body()]) -> NewKey:
    """Make a key. `key` of this answer is shown here and never again."""
    by = asker(request.scope) or form.requested_by
    return await ask(request, CREATE_KEY, form.model_copy(update={"requested_by": by}))


@router.patch("/{id}", responses=problems(404, *CHANGE))
async def change_key(
    request: Request, id: IdInPath, form: Annotated[KeyChanges, Body()]
) -> KeyView:
    """Change what a key may; it holds for the next request everywhere within two seconds."""
    given = form.model_dump(exclude_unset=True)
    given["never_expires"] = "expires_at" in given and given["expires_at"] is None
    given["requested_by"] = asker(request.scope) or form.requested_by
    return await ask(request, CHANGE_KEY, ChangeKey(id=id, **given))


@router.delete("/{id}", responses=problems(404, *CHANGE))
async def remove_key(
    request: Request,
    id: IdInPath,
    requested_by: Annotated[Text, Query(description="A label for people: who asked.")] = "someone",
) -> Keys:
    """Revoke a key for good; what it has under way is cut off. The others are answered."""
    by = asker(request.scope) or requested_by
    return await ask(request, REMOVE_KEY, RemoveKey(id=id, requested_by=by))
