"""What is kept, for whoever runs the cluster: every tenant's scopes, without contents."""

from collections.abc import Sequence
from datetime import UTC, datetime

from spark_common.bus.port import Serving
from spark_common.contracts.redaction_scopes import (
    FORGET_SCOPE,
    LIST_SCOPES,
    ForgetScope,
    ListScopes,
    ScopesView,
    ScopeView,
)
from spark_redaction.desk.desk import Desk
from spark_redaction.desk.keeper import Keeper


class KeepingVerbs:
    """Lists and forgets scopes; over HTTP callers see their own tenant's only."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def verbs(self) -> Sequence[Serving]:
        """What is answered on the bus."""
        return [Serving(LIST_SCOPES, self.scopes), Serving(FORGET_SCOPE, self.forget)]

    async def scopes(self, request: ListScopes) -> ScopesView:
        """Show what is kept and until when."""
        vault, now = self._desk.vault, self._desk.now()
        found = await vault.run(lambda: vault.forgetting.scopes(request.tenant, now))
        views = [
            ScopeView(
                tenant=each.tenant,
                session_id=each.session_id,
                profile=each.profile,
                created_at=_moment(each.created),
                expires_at=_moment(each.expires),
                tasks=each.tasks,
                counts=dict(each.counts),
            )
            for each in found
        ]
        return ScopesView(scopes=views)

    async def forget(self, request: ForgetScope) -> ScopesView:
        """Forget one; NotFoundError when the tenant has none of that name. The others are shown."""
        await Keeper(self._desk).delete_session(request.tenant, request.session_id, "operator")
        return await self.scopes(ListScopes())


def _moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
