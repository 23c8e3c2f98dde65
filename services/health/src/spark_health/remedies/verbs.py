"""What a person presses about a service that is stuck."""

from collections.abc import Callable, Mapping, Sequence

from spark_common.bus.port import Serving
from spark_common.contracts.deep_health import APPLY_REMEDY, RESET_REMEDY, RemedyOrder, RemedyView
from spark_common.errors import ConflictError, NotFoundError
from spark_health.deep.ports import Place
from spark_health.remedies.book import RemedyBook
from spark_health.remedies.holding import InTheWayError
from spark_health.remedies.modes import key_for
from spark_health.remedies.remedying import Remedies
from spark_health.remedies.showing import RemedyShow


class RemedyVerbs:
    """Answers what people press."""

    def __init__(
        self,
        remedies: Remedies,
        book: RemedyBook,
        show: RemedyShow,
        places: Callable[[], Mapping[str, Place]],
    ) -> None:
        self._remedies = remedies
        self._book = book
        self._show = show
        self._places = places

    def verbs(self) -> Sequence[Serving]:
        """Return every verb with its function."""
        return (
            Serving(RESET_REMEDY, self.reset, limit=4),
            Serving(APPLY_REMEDY, self.apply, limit=4),
        )

    async def reset(self, order: RemedyOrder) -> RemedyView:
        """Close the circuit; raises NotFoundError."""
        place = self._place(order.service)
        await self._book.heal(key_for(place))
        return await self._show.view(place, None)

    async def apply(self, order: RemedyOrder) -> RemedyView:
        """Restart now; raises NotFoundError, LeaseHeldError, ConflictError for what is in the way.

        Also raises UnavailableError where nobody can say who holds the cluster.
        """
        place = self._place(order.service)
        try:
            await self._remedies.press(
                place, order.requested_by, token=order.lock_token, force=order.force
            )
        except InTheWayError as why:
            raise ConflictError(f"{place.label} was not restarted: {why}") from why
        return await self._show.view(place, None)

    def _place(self, service: str) -> Place:
        places = self._places()
        if service not in places:
            known = ", ".join(sorted(places))
            raise NotFoundError(f"no service {service!r}; there are: {known}")
        return places[service]
