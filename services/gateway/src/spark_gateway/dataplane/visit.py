"""One request on its way through the stages, from its head until it passes or is refused."""

from collections.abc import Callable
from dataclasses import dataclass

from spark_gateway.dataplane.form_field import is_form
from spark_gateway.dataplane.heads import RequestHead
from spark_gateway.dataplane.model_field import named_in
from spark_gateway.dataplane.named_body import NamedBody, in_json
from spark_gateway.dataplane.ports import (
    Absence,
    Away,
    Choice,
    Chooser,
    Edit,
    Host,
    Identity,
    Passage,
    Refusal,
    Stay,
    Ticket,
    Turnstile,
    Upstream,
    Watcher,
)
from spark_gateway.dataplane.refusals import refuse


@dataclass(frozen=True, slots=True)
class Stages:
    """What every visit passes, and the time in seconds by which waits are measured."""

    chooser: Chooser
    away: Away
    turnstile: Turnstile
    monotonic: Callable[[], float]


class StagedVisit:
    """Reads the body where its model matters, waits where it has to, decides once."""

    __slots__ = (
        "_body",
        "_goal",
        "_head",
        "_host",
        "_identity",
        "_model",
        "_on_trial",
        "_over",
        "_since",
        "_stages",
        "_stay",
        "_ticket",
        "_upstream",
        "_waits_since",
        "_watcher",
    )

    def __init__(
        self,
        stages: Stages,
        head: RequestHead,
        identity: Identity,
        goal: Upstream | None,
        watcher: Watcher,
        host: Host,
    ) -> None:
        """``goal``: where it goes whatever its body names; None when that matters."""
        self._stages = stages
        self._head = head
        self._identity = identity
        self._goal = goal
        self._watcher = watcher
        self._host = host
        self._body = NamedBody(head.content_type) if goal is None or identity.picky else None
        self._model: str | None = None
        self._on_trial = False
        self._over = False
        """Whether nothing is to be decided any more, at least not before the verdict."""
        self._since = 0.0
        self._waits_since: float | None = None
        """When it first waited for a model."""
        self._stay: Stay | None = None
        self._ticket: Ticket | None = None
        self._upstream: Upstream | None = None

    @property
    def room(self) -> int:
        """See ``Visit``."""
        return self._body.room if self._body is not None else 0

    @property
    def needs_more(self) -> bool:
        """See ``Visit``."""
        body = self._body
        if body is None or not body.worth_keeping or self._over or self._waits:
            return False
        self._model = body.named
        return self._model is None or isinstance(self._outcome(), Absence)

    @property
    def position(self) -> int:
        """See ``Visit``."""
        return self._ticket.position if self._ticket is not None else 0

    @property
    def reads(self) -> bool:
        """See ``Visit``."""
        return self._body is not None

    def begin(self) -> None:
        """See ``Visit``."""
        if self._body is None:
            self._go_on()

    def feed(self, content: bytes, *, last: bool) -> None:
        """See ``Visit``."""
        body = self._body
        if body is None:
            return
        body.feed(content, last=last)
        if not last or self._over:
            return
        # Also one that was to be on trial, and waited until it was here as a whole.
        self._on_trial = False
        self._model = body.named
        self._watcher.named(self._model)
        if not self._waits:
            self._go_on()

    def full(self) -> None:
        """See ``Visit``."""
        body = self._body
        if body is None or self._over or self._waits:
            return
        self._on_trial = True
        self._model = body.named
        self._go_on()

    def verdict(self) -> Refusal | None:
        """See ``Visit``."""
        body = self._body
        if body is None:
            return None
        seen, self._model = self._model, body.named
        self._watcher.named(self._model)
        if self._model == seen:
            return None
        outcome = self._outcome()
        if isinstance(outcome, Choice):
            if outcome.rename is None and outcome.upstream == self._upstream:
                return None
            return _too_long(self._head.path, self._model)
        return self._refusal(outcome)

    def left(self) -> None:
        """See ``Visit``."""
        self._over = True
        stay, self._stay = self._stay, None
        if stay is not None:
            stay.leave()
        ticket, self._ticket = self._ticket, None
        if ticket is not None:
            ticket.leave()

    @property
    def _waits(self) -> bool:
        return self._stay is not None or self._ticket is not None

    def _outcome(self) -> Choice | Refusal | Absence:
        if self._identity.picky:
            refusal = self._identity.refuses(self._head.path, self._model)
            if refusal is not None:
                return refusal
        if self._goal is not None:
            return Choice(self._goal)
        return self._stages.chooser.choose(self._head, self._model)

    def _go_on(self) -> None:
        """Choose, by what is known now, and take the next stage."""
        outcome = self._outcome()
        if isinstance(outcome, Choice):
            self._line_up(outcome)
        elif isinstance(outcome, Absence) and not self._on_trial:
            self._wait_for(outcome)
        else:
            self._decide(self._refusal(outcome))

    def _refusal(self, outcome: Refusal | Absence) -> Refusal:
        if isinstance(outcome, Refusal):
            return outcome
        return self._stages.away.refusal(outcome, self._head)

    def _wait_for(self, absence: Absence) -> None:
        body = self._body
        size = body.size if body is not None else 0
        self._since = self._stages.monotonic()
        if self._waits_since is None:
            self._waits_since = self._since
        stay = self._stages.away.wait(
            absence, self._head, self._identity, size, self._waits_since, self._again
        )
        if isinstance(stay, Refusal):
            self._decide(stay)
        else:
            self._stay = stay

    def _again(self, refusal: Refusal | None) -> None:
        if self._over:
            return
        self._stay = None
        self._watcher.waited(self._stages.monotonic() - self._since, "model")
        if refusal is not None:
            self._decide(refusal)
        else:
            self._go_on()

    def _line_up(self, choice: Choice) -> None:
        turnstile = self._stages.turnstile
        if turnstile.open:
            self._pass(choice, None)
            return
        self._since = self._stages.monotonic()
        ticket = turnstile.enter(self._identity, choice.upstream, self._head.path, self._admitted)
        if isinstance(ticket, Refusal):
            self._decide(ticket)
        elif ticket.inside:
            self._pass(choice, ticket)
        else:
            self._ticket = ticket
            self._upstream = choice.upstream

    def _admitted(self, refusal: Refusal | None) -> None:
        """It is its turn, or never will be; meanwhile the model may have gone, or moved."""
        ticket, self._ticket = self._ticket, None
        if self._over or ticket is None:
            return
        self._watcher.waited(self._stages.monotonic() - self._since, "turn")
        if refusal is not None:
            self._decide(refusal)
            return
        outcome = self._outcome()
        if isinstance(outcome, Choice) and outcome.upstream == self._upstream:
            self._pass(outcome, ticket)
            return
        ticket.leave()
        self._go_on()

    def _pass(self, choice: Choice, ticket: Ticket | None) -> None:
        self._upstream = choice.upstream
        body, name = self._body, choice.rename
        edits = body.renamed(name) if body is not None and name is not None else ()
        self._decide(Passage(choice.upstream, edits, ticket, self._on_trial))

    def _decide(self, outcome: Passage | Refusal) -> None:
        self._over = True
        self._host.decided(outcome)


