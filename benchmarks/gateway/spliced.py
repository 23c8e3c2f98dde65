"""The data plane alone in a uvicorn, for when the whole gateway cannot be started."""

import os
import sys
from urllib.parse import urlsplit

import uvicorn
from fastapi import FastAPI

from spark_gateway.dataplane.desk import FrontDesk
from spark_gateway.dataplane.free import ByHead
from spark_gateway.dataplane.limits import Limits
from spark_gateway.dataplane.meters import Meters
from spark_gateway.dataplane.ports import Upstream
from spark_gateway.dataplane.protocol import make_protocol


class OneUpstream:
    def __init__(self, upstream: Upstream) -> None:
        self.upstream = upstream

    def route(self, method: bytes, path: bytes, headers: object) -> Upstream:
        return self.upstream


if __name__ == "__main__":
    base = urlsplit(os.environ["UPSTREAM"])
    router = OneUpstream(Upstream(base.hostname or "127.0.0.1", base.port or 80))
    uvicorn.run(
        FastAPI(),
        host="127.0.0.1",
        port=int(sys.argv[1]),
        http=make_protocol(FrontDesk(ByHead(router)), Limits(), Meters()),
        loop="uvloop",
        log_level="error",
        access_log=False,
        backlog=4096,
    )
