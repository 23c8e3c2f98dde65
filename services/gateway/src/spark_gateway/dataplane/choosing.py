"""Which upstream a request goes to, by its head and, where that matters, the model it names."""

from spark_gateway.dataplane.heads import RequestHead
from spark_gateway.dataplane.ports import Absence, Choice, Refusal, Router, Upstream
from spark_gateway.dataplane.reservation import Reservation


class ModelChooser:
    """Asks the router where, and the reservation whether."""

    def __init__(self, router: Router, reservation: Reservation) -> None:
        self._router = router
        self._reservation = reservation

    def at_head(self, head: RequestHead) -> Upstream | Refusal | None:
        """Decide without the body where none comes, or no model matters."""
        goal = self._router.route(head.method, head.path, head.fields)
        if isinstance(goal, Refusal) or not (head.chunked or head.length):
            return goal
        return None if self._reservation.binds else goal

    def choose(self, head: RequestHead, model: str | None) -> Choice | Refusal | Absence:
        """Decide by the model that is named."""
        goal = self._router.route(head.method, head.path, head.fields)
        if isinstance(goal, Refusal):
            return goal
        return self._reservation.refusal(head.path, model) or Choice(goal)