def at_once(
    stages: Stages,
    head: RequestHead,
    identity: Identity,
    goal: Upstream | None,
    watcher: Watcher,
    body: bytes,
) -> Passage | Refusal | None:
    """Decide about a request that is here as a whole, as a visit would; None: it takes a visit.

    That is so where somebody has to wait, or where the body has to be read thing by thing.
    """
    model, span = None, (0, 0)
    if goal is None or identity.picky:
        named = None if is_form(head.content_type) else named_in(body)
        if named is None:
            return None
        model, span = named
        watcher.named(model)
        refusal = identity.refuses(head.path, model) if identity.picky else None
        if refusal is not None:
            return refusal
    outcome = stages.chooser.choose(head, model) if goal is None else Choice(goal)
    if not isinstance(outcome, Choice):
        return outcome if isinstance(outcome, Refusal) else None
    ticket = stages.turnstile.step_in(identity, outcome.upstream)
    if ticket is None:
        return None
    if outcome.rename is None:
        return Passage(outcome.upstream, (), ticket)
    edit = Edit(*span, in_json(outcome.rename).encode())
    return Passage(outcome.upstream, (edit,), ticket)


def _too_long(path: bytes, model: str | None) -> Refusal:
    message = (
        f"the model {model!r} stands too far behind in a body of this size;"
        ' put "model" first, or name it as /v1/models does'
    )
    return refuse(path, 413, "request_too_large", message, param="model")
