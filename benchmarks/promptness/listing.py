"""How soon ``GET /v1/models`` is answered while both Sparks are dead."""

import http.client
import time
from typing import Final
from urllib.parse import urlsplit

from benchmarks.health.faults import all_well
from benchmarks.health.product import Product, until
from benchmarks.promptness.figures import Row

_TIMES: Final = 500
_BETWEEN_SECONDS: Final = 0.01


def measure(product: Product) -> list[Row]:
    """Unplug both and ask at once, and again when that is known; plug them in again."""
    product.behave("all", "unreachable")
    new = Row("/v1/models, both Sparks just unplugged", "ms", _ask(product), "p99", 50, 5)
    until("both Sparks to be down", lambda: _down(product))
    known = Row("/v1/models, both Sparks known to be dead", "ms", _ask(product), "p99", 50, 5)
    product.behave("all", "ok")
    until("everything to be well", lambda: all_well(product))
    return [new, known]


def _down(product: Product) -> bool:
    return all(product.shown(host)[0] == "down" for host in ("spark1", "spark2"))


def _ask(product: Product) -> list[float]:
    """Return the milliseconds of many questions over one connection."""
    where = urlsplit(product.url)
    line = http.client.HTTPConnection(where.hostname or "", where.port, timeout=30)
    took = []
    for _ in range(_TIMES):
        began = time.perf_counter()
        line.request("GET", "/v1/models")
        answer = line.getresponse()
        answer.read()
        took.append((time.perf_counter() - began) * 1000)
        if answer.status != http.client.OK:
            raise SystemExit(f"/v1/models answered {answer.status}")
        time.sleep(_BETWEEN_SECONDS)
    line.close()
    return took
