"""Shows who waits for a model to Prometheus: ``REGISTRY.register(HoldingCollector(holding))``."""

from collections.abc import Iterator
from dataclasses import fields

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from spark_gateway.holding.holding import Holding

_PREFIX = "spark_gateway_held"


class HoldingCollector(Collector):
    """Numbers of the whole process; who asks for what is in none of them."""

    def __init__(self, holding: Holding) -> None:
        self._holding = holding

    def collect(self) -> Iterator[Metric]:
        """Build the families from the plain counts."""
        room, counts = self._holding.room, self._holding.counts
        yield GaugeMetricFamily(f"{_PREFIX}_now", "Requests that wait for a model.", len(room))
        yield GaugeMetricFamily(f"{_PREFIX}_bytes", "Their bodies.", room.bytes)
        ends = CounterMetricFamily(
            f"{_PREFIX}_requests", "What became of them.", labels=["outcome"]
        )
        for each in fields(counts):
            ends.add_metric([each.name], getattr(counts, each.name))
        yield ends
