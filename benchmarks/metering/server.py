"""The data plane in a uvicorn: ``server.py PORT off | metered | logged``."""

import asyncio
import os
import sys
from typing import Any
from urllib.parse import urlsplit

import uvicorn
import uvloop
from benchmarks.gateway.spliced import OneUpstream
from fastapi import FastAPI

from spark_common.clock import SystemClock
from spark_common.contracts.requests import Appended
from spark_gateway.dataplane.desk import FrontDesk
from spark_gateway.dataplane.free import ByHead
from spark_gateway.dataplane.limits import Limits
from spark_gateway.dataplane.meters import Meters
from spark_gateway.dataplane.ports import Upstream
from spark_gateway.dataplane.protocol import make_protocol
from spark_gateway.metering.metering import Metering
from spark_gateway.metering.request_log import RequestLog


class TakesAll:
    """A bus behind which a coordinator takes every line."""

    async def call(self, rpc: object, request: Any, **_: object) -> Appended:
        request.model_dump_json()
        return Appended()


async def main(port: int, how: str) -> None:
    base = urlsplit(os.environ["UPSTREAM"])
    desk = FrontDesk(ByHead(OneUpstream(Upstream(base.hostname or "", base.port or 80))))
    clock = SystemClock()
    log = RequestLog(TakesAll(), clock, lambda: True)  # type: ignore[arg-type]
    if how == "off":
        protocol = make_protocol(desk, Limits(), Meters())
    else:
        metering = Metering(clock, lambda: "bench", *([log.add] if how == "logged" else []))
        protocol = make_protocol(desk, Limits(), Meters(), watching=metering.watch)
    config = uvicorn.Config(
        FastAPI(), host="127.0.0.1", port=port, http=protocol, log_level="error", backlog=4096
    )
    sending = asyncio.create_task(log.run())
    await uvicorn.Server(config).serve()
    sending.cancel()


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(int(sys.argv[1]), sys.argv[2]))
