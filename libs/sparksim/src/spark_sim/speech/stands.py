"""For tests: speech services alone, in this process, on free ports of loopback."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from spark_sim.faults import Behaviour
from spark_sim.pace import Pace
from spark_sim.speech.kokoro import Kokoro, KokoroRecords, KokoroSwitches
from spark_sim.speech.magpie import Magpie, MagpieRecords
from spark_sim.speech.parakeet import Parakeet
from spark_sim.speech.records import Records
from spark_sim.speech.switches import SpeechSwitches, turn
from spark_sim.standing_in import standing_in
from spark_sim.vllm_http.server import EmbeddedServer

_LOAD_SECONDS = 75.0


@dataclass
class Effects:
    """What the journal would have: kinds with their details."""

    entries: list[tuple[str, dict[str, object]]] = field(default_factory=list)

    def note(self, kind: str, **details: object) -> None:
        """Add one."""
        self.entries.append((kind, details))

    def of(self, kind: str) -> list[dict[str, object]]:
        """Return the details of one kind."""
        return [details for name, details in self.entries if name == kind]


class ParakeetStand:
    """The speech server alone."""

    def __init__(self, application: Parakeet, pace: Pace) -> None:
        self.application = application
        self.url = ""
        self.effects = Effects()
        self.log: list[str] = []
        self._pace = pace
        self._port = 0
        self._server = EmbeddedServer(application)
        self._reviving: set[asyncio.Task[None]] = set()

    @property
    def switches(self) -> SpeechSwitches:
        """What it is like, and what is wrong with it."""
        return self.application.switches

    @property
    def records(self) -> Records:
        """What came."""
        return self.application.records

    @property
    def inside(self) -> int:
        """Jobs inside at this moment, those of callers who left included."""
        return self.application.process.inside

    @property
    def wedged(self) -> bool:
        """Whether its GPU is broken."""
        return self.application.process.wedged

    def behave(self, behaviour: Behaviour | str) -> None:
        """Switch to a behaviour of the host: ``speech_wedge``, ``speech_busy``, ``ok``, ..."""
        self.application.faults.turn(Behaviour(behaviour))

    async def restart(self, load_seconds: float = _LOAD_SECONDS) -> None:
        """Be another process: connections are cut, then 503 until its models are loaded.

        Returns when they are.
        """
        await self.stop()
        process = self.application.begin("loading", self.application.process.overlay)
        self.records.restarts += 1
        await self.start()
        await self._pace.sleep(load_seconds)
        process.status = "ready"

    async def start(self) -> None:
        """Listen, always on the same port."""
        listener = socket.create_server(("127.0.0.1", self._port))
        self._port = listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self._port}"
        await self._server.start(listener)

    async def stop(self) -> None:
        """Be gone: connections are cut, and refused from now on."""
        self.application.process.over.set()
        await self._server.stop()

    def revive(self) -> None:
        """Let another process come by itself, as docker does."""
        task = asyncio.create_task(self.restart())
        self._reviving.add(task)
        task.add_done_callback(self._reviving.discard)

    async def close(self) -> None:
        """End, whatever is going on."""
        for task in self._reviving:
            task.cancel()
        await asyncio.gather(*self._reviving, return_exceptions=True)
        await self.stop()


@asynccontextmanager
async def parakeet_stand(
    speed: float = 200.0, *, own_files: bool = False, **switches: Any
) -> AsyncIterator[ParakeetStand]:
    """Run speech to text; ``switches`` as in ``SpeechSwitches``, or turned later.

    ``own_files`` is as if spark-control had put its files into the container: it never blocks.
    """
    pace, effects, log = Pace(speed), Effects(), list[str]()
    application = Parakeet(pace, effects.note, log.append)
    turn(application.switches, switches)
    application.begin("ready", {"main.py": "0" * 64} if own_files else None)
    stand = ParakeetStand(application, pace)
    stand.effects, stand.log = effects, log
    application.on_death = stand.revive
    await stand.start()
    try:
        yield stand
    finally:
        await stand.close()


class KokoroStand:
    """Kokoro alone."""

    def __init__(self, application: Kokoro, port: int, effects: Effects) -> None:
        self.application = application
        self.url = f"http://127.0.0.1:{port}"
        self.effects = effects

    @property
    def switches(self) -> KokoroSwitches:
        """What it is like, and what is wrong with it."""
        return self.application.switches

    @property
    def records(self) -> KokoroRecords:
        """What was asked of it."""
        return self.application.records

    def behave(self, behaviour: Behaviour | str) -> None:
        """Switch to a behaviour of the host: ``voice_errors``, ``voice_silent``, ``ok``."""
        self.application.faults.turn(Behaviour(behaviour))


@asynccontextmanager
async def kokoro_stand(speed: float = 200.0, **switches: Any) -> AsyncIterator[KokoroStand]:
    """Run text to speech; ``switches`` as in ``KokoroSwitches``, or turned later."""
    effects = Effects()
    application = Kokoro(Pace(speed), effects.note)
    turn(application.switches, switches)
    async with standing_in(application) as port:
        yield KokoroStand(application, port, effects)


class MagpieStand:
    """Magpie alone."""

    def __init__(self, application: Magpie, port: int) -> None:
        self.application = application
        self.url = f"http://127.0.0.1:{port}"

    @property
    def records(self) -> MagpieRecords:
        """What was asked of it."""
        return self.application.records


@asynccontextmanager
async def magpie_stand(speed: float = 200.0, *, ready: bool = True) -> AsyncIterator[MagpieStand]:
    """Run the older text to speech; 503 until ``application.ready``."""
    application = Magpie(Pace(speed), Effects().note)
    application.ready = ready
    async with standing_in(application) as port:
        yield MagpieStand(application, port)
