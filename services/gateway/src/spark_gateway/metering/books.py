"""Sums over all requests, in plain numbers; labels stay few whatever clients send. Pure."""

from dataclasses import dataclass, field
from typing import Final

from spark_gateway.metering.busy import BusyTime
from spark_gateway.metering.histogram import Histogram
from spark_gateway.metering.kinds import OTHER

MOST_MODELS: Final = 32
"""Models with a label of their own; the rest are counted together."""
MOST_UPSTREAMS: Final = 16
_KNOWN_STATUSES: Final = frozenset(
    (
        *(200, 201, 202, 204, 206, 301, 302, 304, 307, 400, 401, 403, 404, 405, 408, 409, 413),
        *(415, 417, 422, 423, 424, 429, 431, 500, 501, 502, 503, 504, 505),
    )
)
NO_STATUS: Final = "none"
"""Label where the client left before there was an answer."""

TOTAL_BOUNDS: Final = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 1800.0)
FIRST_TOKEN_BOUNDS: Final = (0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
PER_TOKEN_BOUNDS: Final = (0.005, 0.01, 0.015, 0.02, 0.03, 0.04, 0.06, 0.1, 0.2, 0.5, 1.0, 2.5)
SPEED_BOUNDS: Final = (1.0, 2.0, 5.0, 10.0, 15.0, 20.0, 30.0, 40.0, 60.0, 80.0, 120.0, 200.0, 500.0)
WAIT_BOUNDS: Final = (0.01, 0.1, 0.5, 1.0, 5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0)
OVERHEAD_BOUNDS: Final = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1.0)


class Entry:
    """One request that is over. Times in seconds; what nobody knows stays as it is here."""

    # Slots: a request has more of them than would fit into what dicts of a class share.
    __slots__ = (
        "cached",
        "completion",
        "estimated",
        "first_token",
        "model",
        "overhead",
        "prompt",
        "repeated",
        "route",
        "status",
        "total",
        "writing",
    )

    def __init__(self) -> None:
        self.route = OTHER
        self.model = ""
        """As named or served."""
        self.status = 0
        """0 when there was no answer."""
        self.total = 0.0
        self.first_token: float | None = None
        """Of a stream: from the head of the request to its first token."""
        self.writing: float | None = None
        """Of a stream: from its first token to its end."""
        self.prompt: int | None = None
        self.completion: int | None = None
        self.cached: int | None = None
        self.estimated = False
        """Whether the tokens were counted from what passed."""
        self.repeated = False
        """Whether the client had asked the same before."""
        self.overhead: float | None = None


class RouteSums:
    """Of one route with one model."""

    __slots__ = ("answers", "requests", "retries", "seconds")

    def __init__(self) -> None:
        self.requests = 0
        """What clients wanted: their own repetitions are not counted again."""
        self.retries = 0
        self.answers: dict[int, int] = {}
        """By status, repetitions included; 0 for none."""
        self.seconds = Histogram(TOTAL_BOUNDS)


class ModelSums:
    """Of one model, over all routes."""

    __slots__ = ("estimated", "first_token", "per_token", "reported", "speed")

    def __init__(self) -> None:
        self.first_token = Histogram(FIRST_TOKEN_BOUNDS)
        self.per_token = Histogram(PER_TOKEN_BOUNDS)
        self.speed = Histogram(SPEED_BOUNDS)
        self.reported = TokenSums()
        self.estimated = TokenSums()


class TokenSums:
    """Tokens of many requests."""

    __slots__ = ("cached", "completion", "prompt")

    def __init__(self) -> None:
        self.prompt = 0
        self.cached = 0
        """Of the prompts: found in the cache."""
        self.completion = 0

    def add(self, entry: Entry) -> None:
        """Take in what is known of a request."""
        self.prompt += entry.prompt or 0
        self.cached += entry.cached or 0
        self.completion += entry.completion or 0


@dataclass
class Books:
    """All sums of one gateway since it started."""

    routes: dict[tuple[str, str], RouteSums] = field(default_factory=dict)
    models: dict[str, ModelSums] = field(default_factory=dict)
    waits: dict[str, Histogram] = field(default_factory=dict)
    """Of requests that waited here, by why."""
    overhead: Histogram = field(default_factory=lambda: Histogram(OVERHEAD_BOUNDS))
    busy: dict[str, BusyTime] = field(default_factory=dict)
    """By upstream."""

    def add(self, entry: Entry) -> None:
        """Take in a request that is over."""
        model = entry.model if entry.model in self.models else self._model(entry)
        route = self.routes.get((entry.route, model))
        if route is None:
            route = self.routes[entry.route, model] = RouteSums()
        if entry.repeated:
            route.retries += 1
        else:
            route.requests += 1
        status, answers = entry.status, route.answers
        if status not in answers:
            status = status if 100 <= status < 600 else 0
            answers.setdefault(status, 0)
        answers[status] += 1
        route.seconds.add(entry.total)
        if entry.overhead is not None:
            self.overhead.add(entry.overhead)
        if entry.completion is not None or entry.prompt is not None:
            self._add_tokens(model, entry)
        if entry.first_token is not None:
            self._sums(model).first_token.add(entry.first_token)

    def waited(self, why: str, seconds: float) -> None:
        """Note that a request waited here; ``why`` is one of few words."""
        histogram = self.waits.get(why)
        if histogram is None:
            histogram = self.waits[why] = Histogram(WAIT_BOUNDS)
        histogram.add(seconds)

    def busy_time(self, upstream: str) -> BusyTime:
        """Return the busy time of an upstream."""
        known = self.busy.get(upstream)
        if known is None:
            name = upstream if len(self.busy) < MOST_UPSTREAMS else OTHER
            known = self.busy.setdefault(name, BusyTime())
        return known

    def _model(self, entry: Entry) -> str:
        """Return the label of another model: it gets its own once an answer came from it."""
        answered = 200 <= entry.status < 300 and entry.model
        if not answered or len(self.models) >= MOST_MODELS:
            return OTHER
        self.models[entry.model] = ModelSums()
        return entry.model

    def _sums(self, model: str) -> ModelSums:
        sums = self.models.get(model)
        if sums is None:
            sums = self.models[model] = ModelSums()
        return sums

    def _add_tokens(self, model: str, entry: Entry) -> None:
        sums = self.models.get(model) or self._sums(model)
        (sums.estimated if entry.estimated else sums.reported).add(entry)
        if entry.writing and entry.completion and entry.completion > 1:
            per_token = entry.writing / (entry.completion - 1)
            sums.per_token.add(per_token)
            sums.speed.add(1 / per_token)


def status_label(status: int) -> str:
    """Return the label of a status: one of some thirty, else its class."""
    if status in _KNOWN_STATUSES:
        return str(status)
    return f"{status // 100}xx" if status else NO_STATUS
