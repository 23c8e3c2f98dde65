"""A worker as one would write it first, without guard and phases: what the rest is for."""

from spark_common.bus.port import Bus, Delivery
from spark_common.clock import Clock
from spark_common.contracts.swaps import Phase
from spark_common.events import SwapStart
from spark_swapper.launching.candidate import Candidate
from spark_swapper.ports import Shelf
from spark_swapper.records.jobs import SwapJob
from spark_swapper.records.outcomes import SwapOutcomes
from spark_swapper.records.store import JobStore
from spark_swapper.runtime import LAUNCH, STOP, Order, Runtime


class PlainWorker:
    """``ack_first`` confirms before it works and so may lose; else it may do things twice."""

    running: SwapJob | None = None

    def __init__(
        self,
        *,
        ack_first: bool,
        bus: Bus,
        store: JobStore,
        shelf: Shelf,
        runtime: Runtime,
        outcomes: SwapOutcomes,
        clock: Clock,
    ) -> None:
        self._ack_first = ack_first
        self._bus = bus
        self._store = store
        self._shelf = shelf
        self._runtime = runtime
        self._outcomes = outcomes
        self._clock = clock

    def cancel(self, swap_id: str, by: str) -> bool:
        """Know nothing of cancellations."""
        return False

    async def end_shown(self, swap_id: str) -> None:
        """Show nothing."""

    async def run(self) -> None:
        """Work for ever."""
        async for delivery in self._bus.work("SC_SWAP_CMD", "swapper"):
            if self._ack_first:
                await delivery.done()
            await self._swap(delivery)
            if not self._ack_first:
                await delivery.done()

    async def _swap(self, delivery: Delivery) -> None:
        assert delivery.message.envelope is not None
        command = SwapStart.model_validate(delivery.message.envelope.data)
        candidate = await self._shelf.find(command.model)
        await self._stop(command, candidate)
        await self._runtime.launch(Order(1, 0, command.swap_id, LAUNCH), candidate)
        while await self._runtime.served(candidate.head) is None:
            await self._clock.sleep(0.3)
        job = await self._store.get(command.swap_id)
        assert job is not None
        ended = {"phase": Phase.READY, "finished_at": self._clock.now(), "serving": candidate.key}
        over = await self._outcomes.publish(job.amend(**ended))
        await self._store.finish(over, job.revision, 0)

    async def _stop(self, command: SwapStart, candidate: Candidate) -> None:
        for host in self._runtime.hosts:
            while (await self._runtime.container(host)).container != "missing":
                await self._runtime.stop(Order(1, 0, command.swap_id, STOP), candidate, host)
