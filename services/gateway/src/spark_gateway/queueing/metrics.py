"""Shows the turnstile to Prometheus: ``REGISTRY.register(TurnstileCollector(turnstile))``."""

from collections.abc import Iterator

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from spark_gateway.queueing.counts import WAIT_BUCKETS, Counts
from spark_gateway.queueing.turnstile import FairTurnstile

_PREFIX = "spark_gateway_queue"


class TurnstileCollector(Collector):
    """Numbers per upstream; who asks is in none of them."""

    def __init__(self, turnstile: FairTurnstile) -> None:
        self._turnstile = turnstile

    def collect(self) -> Iterator[Metric]:
        """Build the families from the plain counts."""
        label = ["upstream"]
        inside = GaugeMetricFamily(f"{_PREFIX}_inside", "Places taken.", labels=label)
        waiting = GaugeMetricFamily(f"{_PREFIX}_waiting", "Requests in line.", labels=label)
        refused = CounterMetricFamily(
            f"{_PREFIX}_refused", "Sent away from the line.", labels=["upstream", "reason"]
        )
        left = CounterMetricFamily(f"{_PREFIX}_left", "The client left the line.", labels=label)
        waits = HistogramMetricFamily(f"{_PREFIX}_wait_seconds", "Until inside.", labels=label)
        for name, here, there, counts in self._turnstile.counts():
            inside.add_metric([name], here)
            waiting.add_metric([name], there)
            for reason in ("full", "displaced", "timed_out"):
                refused.add_metric([name, reason], getattr(counts, reason))
            left.add_metric([name], counts.left)
            waits.add_metric([name], _cumulative(counts), counts.seconds)
        yield from (inside, waiting, refused, left, waits)


def _cumulative(counts: Counts) -> list[tuple[str, float]]:
    total, buckets = 0, list[tuple[str, float]]()
    bounds = [*(str(bound) for bound in WAIT_BUCKETS), "+Inf"]
    for bound, count in zip(bounds, counts.buckets, strict=True):
        total += count
        buckets.append((bound, total))
    return buckets
