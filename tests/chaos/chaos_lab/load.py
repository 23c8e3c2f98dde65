"""The clients: two hundred requests over two doors, repeated with the same id until answered."""

import asyncio
import json
import random
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import nats
import nats.errors
from chaos_lab.plant import Plant
from chaos_lab.sandbox import BROKEN, MODELS, UNFIT, UNKNOWN

from spark_common.bus.nats import NatsBus, connect_bus
from spark_common.clock import SystemClock
from spark_common.contracts.swaps import CANCEL_SWAP, REQUEST_SWAP, CancelSwap, RequestSwap
from spark_common.errors import SparkError
from spark_common.subjects import SWAP_INGRESS

_GOOD = sorted(set(MODELS) - {BROKEN, UNFIT})
_CLIENTS = 6
_BACKLOG = 30


@dataclass(frozen=True)
class Wish:
    """One request of a client."""

    swap_id: str
    model: str
    door: Literal["rpc", "bare"]
    rollback: bool = False
    cancelled: bool = False

    @property
    def works(self) -> bool:
        """Whether its model can start."""
        return self.model in _GOOD


@dataclass
class Answers:
    """What the clients were told."""

    accepted: set[str] = field(default_factory=set)
    refused: dict[str, str] = field(default_factory=dict)
    published: set[str] = field(default_factory=set)
    """Bare requests whose storage was confirmed; how they were decided is told later."""
    repeats: int = 0


def draw_wishes(rng: random.Random, count: int, *, plain: bool = False) -> list[Wish]:
    """Return the wishes of a run; ``plain`` ones all work and are not cancelled."""
    wishes, last = [], ""
    for n in range(count):
        odd = 1.0 if plain else rng.random()
        # The same model twice in a row would be loaded already, and nothing would happen.
        model = last = rng.choice([key for key in _GOOD if key != last])
        if odd < 0.1:
            model = BROKEN
        elif odd < 0.13:
            model = UNFIT
        elif odd < 0.15:
            model = UNKNOWN
        wishes.append(
            Wish(
                f"wish-{n:03d}",
                model,
                door="rpc" if plain or rng.random() < 0.6 else "bare",
                rollback=odd < 0.15 and rng.random() < 0.5,
                cancelled=0.15 <= odd < 0.25,
            )
        )
    return wishes


class Clients:
    """A few clients that take the wishes in turn."""

    def __init__(
        self,
        plant: Plant,
        wishes: Sequence[Wish],
        begun: Callable[[], int],
        patience_seconds: float = 1.0,
    ) -> None:
        self.answers = Answers()
        self._plant = plant
        self._left = deque(wishes)
        self._asked = 0
        self._begun = begun
        self._patience_seconds = patience_seconds

    async def run(self) -> None:
        """Ask for everything; returns when every wish has its answer."""
        nats_server = self._plant.nats
        bus = await connect_bus(
            nats_server.settings("gateway"), "gateway", SystemClock(), on_lost=lambda: None
        )
        seed = nats_server.identities.seed_file("automation").read_text().strip()

        async def quiet(*_: object) -> None:
            return

        bare = await nats.connect(
            nats_server.url,
            nkeys_seed_str=seed,
            inbox_prefix="_INBOX_automation",
            max_reconnect_attempts=-1,
            reconnect_time_wait=0.25,
            pending_size=0,
            error_cb=quiet,
        )
        try:
            async with asyncio.TaskGroup() as group:
                for _ in range(_CLIENTS):
                    group.create_task(self._client(bus, bare))
        finally:
            await bare.close()
            await bus.close()

    async def _client(self, bus: NatsBus, bare: Any) -> None:
        while self._left:
            await self._pace()
            if not self._left:
                return
            wish = self._left.popleft()
            self._asked += not wish.cancelled and wish.model not in (UNFIT, UNKNOWN)
            if wish.door == "bare":
                await self._publish(bare, wish)
            else:
                await self._request(bus, wish)
            if wish.cancelled:
                await self._cancel(bus, wish)

    async def _pace(self) -> None:
        """Keep the queue short, so that faults meet requests as well as swaps.

        Some swaps have no effect, and a wrong worker loses some: patience ends.
        """
        deadline = time.monotonic() + self._patience_seconds
        while self._asked - self._begun() > _BACKLOG and time.monotonic() < deadline:
            await asyncio.sleep(0.05)

    async def _request(self, bus: NatsBus, wish: Wish) -> None:
        request = RequestSwap(
            model=wish.model,
            requested_by="Alice",
            when_busy="queue",
            rollback=wish.rollback,
            id=wish.swap_id,
        )
        while True:
            try:
                await bus.call(REQUEST_SWAP, request, timeout_seconds=2.0)
            except SparkError as error:
                if not error.retryable:
                    self.answers.refused[wish.swap_id] = error.code
                    return
                await self._again()
            else:
                self.answers.accepted.add(wish.swap_id)
                return

    async def _publish(self, bare: Any, wish: Wish) -> None:
        body = {
            "model": wish.model,
            "requested_by": "Bob",
            "when_busy": "queue",
            "rollback": wish.rollback,
        }
        payload, headers = json.dumps(body).encode(), {"Nats-Msg-Id": wish.swap_id}
        while True:
            try:
                reply = await bare.request(SWAP_INGRESS, payload, timeout=1.0, headers=headers)
            except (nats.errors.Error, TimeoutError, OSError):
                await self._again()
                continue
            if "error" not in json.loads(reply.data):
                self.answers.published.add(wish.swap_id)
                return
            await self._again()

    async def _cancel(self, bus: NatsBus, wish: Wish) -> None:
        request = CancelSwap(id=wish.swap_id, requested_by="Alice")
        for _ in range(40):
            try:
                await bus.call(CANCEL_SWAP, request, timeout_seconds=2.0)
            except SparkError:
                # Not found counts too: a bare request may not have been admitted yet.
                await self._again()
            else:
                return

    async def _again(self) -> None:
        self.answers.repeats += 1
        await asyncio.sleep(0.1)
