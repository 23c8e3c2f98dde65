"""What Prometheus reads."""

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_ITEMS = (1, 2, 4, 8, 16, 32, 64, 128)


class Meters:
    """Counts of one server; routes that do not exist are all one."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self.requests = Counter(
            "spark_embed_requests", "Requests by route and status.", ("route", "status"),
            registry=self._registry,
        )  # fmt: skip
        self.seconds = Histogram(
            "spark_embed_request_seconds", "From the head to the answer.", ("route",),
            buckets=_SECONDS, registry=self._registry,
        )  # fmt: skip
        self.tokens = Counter(
            "spark_embed_tokens", "Tokens that went through a model.", ("model",),
            registry=self._registry,
        )  # fmt: skip
        self.batches = Histogram(
            "spark_embed_batch_items", "Texts or pairs in one run of a model.", ("model",),
            buckets=_ITEMS, registry=self._registry,
        )  # fmt: skip
        self.waiting = Gauge(
            "spark_embed_waiting_tokens", "Tokens that wait for a model.", registry=self._registry
        )

    def ran(self, model: str, items: int, tokens: int) -> None:
        """A batch went through."""
        self.batches.labels(model).observe(items)
        self.tokens.labels(model).inc(tokens)

    def text(self) -> bytes:
        """Return everything in Prometheus' text format."""
        return generate_latest(self._registry)
