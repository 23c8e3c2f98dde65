"""docs/METRICS.md names what the gateway shows, all of it; what else is there is tested there."""

import re
from pathlib import Path

from prometheus_client import generate_latest
from prometheus_client.registry import CollectorRegistry

from spark_common.service import metrics
from spark_gateway.dataplane.meters import Meters, MetersCollector
from spark_gateway.holding.counts import Counts
from spark_gateway.holding.metrics import HoldingCollector
from spark_gateway.holding.room import WaitingRoom
from spark_gateway.metering.books import Books
from spark_gateway.metering.collector import BooksCollector
from spark_gateway.queueing.metrics import TurnstileCollector
from spark_gateway.queueing.turnstile import Bounds, FairTurnstile

PAGE = Path(__file__).parents[4] / "docs" / "METRICS.md"
_OF_A_HISTOGRAM = ("_bucket", "_count", "_sum")


class Log:
    dropped = 0
    waiting = 0


class Holding:
    room = WaitingRoom()
    counts = Counts()


def shown() -> dict[str, str]:
    """Types by name, as Prometheus reads them."""
    registry = CollectorRegistry()
    registry.register(MetersCollector(Meters()))
    registry.register(BooksCollector(Books, lambda: 0.0, Log()))
    turnstile = FairTurnstile(lambda name: 0, Bounds, lambda: 0.0, capped=lambda: False)
    registry.register(TurnstileCollector(turnstile))
    registry.register(HoldingCollector(Holding()))
    for each in (
        metrics.REQUESTS, metrics.REQUEST_SECONDS, metrics.IN_FLIGHT,
        metrics.LOOP_LAG_SECONDS, metrics.READY,
    ):  # fmt: skip
        registry.register(each)
    return dict(re.findall(r"^# TYPE (\w+) (\w+)$", generate_latest(registry).decode(), re.M))


def documented() -> dict[str, str]:
    """Types by name, as the tables have them; those of health and redaction have tests there."""
    rows = re.findall(r"^\| (`spark_\w+`(?:, `spark_\w+`)*) \| (\w+) \|", PAGE.read_text(), re.M)
    return {
        name: kind
        for names, kind in rows
        for name in re.findall(r"`(\w+)`", names)
        if not name.startswith(("spark_health_", "spark_redaction_"))
    }


def test_every_metric_is_documented_and_every_documented_one_is_shown():
    assert documented() == shown()


def test_names_are_as_prometheus_wants_them():
    for name, kind in shown().items():
        assert name.endswith("_total") is (kind == "counter"), name
        assert not name.endswith(_OF_A_HISTOGRAM), name
        assert not re.search(r"_(ms|milliseconds|minutes|kb|mb)(_|$)", name), name
