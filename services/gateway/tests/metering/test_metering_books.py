"""Labels that stay few, and what Prometheus gets."""

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from spark_gateway.metering.books import MOST_MODELS, Books, Entry, status_label
from spark_gateway.metering.busy import BusyTime
from spark_gateway.metering.collector import BooksCollector
from spark_gateway.metering.histogram import Histogram
from spark_gateway.metering.kinds import kind_of


def entry(route: str, model: str, status: int, total: float, **facts) -> Entry:
    made = Entry()
    for name, value in (facts | {"route": route, "model": model, "status": status}).items():
        setattr(made, name, value)
    made.total = total
    return made


def shown(books: Books) -> dict[str, str]:
    registry = CollectorRegistry()
    registry.register(BooksCollector(lambda: books, lambda: 10.0))
    lines = generate_latest(registry).decode().splitlines()
    return dict(line.rsplit(" ", 1) for line in lines if not line.startswith("#"))


def test_models_nobody_serves_share_one_label():
    books = Books()
    for number in range(1000):
        books.add(entry("/v1/completions", f"made-up-{number}", 404, 0.1))
    assert list(books.routes) == [("/v1/completions", "other")]
    for number in range(1000):
        books.add(entry("/v1/completions", f"real-{number}", 200, 0.1))
    assert len(books.routes) == MOST_MODELS + 1
    assert sum(sums.requests for sums in books.routes.values()) == 2000


def test_upstreams_stay_few_too():
    books = Books()
    for number in range(100):
        books.busy_time(f"u{number}").began(0.0)
    assert len(books.busy) == 17


@pytest.mark.parametrize(
    ("status", "label"),
    [(200, "200"), (404, "404"), (418, "4xx"), (599, "5xx"), (0, "none")],
)
def test_statuses_are_known_or_a_class(status, label):
    assert status_label(status) == label


@pytest.mark.parametrize(
    ("path", "route"),
    [
        (b"/v1/chat/completions", "/v1/chat/completions"),
        (b"/v1/messages/count_tokens", "/v1/messages/count_tokens"),
        (b"/v1/responses/resp_1", "/v1/responses/{id}"),
        (b"/v1/responses/resp_1/cancel", "/v1/responses/{id}"),
        (b"/v1/audio/voices", "/v1/audio"),
        (b"/v1/anything/of/tomorrow", "other"),
        (b"", "other"),
    ],
)
def test_routes_are_few(path, route):
    assert kind_of(path).route == route


def test_busy_is_the_time_with_anything_under_way():
    busy = BusyTime()
    busy.began(1.0)
    busy.began(2.0)
    busy.over(3.0)
    assert busy.seconds(4.0) == 3.0
    busy.over(5.0)
    assert busy.seconds(9.0) == 4.0
    busy.began(9.0)
    busy.over(10.0)
    assert busy.seconds(20.0) == 5.0


def test_a_histogram_counts_at_and_below_each_bound():
    histogram = Histogram((0.1, 1.0))
    for value in (0.05, 0.1, 0.5, 5.0):
        histogram.add(value)
    assert histogram.cumulative() == [("0.1", 2), ("1.0", 3), ("+Inf", 4)]
    assert (histogram.count, histogram.total) == (4, 5.65)


def test_what_prometheus_gets():
    books = Books()
    books.add(
        entry(
            "/v1/chat/completions",
            "tiny",
            200,
            2.0,
            first_token=0.5,
            writing=1.0,
            prompt=7,
            completion=11,
            cached=4,
            overhead=0.0002,
        )
    )
    books.add(entry("/v1/chat/completions", "tiny", 503, 0.1, repeated=True))
    books.waited("model", 20.0)
    books.busy_time("llm").began(4.0)
    numbers = shown(books)
    labels = 'model="tiny",route="/v1/chat/completions"'
    assert numbers[f"spark_gateway_requests_total{{{labels}}}"] == "1.0"
    assert numbers[f"spark_gateway_client_retries_total{{{labels}}}"] == "1.0"
    assert numbers[f'spark_gateway_answers_total{{{labels},status="503"}}'] == "1.0"
    assert numbers[f"spark_gateway_request_seconds_count{{{labels}}}"] == "2.0"
    for kind, count in (("prompt", "7.0"), ("cached", "4.0"), ("completion", "11.0")):
        name = f'spark_gateway_tokens_total{{kind="{kind}",model="tiny",source="reported"}}'
        assert numbers[name] == count
    for name, total in (
        ('time_to_first_token_seconds_sum{model="tiny"}', "0.5"),
        ('time_per_output_token_seconds_sum{model="tiny"}', "0.1"),
        ('output_tokens_per_second_sum{model="tiny"}', "10.0"),
        ('queue_seconds_sum{why="model"}', "20.0"),
        ("overhead_seconds_sum", "0.0002"),
        ('busy_seconds_total{upstream="llm"}', "6.0"),
    ):
        assert numbers[f"spark_gateway_{name}"] == total


def test_a_name_that_is_no_text_still_shows_with_all_the_others(stand):
    for name in ("\ud800", "modèle", "tiny"):
        stand.ask(b'HTTP/1.1 200 OK\r\n\r\n{"usage":{"prompt_tokens":1}}', model=name)
    assert set(stand.books.models) == {"?", "modèle", "tiny"}
