"""What the product has behind the gateway, in a process of its own: the bus and a coordinator.

``office.py FOLDER DIGEST PORT``: a real nats-server; whoever answers on it knows one key by its
hash, takes the lines of the request log, and does nothing else. It listens on ``PORT`` once all
of that is there.
"""

import asyncio
import sys
from pathlib import Path

import uvloop

from spark_common.bus import Serving
from spark_common.bus.nats import connect_bus
from spark_common.bus.provision import provision
from spark_common.clock import SystemClock
from spark_common.contracts.api_keys import (
    NOTE_USE,
    READ_RING,
    Noted,
    NoteUse,
    ReadRing,
    Ring,
    RingKey,
)
from spark_common.contracts.requests import APPEND_REQUESTS, Appended, AppendRequests
from spark_common.embedded import NatsServer


async def main(folder: Path, digest: str, port: int) -> None:
    clock = SystemClock()
    nats = NatsServer(folder)
    await nats.start()
    key = RingKey(id="bench", name="bench", digest=digest, scopes=["infer"])
    try:
        await provision(nats.settings("provisioner"), clock)
        bus = await connect_bus(
            nats.settings("coordinator"), "coordinator", clock, on_lost=lambda: None
        )

        async def ring(request: ReadRing) -> Ring:
            return Ring(version=1, keys=[key], session_secret="bench")

        async def note(request: NoteUse) -> Noted:
            return Noted()

        async def append(request: AppendRequests) -> Appended:
            return Appended()

        verbs = (
            Serving(READ_RING, ring),
            Serving(NOTE_USE, note),
            Serving(APPEND_REQUESTS, append),
        )
        await bus.serve("coordinator", "1.0.0", "keys and a log", verbs)
        address = folder / "address"
        address.write_text(f"{nats.url}\n{nats.settings('gateway').seed_file}\n")
        async with await asyncio.start_server(lambda *_: None, "127.0.0.1", port) as server:
            await server.serve_forever()
    finally:
        await nats.kill()


if __name__ == "__main__":
    uvloop.run(main(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
