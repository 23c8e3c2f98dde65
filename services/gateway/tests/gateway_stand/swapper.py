"""A swapper that answers from memory, and tells of swaps as the real one does."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from spark_common import subjects
from spark_common.bus import Bus, Serving
from spark_common.contracts.models import (
    LIST_MODELS,
    SUGGEST_RECIPE,
    HostView,
    ListModels,
    Menu,
    ModelView,
    RuntimeView,
    Suggested,
    Suggestion,
    SuggestRecipe,
)
from spark_common.contracts.swaps import (
    CANCEL_SWAP,
    GET_SWAP,
    LIST_SWAPS,
    READ_SWAP_LOG,
    REQUEST_SWAP,
    TERMINAL,
    CancelSwap,
    Cause,
    GetSwap,
    GetSwapLog,
    ListSwaps,
    Phase,
    RequestSwap,
    SwapLog,
    Swaps,
    SwapView,
)
from spark_common.errors import (
    IdempotencyConflictError,
    LeaseHeldError,
    NotFoundError,
    SparkError,
    SwapInProgressError,
    UnknownModelError,
)
from spark_common.events import MenuChanged, SwapComplete, SwapFailed, SwapProgress

NOW = datetime(2026, 1, 1, tzinfo=UTC)
MODELS = ("gpt-oss-120b", "gemma-4-26b")


class FakeSwapper:
    """Answers the swapper's contracts from memory, and tells of swaps as the real one does."""

    def __init__(self, bus: Bus) -> None:
        self.bus = bus
        self.views: dict[str, SwapView] = {}
        self.asked: list[RequestSwap] = []
        self.tokens: list[str | None] = []
        self.lease_token: str | None = None
        self.listed: list[ListSwaps] = []
        self.logged: list[str] = []
        self.loaded: str | None = None
        self.menus_asked = 0
        self.broken: SparkError | None = None
        self.delay: Callable[[], Awaitable[None]] | None = None

    async def serve(self) -> None:
        verbs = (
            Serving(LIST_MODELS, self.list_models),
            Serving(SUGGEST_RECIPE, self.suggest),
            Serving(REQUEST_SWAP, self.request),
            Serving(GET_SWAP, self.get),
            Serving(LIST_SWAPS, self.list),
            Serving(CANCEL_SWAP, self.cancel),
            Serving(READ_SWAP_LOG, self.log),
        )
        await self.bus.serve("swapper", "1.0.0", "a swapper of tests", verbs)

    async def list_models(self, request: ListModels) -> Menu:
        self.menus_asked += 1
        return Menu(
            models=[
                ModelView(
                    key=key,
                    name=key.title(),
                    repo=f"org/{key}",
                    served_name=key,
                    state="ready",
                    loaded=key == self.loaded,
                )
                for key in MODELS
            ],
            recipes=[],
            hosts=[HostView(name="spark1", label="Spark 1", state="online")],
            runtime=RuntimeView(state="serving" if self.loaded else "idle", model=self.loaded),
            as_of=datetime.now(UTC),
        )

    async def suggest(self, request: SuggestRecipe) -> Suggestion:
        if self.broken is not None:
            raise self.broken
        if request.repo not in {f"org/{key}" for key in MODELS}:
            raise UnknownModelError(f"no model {request.repo!r}", near=[MODELS[0]])
        nothing = Suggested(value=None, source="no known family", certainty="guessed")
        return Suggestion(
            key=request.repo.partition("/")[2],
            repo=request.repo,
            name=request.repo,
            read_from="spark1",
            size_bytes=5,
            architecture=nothing,
            served_name=Suggested(value="it", source="name", certainty="derived"),
            mode=Suggested(value="solo", source="memory", certainty="derived", note="fits"),
            tensor_parallel=Suggested(value=1, source="mode", certainty="derived"),
            image=nothing,
            context_length=Suggested(value=4096, source="config.json", certainty="read"),
            quantization=nothing,
            tool_parser=nothing,
            reasoning_parser=nothing,
            capabilities=Suggested(value=["chat"], source="traits", certainty="derived"),
        )

    async def request(self, request: RequestSwap) -> SwapView:
        if self.delay is not None:
            await self.delay()
        self.asked.append(request)
        token = request.lock_token.get_secret_value() if request.lock_token else None
        self.tokens.append(token)
        assert request.id is not None
        if request.model not in MODELS:
            raise UnknownModelError(f"no model {request.model!r}", near=[MODELS[0]])
        if self.lease_token is not None and token != self.lease_token:
            raise LeaseHeldError("'nightly' holds the cluster", holder="nightly")
        known = self.views.get(request.id)
        if known is not None:
            if known.model != request.model:
                raise IdempotencyConflictError("the same key came with another model")
            return known
        running = self.current()
        if running is not None:
            raise SwapInProgressError("a swap is running", swap_id=running.id)
        view = a_view(request.id, request.model, Phase.QUEUED, dry_run=request.dry_run)
        if request.dry_run:
            return view.model_copy(update={"plan": ["stop", "launch"]})
        self.views[request.id] = view
        return view

    async def get(self, request: GetSwap) -> SwapView:
        if request.id not in self.views:
            raise NotFoundError("no such swap")
        return self.views[request.id]

    async def list(self, request: ListSwaps) -> Swaps:
        self.listed.append(request)
        over = [view for view in self.views.values() if view.phase in TERMINAL]
        return Swaps(current=self.current(), recent=over[: request.limit])

    async def log(self, request: GetSwapLog) -> SwapLog:
        """At most a hundred lines at a time, whatever is asked for."""
        await self.get(GetSwap(id=request.id))
        lines = self.logged[request.after : request.after + min(100, request.limit)]
        return SwapLog(
            id=request.id, lines=lines, first=request.after + 1, total=len(self.logged), cut=True
        )

    async def cancel(self, request: CancelSwap) -> SwapView:
        view = await self.get(GetSwap(id=request.id))
        cancelled = view.model_copy(update={"phase": Phase.CANCELLED})
        self.views[request.id] = cancelled
        return cancelled

    def current(self) -> SwapView | None:
        live = (view for view in self.views.values() if view.phase not in TERMINAL)
        return next(live, None)

    def begin(self, swap_id: str, model: str = MODELS[0]) -> None:
        self.views[swap_id] = a_view(swap_id, model, Phase.LOADING)

    async def step(
        self,
        swap_id: str,
        n: int,
        *,
        lines: Sequence[str] = (),
        phase: Phase = Phase.LOADING,
        previous: Phase | None = None,
    ) -> None:
        """Tell one step, and wait until it is stored."""
        if swap_id in self.views:
            self.views[swap_id] = self.views[swap_id].model_copy(update={"n": n, "phase": phase})
        event = SwapProgress(
            swap_id=swap_id,
            n=n,
            model=self._model(swap_id),
            phase=phase,
            previous_phase=previous,
            lines=list(lines),
            at=NOW,
        )
        await self._store(subjects.swap_progress(swap_id), event, f"{swap_id}:{n}")

    async def complete(self, swap_id: str) -> None:
        if swap_id in self.views:
            self.views[swap_id] = self.views[swap_id].model_copy(update={"phase": Phase.READY})
        self.loaded = self._model(swap_id)
        event = SwapComplete(
            swap_id=swap_id,
            model=self.loaded,
            served_name=self.loaded,
            requested_by="Alice",
            total_seconds=2.0,
            finished_at=NOW,
        )
        await self._store(subjects.swap_complete(swap_id), event, f"{swap_id}:outcome")

    async def fail(self, swap_id: str) -> None:
        if swap_id in self.views:
            self.views[swap_id] = self.views[swap_id].model_copy(update={"phase": Phase.FAILED})
        event = SwapFailed(
            swap_id=swap_id,
            model=self._model(swap_id),
            requested_by="Alice",
            outcome="failed",
            cause=Cause(code="oom", sentence="too little memory", action="pick a smaller model"),
            failed_in=Phase.LOADING,
            total_seconds=2.0,
            finished_at=NOW,
        )
        await self._store(subjects.swap_failed(swap_id), event, f"{swap_id}:outcome")

    async def hint(self) -> None:
        await self.bus.publish(subjects.MENU_CHANGED, MenuChanged(reason="test"), id="hint")

    def _model(self, swap_id: str) -> str:
        return self.views[swap_id].model if swap_id in self.views else MODELS[0]

    async def _store(self, subject: str, event: Any, id: str) -> None:
        while True:
            result = await self.bus.publish_durable(subject, event, id=id)
            if type(result).__name__ in {"Stored", "Duplicate"}:
                return
            await asyncio.sleep(0.02)


def a_view(swap_id: str, model: str, phase: Phase, *, dry_run: bool = False) -> SwapView:
    return SwapView(
        id=swap_id,
        model=model,
        model_name=model.title(),
        requested_by="Alice",
        dry_run=dry_run,
        phase=phase,
        created_at=NOW,
    )
