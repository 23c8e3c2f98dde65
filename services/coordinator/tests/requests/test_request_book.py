"""The request log: kept once, found by what it says, forgotten in time."""

from datetime import UTC, datetime, timedelta

import pytest

from spark_common.contracts.requests import AppendRequests, ListRequests, LoggedRequest
from spark_common.errors import UnavailableError
from spark_common.settings.policies import RequestLogSettings
from spark_common.testing import FakeClock
from spark_coordinator.requests.book import RequestBook
from spark_coordinator.requests.feature import NAME, RequestLog

NOON = datetime(2026, 1, 5, 12, tzinfo=UTC)


def line(number: int, **facts) -> LoggedRequest:
    known = {
        "mark": f"m-{number}",
        "id": f"req-{number}",
        "at": NOON + timedelta(seconds=number),
        "method": "POST",
        "path": "/v1/chat/completions",
        "model": "tiny",
        "status": 200,
        "end": "complete",
        "total_ms": 12.5,
    }
    return LoggedRequest(**known | facts)


@pytest.fixture
def book(tmp_path):
    made = RequestBook(tmp_path / "requests.sqlite")
    yield made
    made.close()


def ids(page) -> list[str]:
    return [row.id for row in page.requests]


def test_a_line_comes_back_as_it_was_kept(book):
    kept = line(
        1,
        upstream="llm",
        first_byte_ms=1.5,
        first_token_ms=2.5,
        queue_ms=0.25,
        prompt_tokens=27,
        completion_tokens=48,
        cached_tokens=16,
        tokens_estimated=True,
        bytes_in=120,
        bytes_out=4000,
        key="key-a",
        user="alice",
        address="127.0.0.1",
        client="OpenAI/Python 3.3.1",
        retry=2,
    )
    book.append([kept, line(2, status=None, end="client_left")])
    page = book.find(ListRequests())
    assert [row.model_dump(exclude={"number"}) for row in page.requests] == [
        line(2, status=None, end="client_left").model_dump(),
        kept.model_dump(),
    ]
    assert page.older_before is None


def test_a_line_that_is_sent_twice_is_kept_once(book):
    book.append([line(1), line(2)])
    book.append([line(2), line(3)])
    assert ids(book.find(ListRequests())) == ["req-3", "req-2", "req-1"]


def test_pages_meet_without_gap_while_lines_are_added(book):
    book.append([line(number) for number in range(10)])
    seen, before = [], None
    while True:
        page = book.find(ListRequests(limit=3, before=before))
        seen += ids(page)
        book.append([line(100 + len(seen))])
        if page.older_before is None:
            break
        before = page.older_before
    assert seen == [f"req-{number}" for number in range(9, -1, -1)]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({}, [4, 3, 2, 1]),
        ({"model": "org/Name"}, [2]),
        ({"model": "org/name"}, []),
        ({"status": "404"}, [3]),
        ({"status": "4xx"}, [3]),
        ({"status": "2xx"}, [2, 1]),
        ({"status": "none"}, [4]),
        ({"caller": "alice"}, [1]),
        ({"caller": "key-a"}, [2]),
        ({"caller": "127.0.0.9"}, [3]),
        ({"caller": "ali"}, []),
        ({"q": "LEFT"}, [4]),
        ({"q": "langchain"}, [3]),
        ({"q": "%"}, [2]),
        ({"q": "_"}, [4]),
        ({"q": "\\"}, []),
        ({"q": "' OR 1=1 --"}, []),
        ({"since": NOON + timedelta(seconds=3)}, [4, 3]),
        ({"until": NOON + timedelta(seconds=3)}, [2, 1]),
        ({"since": (NOON + timedelta(seconds=2)).replace(tzinfo=None), "status": "2xx"}, [2]),
    ],
)
def test_found_by_what_it_says(book, wanted, found):
    book.append(
        [
            line(1, user="alice"),
            line(2, model="org/Name", key="key-a", client="50% faster"),
            line(3, status=404, address="127.0.0.9", client="LangChain"),
            line(4, status=None, end="client_left"),
        ]
    )
    assert ids(book.find(ListRequests(**wanted))) == [f"req-{number}" for number in found]


def test_what_is_too_old_or_too_much_goes(book):
    book.append([line(number) for number in range(20)])
    assert book.forget(NOON + timedelta(seconds=5)) == 5
    assert book.forget(NOON + timedelta(seconds=5)) == 0
    assert book.forget(NOON, most=10) == 5
    assert ids(book.find(ListRequests()))[-1] == "req-10"
    book.append([line(99)])
    assert book.find(ListRequests(limit=1)).requests[0].number == 21


class TestRequestLog:
    @pytest.fixture
    async def log(self, tmp_path):
        self.settings = RequestLogSettings()
        self.clock = FakeClock()
        made = RequestLog(tmp_path, self.clock, lambda: self.settings)
        yield made
        await made.close()

    async def test_kept_for_as_long_as_the_owner_wants(self, log):
        now = self.clock.now()
        await log.append(
            AppendRequests(lines=[line(1, at=now - timedelta(days=31)), line(2, at=now)])
        )
        await log.forget()
        assert ids(await log.page(ListRequests())) == ["req-2"]
        self.settings = RequestLogSettings(request_log_days=0)
        await log.append(AppendRequests(lines=[line(3)]))
        await log.forget()
        await self.clock.advance(1)
        await log.forget()
        assert ids(await log.page(ListRequests())) == []

    async def test_a_damaged_file_is_set_aside_and_said(self, log, tmp_path):
        await log.append(AppendRequests(lines=[line(1)]))
        await log.close()
        (tmp_path / NAME).write_bytes(b"no database at all" * 500)
        other = RequestLog(tmp_path, self.clock, lambda: self.settings)
        await other.append(AppendRequests(lines=[line(2)]))
        page = await other.page(ListRequests())
        assert ids(page) == ["req-2"]
        assert ["damaged" in problem for problem in page.problems] == [True]
        await other.close()

    async def test_a_folder_that_cannot_be_written_is_said(self, tmp_path):
        (tmp_path / "file").write_text("")
        log = RequestLog(tmp_path / "file", FakeClock(), RequestLogSettings)
        with pytest.raises(UnavailableError, match="DATA_DIR"):
            await log.append(AppendRequests(lines=[line(1)]))
        await log.close()
