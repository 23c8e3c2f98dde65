"""Counts of the data plane per upstream: plain integers, read when somebody asks."""

from bisect import bisect_left
from collections.abc import Iterator
from typing import Final

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

FIRST_BYTE_BUCKETS: Final = (
    0.01,
    0.025,
    0.05,
    0.1,
    0.25,
    0.5,
    1.0,
    2.5,
    5.0,
    10.0,
    30.0,
    60.0,
    300.0,
)
"""Upper bounds in seconds; a last bucket without bound follows."""


class UpstreamMeter:
    """What passed to and from one upstream. Sizes in bytes, times in seconds."""

    __slots__ = (
        "aborted",
        "broken",
        "by_class",
        "by_model",
        "bytes_down",
        "bytes_up",
        "first_byte_counts",
        "first_byte_seconds",
        "in_flight",
        "retried",
        "total",
        "waiting",
        "withdrawn",
    )

    def __init__(self) -> None:
        self.in_flight = 0
        self.waiting = 0
        """Of those in flight: nothing of the answer has come yet."""
        self.by_model: dict[str, int] = {}
        """Those in flight by the model that was served when they were taken on."""
        self.total = 0
        """Requests that were taken on, however they ended."""
        self.withdrawn = 0
        """Of these: refused before the upstream had all of them."""
        self.by_class = [0, 0, 0, 0, 0, 0]
        """Answers by first digit of their status; index 0 holds those that never began."""
        self.aborted = 0
        """The client left before the end."""
        self.broken = 0
        """The upstream failed, before or in the middle of the answer."""
        self.retried = 0
        self.bytes_up = 0
        """Request bodies, as sent."""
        self.bytes_down = 0
        """Answers with their heads, as passed."""
        self.first_byte_counts = [0] * (len(FIRST_BYTE_BUCKETS) + 1)
        self.first_byte_seconds = 0.0
        """Sum over all answers: from the request's head to the answer's first byte."""

    def taken_on(self, model: str) -> None:
        """Note a request that begins."""
        self.total += 1
        self.in_flight += 1
        self.waiting += 1
        self.by_model[model] = self.by_model.get(model, 0) + 1

    def over(self, model: str, *, begun: bool) -> None:
        """Note the end of a request, and whether its answer had begun."""
        self.in_flight -= 1
        self.waiting -= not begun
        left = self.by_model[model] - 1
        if left:
            self.by_model[model] = left
        else:
            del self.by_model[model]

    def withdraw(self, model: str) -> None:
        """Note that a request was refused before the upstream had all of it."""
        self.withdrawn += 1
        self.over(model, begun=False)

    def first_byte(self, seconds: float) -> None:
        """Note that an answer began."""
        self.waiting -= 1
        self.first_byte_counts[bisect_left(FIRST_BYTE_BUCKETS, seconds)] += 1
        self.first_byte_seconds += seconds


class Meters:
    """The meters of all upstreams by name, and what was refused without one."""

    def __init__(self) -> None:
        self._upstreams: dict[str, UpstreamMeter] = {}
        self.refused: dict[int, int] = {}
        """Own answers by status."""
        self.connections = 0
        """Open client connections, the dashboard's included."""

    def upstream(self, name: str) -> UpstreamMeter:
        """The meter of an upstream, made at its first request."""
        meter = self._upstreams.get(name)
        if meter is None:
            meter = self._upstreams[name] = UpstreamMeter()
        return meter

    def in_flight(self, name: str | None = None) -> int:
        """Requests under way, to one upstream or to all."""
        if name is not None:
            meter = self._upstreams.get(name)
            return meter.in_flight if meter is not None else 0
        return sum(meter.in_flight for meter in self._upstreams.values())

    def refusal(self, status: int) -> None:
        """Note an answer of our own."""
        self.refused[status] = self.refused.get(status, 0) + 1

    def upstreams(self) -> Iterator[tuple[str, UpstreamMeter]]:
        """Every upstream seen so far."""
        yield from self._upstreams.items()


class MetersCollector(Collector):
    """Shows Meters to Prometheus: ``REGISTRY.register(MetersCollector(meters))``."""

    def __init__(self, meters: Meters) -> None:
        self._meters = meters

    def collect(self) -> Iterator[Metric]:
        """Build the families from the plain counts."""
        prefix = "spark_gateway_relay"
        label = ["upstream"]
        in_flight = GaugeMetricFamily(f"{prefix}_in_flight", "Requests under way.", labels=label)
        requests = CounterMetricFamily(f"{prefix}_requests", "Requests taken on.", labels=label)
        answers = CounterMetricFamily(
            f"{prefix}_answers", "Answers by status class.", labels=["upstream", "class"]
        )
        aborted = CounterMetricFamily(f"{prefix}_aborted", "The client left.", labels=label)
        broken = CounterMetricFamily(f"{prefix}_broken", "The upstream failed.", labels=label)
        retried = CounterMetricFamily(f"{prefix}_retried", "Sent once more.", labels=label)
        up = CounterMetricFamily(f"{prefix}_request_bytes", "Request bodies.", labels=label)
        down = CounterMetricFamily(f"{prefix}_answer_bytes", "Answers.", labels=label)
        first = HistogramMetricFamily(
            f"{prefix}_first_byte_seconds", "Head of request to first byte back.", labels=label
        )
        for name, meter in self._meters.upstreams():
            in_flight.add_metric([name], meter.in_flight)
            requests.add_metric([name], meter.total)
            for digit, count in enumerate(meter.by_class):
                if count:
                    answers.add_metric([name, f"{digit}xx" if digit else "none"], count)
            aborted.add_metric([name], meter.aborted)
            broken.add_metric([name], meter.broken)
            retried.add_metric([name], meter.retried)
            up.add_metric([name], meter.bytes_up)
            down.add_metric([name], meter.bytes_down)
            first.add_metric([name], _cumulative(meter), meter.first_byte_seconds)
        yield from (in_flight, requests, answers, aborted, broken, retried, up, down, first)
        refused = CounterMetricFamily(f"{prefix}_refused", "Own answers.", labels=["status"])
        for status, count in sorted(self._meters.refused.items()):
            refused.add_metric([str(status)], count)
        yield refused
        connections = GaugeMetricFamily("spark_gateway_connections", "Open client connections.")
        connections.add_metric([], self._meters.connections)
        yield connections


def _cumulative(meter: UpstreamMeter) -> list[tuple[str, float]]:
    bounds = [*(str(bound) for bound in FIRST_BYTE_BUCKETS), "+Inf"]
    total = 0
    buckets: list[tuple[str, float]] = []
    for bound, count in zip(bounds, meter.first_byte_counts, strict=True):
        total += count
        buckets.append((bound, total))
    return buckets
