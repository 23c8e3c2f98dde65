"""Shows the books to Prometheus; docs/METRICS.md says what each number means."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Final, Protocol

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from spark_gateway.metering.books import Books, status_label
from spark_gateway.metering.histogram import Histogram

_PREFIX: Final = "spark_gateway"
_ROUTE: Final = ["route", "model"]


class LogCounts(Protocol):
    """What the sender of the request log counts."""

    @property
    def dropped(self) -> int:
        """Lines that were never sent, since the start."""
        ...

    @property
    def waiting(self) -> int:
        """Lines that are still to be sent."""
        ...


class BooksCollector(Collector):
    """``REGISTRY.register(BooksCollector(...))``. Builds everything anew at each look."""

    def __init__(
        self,
        books: Callable[[], Books],
        now: Callable[[], float],
        log: LogCounts | None = None,
    ) -> None:
        """``books``: the sums as they are now; ``now``: their clock."""
        self._books = books
        self._now = now
        self._log = log

    def collect(self) -> Iterator[Metric]:
        """Build the families from the plain numbers."""
        books = self._books()
        yield from _of_routes(books)
        yield from _of_models(books)
        waits = _histogram("queue_seconds", "Time a request waited here.", ["why"])
        for why, histogram in books.waits.items():
            _add(waits, [why], histogram)
        yield waits
        overhead = _histogram("overhead_seconds", "Our own time before a request is sent.", [])
        _add(overhead, [], books.overhead)
        yield overhead
        busy = CounterMetricFamily(
            f"{_PREFIX}_busy_seconds", "At least one request was under way.", labels=["upstream"]
        )
        for upstream, time in books.busy.items():
            busy.add_metric([upstream], time.seconds(self._now()))
        yield busy
        if self._log is not None:
            yield from _of_log(self._log)


def _of_routes(books: Books) -> Iterator[Metric]:
    requests = CounterMetricFamily(
        f"{_PREFIX}_requests", "Requests, a client's repetitions apart.", labels=_ROUTE
    )
    retries = CounterMetricFamily(
        f"{_PREFIX}_client_retries", "Repetitions by clients.", labels=_ROUTE
    )
    answers = CounterMetricFamily(
        f"{_PREFIX}_answers", "Answers by status.", labels=[*_ROUTE, "status"]
    )
    seconds = _histogram("request_seconds", "Head of request to end of answer.", _ROUTE)
    for labels, sums in books.routes.items():
        requests.add_metric(labels, sums.requests)
        if sums.retries:
            retries.add_metric(labels, sums.retries)
        by_label: Counter[str] = Counter()
        for status, count in sums.answers.items():
            by_label[status_label(status)] += count
        for label, count in by_label.items():
            answers.add_metric([*labels, label], count)
        _add(seconds, labels, sums.seconds)
    yield from (requests, retries, answers, seconds)


def _of_models(books: Books) -> Iterator[Metric]:
    tokens = CounterMetricFamily(f"{_PREFIX}_tokens", "Tokens.", labels=["model", "kind", "source"])
    model = ["model"]
    first = _histogram("time_to_first_token_seconds", "Of streams.", model)
    per_token = _histogram("time_per_output_token_seconds", "Mean of one stream.", model)
    speed = _histogram("output_tokens_per_second", "Mean of one stream.", model)
    for name, sums in books.models.items():
        for source, counts in (("reported", sums.reported), ("estimated", sums.estimated)):
            for kind in ("prompt", "cached", "completion"):
                if count := getattr(counts, kind):
                    tokens.add_metric([name, kind, source], count)
        _add(first, [name], sums.first_token)
        _add(per_token, [name], sums.per_token)
        _add(speed, [name], sums.speed)
    yield from (tokens, first, per_token, speed)


def _of_log(log: LogCounts) -> Iterator[Metric]:
    dropped = CounterMetricFamily(f"{_PREFIX}_request_log_dropped", "Lines never sent.")
    dropped.add_metric([], log.dropped)
    yield dropped
    waiting = GaugeMetricFamily(f"{_PREFIX}_request_log_waiting", "Lines still to be sent.")
    waiting.add_metric([], log.waiting)
    yield waiting


def _histogram(name: str, help_text: str, labels: list[str]) -> HistogramMetricFamily:
    return HistogramMetricFamily(f"{_PREFIX}_{name}", help_text, labels=labels)


def _add(family: HistogramMetricFamily, labels: object, histogram: Histogram) -> None:
    family.add_metric(labels, histogram.cumulative(), histogram.total)  # type: ignore[arg-type]
