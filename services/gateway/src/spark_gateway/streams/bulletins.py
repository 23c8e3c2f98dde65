"""News of the lease and of schedules, passed on to everybody who follows everything."""

import json

from spark_common.bus import Bus, StoredMessage
from spark_common.clock import Clock
from spark_common.tasks import together
from spark_gateway.streams.board import Board
from spark_gateway.streams.hub import Hub
from spark_gateway.streams.reader import StreamReader

STREAMS = ("SC_LEASE_EVT", "SC_SCHED_EVT")
"""Their subjects are the names of the events: ``lock.acquired``, ``schedule.missed``."""


class Bulletins:
    """One reader per stream. What is old is told to nobody: the board's picture has it."""

    def __init__(self, bus: Bus, clock: Clock, hub: Hub, board: Board) -> None:
        self._hub = hub
        self._board = board
        self._readers = [
            StreamReader(
                bus,
                stream,
                clock,
                keep=0,
                on_epoch=lambda: None,
                on_message=self._tell,
                on_caught_up=board.poke,
            )
            for stream in STREAMS
        ]

    @property
    def caught_up(self) -> bool:
        """Whether everything from now on is told."""
        return all(reader.caught_up for reader in self._readers)

    async def run(self) -> None:
        """Read for ever."""
        await together([reader.run for reader in self._readers])

    async def _tell(self, message: StoredMessage, history: bool) -> None:
        if message.envelope is None or history:
            return
        self._board.poke()
        content = json.dumps(message.envelope.data, separators=(",", ":"))
        self._hub.tell(message.subject, content)
