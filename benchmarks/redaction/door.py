"""``python -m benchmarks.redaction.door``: the service's routes, map and one worker, on loopback.

Prints its port; no NATS and no Redis, for a scrub over HTTP asks neither.
"""

import asyncio
import os
import socket
import sys
import tempfile
from pathlib import Path

import uvicorn
import uvloop
from starlette.routing import Router

from spark_common.clock import SystemClock
from spark_redaction.desk.desk import Desk
from spark_redaction.vault.keyfile import MasterKey
from spark_redaction.vault.vault import Vault
from spark_redaction.web.routes import Routes
from spark_redaction.work.pool import Workers


async def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        vault = Vault(Path(folder) / "map.db", MasterKey(os.urandom(32)))
        workers = Workers(1, 64, 5.0)
        await workers.warm()
        app = Router(routes=Routes(Desk(vault, workers, SystemClock()), 1 << 20).all())
        listening = socket.create_server(("127.0.0.1", 0))
        listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        server = uvicorn.Server(
            uvicorn.Config(
                app, http="httptools", lifespan="off", log_level="error", access_log=False
            )
        )
        print(listening.getsockname()[1], flush=True)
        serving = asyncio.create_task(server.serve([listening]))
        await asyncio.to_thread(sys.stdin.read)
        server.should_exit = True
        await serving
        workers.close()
        await vault.close()


if __name__ == "__main__":
    uvloop.run(main())
