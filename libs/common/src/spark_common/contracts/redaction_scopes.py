"""What the redaction service keeps, for whom and until when; never what is in it."""

from typing import Annotated

from pydantic import AwareDatetime, StringConstraints

from spark_common.contracts.redaction import Tenant
from spark_common.contracts.rpc import Reply, Request, Rpc

SessionId = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_.:-]{1,64}$")]


class ListScopes(Request):
    """Ask for what is kept, for all tenants or for one."""

    tenant: Tenant | None = None


class ForgetScope(Request):
    """Destroy the key of a scope: nobody reads its values any more."""

    tenant: Tenant
    session_id: SessionId


class ScopeView(Reply):
    """One scope: a session of a tenant."""

    tenant: str
    session_id: str
    profile: str
    created_at: AwareDatetime
    expires_at: AwareDatetime
    tasks: int
    """Texts that were hidden in it."""
    counts: dict[str, int]
    """Values by type."""


class ScopesView(Reply):
    """The next to expire first, at most a thousand."""

    scopes: list[ScopeView] = []


LIST_SCOPES = Rpc("rpc.redaction.scopes.list", ListScopes, ScopesView)
FORGET_SCOPE = Rpc("rpc.redaction.scopes.forget", ForgetScope, ScopesView)
