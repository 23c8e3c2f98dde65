"""What Prometheus reads."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_SECONDS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


class Meters:
    """Counts of one server; nothing of a text, and no label that a client chose."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.requests = Counter(
            "spark_gliner_requests", "Texts by the status of the answer.", ("status",),
            registry=self._registry,
        )  # fmt: skip
        self.seconds = Histogram(
            "spark_gliner_request_seconds", "From the head to the answer.",
            buckets=_SECONDS, registry=self._registry,
        )  # fmt: skip
        self.windows = Counter(
            "spark_gliner_windows", "Windows that went through the model.", registry=self._registry
        )
        self.waiting = Gauge(
            "spark_gliner_waiting", "Texts that are read or wait.", registry=self._registry
        )

    def text(self) -> bytes:
        """Return everything in Prometheus' text format."""
        return generate_latest(self._registry)
