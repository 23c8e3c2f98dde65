"""The front desk: every request of the data plane passes its stages in one order."""

import time
from collections.abc import Callable

from spark_gateway.dataplane.free import ANYBODY, NobodyWaits, OpenDoor, OpenTurnstile
from spark_gateway.dataplane.heads import RequestHead
from spark_gateway.dataplane.own_question import OwnQuestion
from spark_gateway.dataplane.ports import (
    Away,
    Chooser,
    Doorkeeper,
    Host,
    Passage,
    Refusal,
    Turnstile,
    Upstream,
    Visit,
    Watcher,
)
from spark_gateway.dataplane.visit import StagedVisit, Stages, at_once


class FrontDesk:
    """Doorkeeper, chooser, turnstile: who asks, where it goes, whose turn it is."""

    def __init__(
        self,
        chooser: Chooser,
        own: OwnQuestion | None = None,
        *,
        doorkeeper: Doorkeeper | None = None,
        away: Away | None = None,
        turnstile: Turnstile | None = None,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._doorkeeper = doorkeeper or OpenDoor()
        self._own = own
        self._stages = Stages(
            chooser, away or NobodyWaits(), turnstile or OpenTurnstile(), monotonic
        )

    def receive(
        self,
        head: RequestHead,
        peer: str | None,
        watcher: Watcher,
        host: Host,
        body: bytes = b"",
    ) -> Passage | Refusal | Visit:
        """Decide at once where nothing more of the body matters and nobody has to wait."""
        own = None
        if head.shown_pass is not None and self._own is not None:
            own = self._own.admits(head, peer)
        identity = ANYBODY if own is not None else self._doorkeeper.admit(head, peer)
        if isinstance(identity, Refusal):
            return identity
        host.caller = identity
        if identity is not ANYBODY:
            watcher.known(identity)
        stages = self._stages
        chosen = stages.chooser.at_head(head)
        if own is not None:
            return Passage(chosen if isinstance(chosen, Upstream) else own)
        if isinstance(chosen, Refusal):
            return chosen
        if chosen is not None and stages.turnstile.open and not identity.picky:
            return Passage(chosen)
        if body:
            outcome = at_once(stages, head, identity, chosen, watcher, body)
            if outcome is not None:
                return outcome
        return StagedVisit(stages, head, identity, chosen, watcher, host)
