"""The dashboard's stream: subscribe first, then the whole picture, then whatever changes."""

from collections.abc import AsyncGenerator
from dataclasses import dataclass

from spark_common.bus import Bus
from spark_common.contracts.swaps import SwapView
from spark_common.errors import SparkError
from spark_gateway.streams.board import Board
from spark_gateway.streams.entry import Thread
from spark_gateway.streams.hub import Hub
from spark_gateway.streams.sse import PREAMBLE, event_frame
from spark_gateway.streams.story import replay
from spark_gateway.streams.subscriber import Subscriber


@dataclass(frozen=True)
class LiveView:
    """Everything, for one client."""

    bus: Bus
    hub: Hub
    jobs: Hub
    board: Board
    client: Subscriber

    async def frames(self) -> AsyncGenerator[bytes, None]:
        """Yield the wire bytes, for ever."""
        yield PREAMBLE
        mark = self.hub.attach(self.client, None)
        self.jobs.attach(self.client, None)
        try:
            async for frame in self._picture(mark):
                yield frame
            while items := await self.client.take():
                for item in items:
                    if item.resync_before is not None:
                        async for frame in self._picture(item.resync_before):
                            yield frame
                yield b"".join(item.frame for item in items)
        finally:
            self.hub.detach(self.client)
            self.jobs.detach(self.client)

    async def _picture(self, before_mark: int) -> AsyncGenerator[bytes, None]:
        """Yield the snapshot and what leads from it to ``before_mark``; the queue has the rest."""
        snapshot = await self.board.fresh()
        yield event_frame("snapshot", snapshot.view.model_dump_json())
        swaps = snapshot.view.swaps
        current = swaps.current if swaps is not None else None
        thread = Thread("swap", current.id) if current is not None else None
        entries = self.hub.since(snapshot.mark, before_mark, thread)
        if current is not None:
            first = next((entry for entry in entries if entry.thread == thread), None)
            if first is None or first.content.get("n") != 1:
                async for frame in self._beginning(current, first.seq if first else None):
                    yield frame
        yield b"".join(entry.frame for entry in entries)
        # What a picture of jobs lacks; the numbers of the events tell what was there before.
        newer = self.jobs.since(snapshot.jobs_mark, self.jobs.mark, None)
        yield b"".join(entry.frame for entry in newer)

    async def _beginning(
        self, swap: SwapView, before_seq: int | None
    ) -> AsyncGenerator[bytes, None]:
        """Yield the progress of a swap that the ring forgot."""
        until = before_seq - 1 if before_seq is not None else self.hub.progress.floor
        try:
            async for entry in replay(
                self.bus, self.hub.progress.stream, Thread("swap", swap.id), 0, until
            ):
                yield entry.frame
        except SparkError:
            # The picture stays right without the older log lines.
            return
