"""The verbs of the swapper: each translates, asks, and translates back."""

from collections.abc import Sequence
from datetime import UTC, datetime

from spark_common.bus.port import Bus, Duplicate, Serving, Stored
from spark_common.contracts.models import (
    LIST_MODELS,
    SUGGEST_RECIPE,
    ListModels,
    Menu,
    Suggestion,
    SuggestRecipe,
)
from spark_common.contracts.swaps import (
    CANCEL_SWAP,
    GET_SWAP,
    LIST_SWAPS,
    REQUEST_SWAP,
    CancelSwap,
    GetSwap,
    ListSwaps,
    Phase,
    RequestSwap,
    Swaps,
    SwapView,
)
from spark_common.errors import NotFoundError, OutcomeUnknownError
from spark_common.events import SwapCancel
from spark_common.subjects import swap_cancel
from spark_swapper.admitting.admission import Admission
from spark_swapper.admitting.queueing import waiting_view
from spark_swapper.driving.worker import Worker
from spark_swapper.ports import Shelf, Suggests
from spark_swapper.records.jobs import SwapJob
from spark_swapper.records.store import JobStore


class Handlers:
    """Answers questions about swaps and models."""

    def __init__(
        self,
        bus: Bus,
        store: JobStore,
        admission: Admission,
        worker: Worker,
        shelf: Shelf,
        suggesting: Suggests,
    ) -> None:
        self._bus = bus
        self._store = store
        self._admission = admission
        self._worker = worker
        self._shelf = shelf
        self._suggesting = suggesting

    def verbs(self) -> Sequence[Serving]:
        """Return every verb with its function."""
        return (
            Serving(REQUEST_SWAP, self.request_swap),
            Serving(GET_SWAP, self.get_swap),
            Serving(LIST_SWAPS, self.list_swaps),
            Serving(CANCEL_SWAP, self.cancel_swap),
            Serving(LIST_MODELS, self.list_models, limit=4),
            Serving(SUGGEST_RECIPE, self.suggest_recipe, limit=2),
        )

    async def request_swap(self, request: RequestSwap) -> SwapView:
        """Admit a swap; a repetition is answered with how the swap stands now."""
        view = await self._admission.request(request)
        running = self._worker.running
        if running is not None and running.id == view.id and not view.dry_run:
            return running.view()
        return view

    async def get_swap(self, request: GetSwap) -> SwapView:
        """Return one swap; raises NotFoundError."""
        job = await self._find(request.id)
        if job.phase is not Phase.QUEUED:
            return job.view()
        return waiting_view(job, await self._store.live())

    async def list_swaps(self, request: ListSwaps) -> Swaps:
        """Return the running swap, the queue and the history."""
        fresh = (self._fresh(job) for job in await self._store.live())
        live = [job for job in fresh if not job.over]
        running = self._worker.running
        if running is not None and running.over:
            # Its end was told; the worker only has to put its things away.
            running = None
        current = running or next((job for job in live if job.phase != "queued"), None)
        current = current or (live[0] if live else None)
        before = _with_zone(request.before)
        recent = await self._store.recent(request.limit, before=before, model=request.model)
        return Swaps(
            current=current.view() if current else None,
            queue=[
                waiting_view(job, live) for job in live if current is None or job.id != current.id
            ],
            recent=[self._fresh(job).view() for job in recent],
        )

    async def cancel_swap(self, request: CancelSwap) -> SwapView:
        """Store the wish to cancel; a swap that is over stays as it is."""
        job = await self._find(request.id)
        if job.over:
            return job.view()
        result = await self._bus.publish_durable(
            swap_cancel(job.id),
            SwapCancel(swap_id=job.id, requested_by=request.requested_by),
            id=f"{job.id}:cancel",
            correlation_id=job.id,
        )
        if not isinstance(result, Stored | Duplicate):
            raise OutcomeUnknownError(
                "the event bus does not answer; cancel again to be sure", id=job.id
            )
        return (await self._find(request.id)).view()

    async def list_models(self, request: ListModels) -> Menu:
        """Return the menu."""
        return await self._shelf.menu(request.refresh)

    async def suggest_recipe(self, request: SuggestRecipe) -> Suggestion:
        """Return a recipe inferred from a model's files."""
        return await self._suggesting.suggest(request)

    async def _find(self, swap_id: str) -> SwapJob:
        await self._worker.end_shown(swap_id)
        running = self._worker.running
        if running is not None and running.id == swap_id:
            return running
        job = await self._store.get(swap_id)
        if job is None:
            raise NotFoundError(f"there is no swap {swap_id!r}", id=swap_id)
        return job

    def _fresh(self, job: SwapJob) -> SwapJob:
        running = self._worker.running
        return running if running is not None and running.id == job.id else job


def _with_zone(at: datetime | None) -> datetime | None:
    """Return a time without a zone as what it is most likely to be: UTC."""
    return at.replace(tzinfo=UTC) if at is not None and at.tzinfo is None else at
