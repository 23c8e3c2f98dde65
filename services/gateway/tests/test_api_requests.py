"""``/api/requests``: pages, filters, and the log as a file that is safe to open."""

import csv
import io
from datetime import UTC, datetime

import pytest

from spark_common.bus import Serving
from spark_common.contracts.requests import LIST_REQUESTS, ListRequests, RequestRow, Requests
from spark_common.errors import UnavailableError
from spark_common.testing import MemoryBus
from spark_gateway.request_export import COLUMNS

PATH = "/api/requests"


def row(number: int, **facts) -> RequestRow:
    known = {
        "number": number,
        "mark": f"m-{number}",
        "id": f"req-{number}",
        "at": datetime(2026, 1, 1, tzinfo=UTC),
        "method": "POST",
        "path": "/v1/chat/completions",
        "model": "tiny",
        "status": 200,
        "end": "complete",
        "total_ms": 12.5,
    }
    return RequestRow(**known | facts)


class Coordinator:
    """The part of a coordinator that keeps the request log."""

    def __init__(self) -> None:
        self.rows: list[RequestRow] = []
        self.asked: list[ListRequests] = []
        self.page = 500
        self.fails_at = 0

    async def answer(self, request: ListRequests) -> Requests:
        self.asked.append(request)
        if len(self.asked) == self.fails_at:
            raise UnavailableError("The request log cannot be kept in /data")
        older = [
            each for each in self.rows if request.before is None or each.number < request.before
        ]
        limit = min(self.page, request.limit)
        more = older[limit - 1].number if len(older) > limit else None
        return Requests(requests=older[:limit], older_before=more)


@pytest.fixture
async def coordinator(bench) -> Coordinator:
    found = Coordinator()
    verbs = (Serving(LIST_REQUESTS, found.answer),)
    await MemoryBus("coordinator", bench.broker).serve("coordinator", "1.0.0", "log", verbs)
    return found


async def test_everything_is_passed_on_to_the_coordinator(bench, coordinator):
    coordinator.rows = [row(2), row(1)]
    answer = await bench.http.get(
        PATH,
        params={
            "from": "2026-01-01T00:00:00Z",
            "to": "2026-01-02T00:00:00+01:00",
            "model": "org/Name",
            "status": "5xx",
            "caller": "alice",
            "q": "lang",
            "before": "9",
            "limit": "1",
        },
    )
    assert answer.status_code == 200
    (asked,) = coordinator.asked
    assert asked.model_dump(mode="json", exclude_none=True) == {
        "since": "2026-01-01T00:00:00Z",
        "until": "2026-01-02T00:00:00+01:00",
        "model": "org/Name",
        "status": "5xx",
        "caller": "alice",
        "q": "lang",
        "before": 9,
        "limit": 1,
    }
    assert answer.json()["older_before"] == 2
    assert [each["id"] for each in answer.json()["requests"]] == ["req-2"]


@pytest.mark.parametrize(
    "query",
    [
        *("limit=0", "limit=501", "before=0", "status=6xx", "status=20", "from=yesterday"),
        *("q=" + "x" * 201, "to=x", "status=200%0A"),
    ],
)
@pytest.mark.parametrize("path", [PATH, PATH + "/export"])
async def test_what_makes_no_sense_is_refused_here(bench, coordinator, path, query):
    if "limit" in query and path.endswith("export"):
        return
    answer = await bench.http.get(f"{path}?{query}")
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid_request")
    assert coordinator.asked == []


async def test_the_file_has_every_page_once(bench, coordinator):
    coordinator.rows = [row(number) for number in range(7, 0, -1)]
    coordinator.page = 3
    found = await bench.http.get(f"{PATH}/export?format=csv&model=tiny")
    assert found.headers["content-type"] == "text/csv; charset=utf-8"
    assert found.headers["content-disposition"] == 'attachment; filename="requests.csv"'
    lines = list(csv.DictReader(io.StringIO(found.content.decode("utf-8-sig"))))
    assert [line["number"] for line in lines] == ["7", "6", "5", "4", "3", "2", "1"]
    assert tuple(lines[0]) == COLUMNS
    assert (lines[0]["prompt_tokens"], lines[0]["tokens_estimated"]) == ("", "false")
    assert {asked.model for asked in coordinator.asked} == {"tiny"}

    found = await bench.http.get(f"{PATH}/export?format=json")
    assert [each["number"] for each in found.json()] == [7, 6, 5, 4, 3, 2, 1]
    assert "mark" not in found.json()[0]


@pytest.mark.parametrize("format", ["csv", "json"])
async def test_an_empty_log_is_a_whole_file(bench, coordinator, format):
    found = await bench.http.get(f"{PATH}/export?format={format}")
    if format == "json":
        assert found.json() == []
    else:
        assert found.content.decode("utf-8-sig").strip().split(",") == list(COLUMNS)


@pytest.mark.parametrize("text", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1"])
async def test_no_cell_is_a_formula(bench, coordinator, text):
    coordinator.rows = [row(1, client=text, model=text, id=text, user=text)]
    found = await bench.http.get(f"{PATH}/export")
    text_file = io.StringIO(found.content.decode("utf-8-sig"), newline="")
    (line,) = csv.DictReader(text_file)
    assert {line[name] for name in ("client", "model", "id", "user")} == {f"'{text}"}


async def test_quotes_commas_and_lines_stay_in_their_cell(bench, coordinator):
    coordinator.rows = [row(1, client='a "b", c\nd')]
    found = await bench.http.get(f"{PATH}/export")
    (line,) = csv.DictReader(io.StringIO(found.content.decode("utf-8-sig"), newline=""))
    assert line["client"] == 'a "b", c\nd'


async def test_a_log_that_is_away_is_said_before_the_file_begins(bench, coordinator):
    coordinator.fails_at = 1
    answer = await bench.http.get(f"{PATH}/export")
    assert (answer.status_code, answer.json()["code"]) == (503, "unavailable")


async def test_without_a_coordinator_it_is_503(bench):
    answer = await bench.http.get(PATH)
    assert (answer.status_code, answer.json()["code"]) == (503, "service_unavailable")
