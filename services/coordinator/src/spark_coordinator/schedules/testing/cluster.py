"""A swapper and a gateway on the bus: swaps that take their time, and a first token."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime

from pydantic import SecretStr

from spark_common.bus.port import Bus, Serving
from spark_common.clock import Clock
from spark_common.contracts.collections import (
    TAKE_SNAPSHOT,
    SnapshotTaken,
    SnapshotView,
    TakeSnapshot,
)
from spark_common.contracts.models import LIST_MODELS, ListModels, Menu, ModelView, RuntimeView
from spark_common.contracts.swaps import (
    GET_SWAP,
    LIST_SWAPS,
    REQUEST_SWAP,
    GetSwap,
    ListSwaps,
    Phase,
    RequestSwap,
    Swaps,
    SwapView,
)
from spark_common.contracts.traffic import FIRST_TOKEN, AskFirstToken, FirstToken
from spark_common.errors import (
    AlreadyLoadedError,
    IdempotencyConflictError,
    LeaseHeldError,
    NotFoundError,
    SparkError,
    UnknownModelError,
)


@dataclass
class _Swap:
    request: RequestSwap
    asked: datetime
    ends: float
    fails: bool


class FakeCluster:
    """Answers for both services; ``loads`` is the journal of what really happened."""

    def __init__(
        self,
        bus: Bus,
        clock: Clock,
        proves: Callable[[SecretStr | None], Awaitable[bool]],
        gateway: Bus | None = None,
    ) -> None:
        """``proves`` says whether a swap with a token is let through."""
        self._bus = bus
        self._gateway = gateway or bus
        self._clock = clock
        self._proves = proves
        self.models = ["qwen", "gemma"]
        self.loaded: str | None = None
        self.seconds = 60.0
        """How long a swap takes."""
        self.fails = False
        self.fails_as = Phase.FAILED
        self.broken: SparkError | None = None
        """What a request for a swap is answered with."""
        self.token = FirstToken(state="came")
        self.asked: list[RequestSwap] = []
        self.tokens: list[str] = []
        self.snapshots: list[TakeSnapshot] = []
        self.snapshot_fails: SparkError | None = None
        self.snapshot_problem: str | None = None
        self.loads: list[str] = []
        self.taken: list[str] = []
        """Ids of the swaps that were really taken on."""
        self._swaps: dict[str, _Swap] = {}

    async def serve(self) -> None:
        """Begin to answer."""
        verbs = (
            Serving(REQUEST_SWAP, self.request),
            Serving(GET_SWAP, self.get),
            Serving(LIST_SWAPS, self.swaps),
            Serving(LIST_MODELS, self.list),
        )
        await self._bus.serve("swapper", "1.0.0", "a swapper of tests", verbs)
        await self._gateway.serve(
            "gateway",
            "1.0.0",
            "a gateway of tests",
            [Serving(FIRST_TOKEN, self.first_token), Serving(TAKE_SNAPSHOT, self.snapshot)],
        )

    async def request(self, request: RequestSwap) -> SwapView:
        """Admit a swap once per id."""
        self.asked.append(request)
        if self.broken is not None:
            raise self.broken
        key = request.id or ""
        known = self._swaps.get(key)
        if known is not None:
            if _body(known.request) != _body(request):
                raise IdempotencyConflictError("this id was used for another request")
            return self._view(key)
        if request.model not in self.models:
            raise UnknownModelError(f"{request.model!r} is not on the menu")
        if not await self._proves(request.lock_token):
            raise LeaseHeldError("somebody holds the cluster")
        self._settle()
        if self.loaded == request.model and not request.reload:
            raise AlreadyLoadedError(f"{request.model} is serving already")
        ends = self._clock.monotonic() + self.seconds
        self._swaps[key] = _Swap(request, self._clock.now(), ends, self.fails)
        self.loads.append(request.model)
        self.taken.append(key)
        return self._view(key)

    async def get(self, request: GetSwap) -> SwapView:
        """Return a swap."""
        if request.id not in self._swaps:
            raise NotFoundError(f"there is no swap {request.id!r}")
        return self._view(request.id)

    async def swaps(self, _request: ListSwaps) -> Swaps:
        """Return the swap that goes on."""
        going = [view for key in self._swaps if (view := self._view(key)).finished_at is None]
        return Swaps(current=going[-1] if going else None)

    async def list(self, _request: ListModels) -> Menu:
        """Return the menu."""
        self._settle()
        served = f"{self.loaded}-served" if self.loaded else None
        models = [
            ModelView(
                key=key,
                name=key.upper(),
                repo=f"org/{key}",
                served_name=f"{key}-served",
                state="ready",
                loaded=key == self.loaded,
            )
            for key in self.models
        ]
        runtime = RuntimeView(
            state="serving" if served else "idle", model=self.loaded, served_name=served
        )
        return Menu(models=models, recipes=[], hosts=[], runtime=runtime, as_of=self._clock.now())

    async def first_token(self, request: AskFirstToken) -> FirstToken:
        """Answer as the test says."""
        self.tokens.append(request.served_name)
        return self.token

    async def snapshot(self, request: TakeSnapshot) -> SnapshotTaken:
        """Take it, or fail as the test says."""
        self.snapshots.append(request)
        if self.snapshot_fails is not None:
            raise self.snapshot_fails
        view = SnapshotView(name=f"{request.collection}-{len(self.snapshots)}.snapshot")
        removed = ["old"] if request.keep == 1 else []
        return SnapshotTaken(
            collection=request.collection,
            snapshot=view,
            removed=removed,
            problem=self.snapshot_problem,
        )

    def _settle(self) -> None:
        for swap in self._swaps.values():
            if swap.ends <= self._clock.monotonic() and not swap.fails:
                self.loaded = swap.request.model

    def _view(self, key: str) -> SwapView:
        self._settle()
        swap = self._swaps[key]
        over = swap.ends <= self._clock.monotonic()
        ended = self.fails_as if swap.fails else Phase.READY
        name = swap.request.model.upper()
        said = f"{name} ran out of memory." if swap.fails else f"{name} is serving."
        return SwapView(
            id=key,
            model=swap.request.model,
            model_name=name,
            requested_by=swap.request.requested_by,
            phase=ended if over else Phase.LOADING,
            phases=[],
            message=said if over else f"Loading {name}.",
            created_at=swap.asked,
            finished_at=self._clock.now() if over else None,
        )


def _body(request: RequestSwap) -> dict[str, object]:
    return request.model_dump(exclude={"id", "lock_token"})
