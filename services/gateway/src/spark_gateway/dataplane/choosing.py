"""Which upstream a request goes to, by its head and, where that matters, the model it names."""

from collections.abc import Callable, Set
from typing import Final

from spark_gateway.catalogue import WHATEVER_IS_LOADED, Catalogue, Known
from spark_gateway.dataplane.heads import RequestHead
from spark_gateway.dataplane.ports import Absence, Choice, Refusal, Router, Upstream
from spark_gateway.dataplane.refusals import refuse
from spark_gateway.dataplane.reservation import Reservation
from spark_gateway.dataplane.upstreams import RANKS, Place, Upstreams, place_of

_LONGEST_SHOWN: Final = 200
_AWAY: Final = 503
"""Status of a refusal that time may change."""
_NOT_OURS: Final = frozenset((b"/v1/readyz", b"/v1/test"))
"""By these clients tell LocalAI and Kokoro; an answer, also that somebody is away, would mislead
them."""


class ModelChooser:
    """Asks the catalogue whose a model is, the router whether it is there, the lease whether it
    may be used. What nobody knows goes to the server of the path, which knows best."""

    def __init__(
        self,
        router: Router,
        upstreams: Upstreams,
        catalogue: Catalogue,
        reservation: Reservation,
        loaded: Callable[[], Set[str]],
        waits: Callable[[RequestHead], bool] = lambda head: False,
    ) -> None:
        """``router``: for requests to the model server.

        ``loaded``: every name of the loaded model, casefolded, also of one that a swap just ended
        with. ``waits``: whether this request may wait for a model that is not there now, so that
        its name has to be read; asked only when that is so.
        """
        self._loaded = loaded
        self._router = router
        self._upstreams = upstreams
        self._catalogue = catalogue
        self._reservation = reservation
        self._waits = waits

    def at_head(self, head: RequestHead) -> Upstream | Refusal | None:
        """Decide without the body where none comes, or no model matters."""
        if head.path in _NOT_OURS and head.method != b"OPTIONS":
            return refuse(head.path, 404, "not_found", "there is no such address here")
        place = place_of(head.path)
        empty = not (head.chunked or head.length)
        if head.method == b"OPTIONS" or place == "llm":
            goal = self._router.route(head.method, head.path, head.fields)
            if isinstance(goal, Refusal) and (
                goal.status != _AWAY or empty or not self._waits(head)
            ):
                return goal
        if empty or place in ("audio", "redaction"):
            return self._upstreams.at(place)
        return None

    def choose(self, head: RequestHead, model: str | None) -> Choice | Refusal | Absence:
        """Decide by the model that is named."""
        place = place_of(head.path)
        if not model:
            return self._go(head, place, None, None, WHATEVER_IS_LOADED)
        known = self._whatever(head.path, place, model) or self._catalogue.find(model)
        if known is None or self._may_run_beside(place, known):
            return self._unknown(head, place, model)
        wanted, on_menu = known.key or known.id, known.key is not None
        if known.place == "llm" and not known.served and not self._just_loaded(model, known):
            refusal = self._reservation.refusal(head.path, model)
            return refusal or Absence(wanted, self._not_loaded(head.path, known), on_menu)
        if known.id != model and self._catalogue.meant(model) == WHATEVER_IS_LOADED:
            wanted, on_menu = WHATEVER_IS_LOADED, False
        return self._go(head, known.place, model, known.id, wanted, on_menu=on_menu)

    def _may_run_beside(self, place: Place, known: Known) -> bool:
        """Whether a model that is on the menu too is looked for where it is always on.

        That server has not said lately what it serves, and nobody is loading the model.
        """
        elsewhere = place == "embed" and known.place == "llm" and known.state == "unloaded"
        return elsewhere and not self._catalogue.knows_all("embed")

    def _just_loaded(self, model: str, known: Known) -> bool:
        """Whether a swap just ended with it, and nobody has looked at the model server since."""
        names = (model, known.id, known.key or known.id)
        return not self._loaded().isdisjoint(name.casefold() for name in names)

    def _whatever(self, path: bytes, place: Place, model: str) -> Known | None:
        if place != "embed" or model != WHATEVER_IS_LOADED:
            return None
        return self._catalogue.first("rerank" if path in RANKS else "embedding")

    def _go(
        self,
        head: RequestHead,
        place: Place,
        model: str | None,
        name: str | None,
        wanted: str,
        *,
        on_menu: bool = False,
    ) -> Choice | Refusal | Absence:
        """Send it to a place, where what it calls ``model`` is called ``name``.

        ``wanted``: what the menu calls it, in case that it is not there.
        """
        rename = name if name != model else None
        if place != "llm":
            return Choice(self._upstreams.at(place), rename)
        goal = self._router.route(head.method, head.path, head.fields)
        if isinstance(goal, Refusal):
            return Absence(wanted, goal, on_menu) if goal.status == _AWAY else goal
        return self._reservation.refusal(head.path, name) or Choice(goal, rename)

    def _unknown(self, head: RequestHead, place: Place, model: str) -> Choice | Refusal | Absence:
        name = self._catalogue.meant(model)
        outcome = self._go(head, place, model, name, name)
        if not isinstance(outcome, Choice) or name == WHATEVER_IS_LOADED:
            return outcome
        if place == "llm" and name.casefold() in self._loaded():
            # Just loaded, or spelled otherwise: the model server has the last word.
            return outcome
        return self._not_found(head.path, model) if self._catalogue.knows_all(place) else outcome

    def _not_found(self, path: bytes, model: str) -> Refusal:
        near = self._catalogue.near(model)
        shown = model if len(model) <= _LONGEST_SHOWN else f"{model[:_LONGEST_SHOWN]}..."
        hint = f"; did you mean {' or '.join(map(repr, near))}?" if near else ";"
        message = f"there is no model {shown!r} here{hint} GET /v1/models names all there are"
        return refuse(
            path,
            404,
            "model_not_found",
            message,
            param="model",
            extra={"near_matches": list(near)} if near else None,
        )

    def _not_loaded(self, path: bytes, known: Known) -> Refusal:
        loaded = self._catalogue.first("chat")
        instead = f"{loaded.id!r} is; name that or 'auto', or " if loaded is not None else ""
        message = (
            f"the model {known.id!r} is on the menu and not loaded;"
            f" {instead}load it from the dashboard"
        )
        # Waiting loads nothing: somebody has to.
        again = ((b"x-should-retry", b"false"),)
        return refuse(path, 503, "model_not_loaded", message, param="model", headers=again)
