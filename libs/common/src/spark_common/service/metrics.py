"""Numbers of this process for Prometheus, in a registry of our own."""

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
)

disable_created_metrics()  # type: ignore[no-untyped-call]

REGISTRY = CollectorRegistry(auto_describe=True)
"""Services add their own metrics here; ``/metrics`` shows all of it."""

ProcessCollector(registry=REGISTRY)

REQUESTS = Counter(
    "spark_http_requests",
    "HTTP requests by method, route and status",
    ["method", "route", "status"],
    registry=REGISTRY,
)
REQUEST_SECONDS = Histogram(
    "spark_http_request_seconds",
    "Time until the last byte of an answer was handed over",
    ["route"],
    buckets=(0.001, 0.005, 0.02, 0.1, 0.5, 2, 10, 60, 600),
    registry=REGISTRY,
)
IN_FLIGHT = Gauge("spark_http_in_flight", "HTTP requests being answered now", registry=REGISTRY)
LOOP_LAG_SECONDS = Histogram(
    "spark_loop_lag_seconds",
    "How late the event loop woke a waiting task",
    buckets=(0.001, 0.005, 0.02, 0.1, 0.5, 2, 10),
    registry=REGISTRY,
)
READY = Gauge("spark_ready", "1 when the last /readyz was green, else 0", registry=REGISTRY)
