"""The dashboard's files: right types, checked by content, and nothing else reachable."""

import gzip

import pytest

from spark_gateway.dashboard_files import read_dashboard


async def test_the_page_and_its_modules_have_their_types(bench):
    page = await bench.http.get("/")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "script-src 'self'" in page.headers["content-security-policy"]
    assert "require-trusted-types-for 'script'" in page.headers["content-security-policy"]
    kinds = {".js": "text/javascript; charset=utf-8", ".css": "text/css; charset=utf-8"}
    seen = set()
    for path in read_dashboard():
        ending = path[path.rfind(".") :]
        if ending in kinds:
            answer = await bench.http.get(path)
            assert answer.headers["content-type"] == kinds[ending]
            seen.add(ending)
    assert seen == set(kinds)


PLAIN = {"accept-encoding": "identity"}


@pytest.mark.parametrize(
    ("accepts", "packed"),
    [("gzip", True), ("br, GZIP;q=0.5", True), ("gzip;q=0", False), ("gzip; q=0.00", False),
     ("br", False), ("", False), ("x-gzip", False)],
)  # fmt: skip
async def test_a_file_is_packed_for_those_who_take_it_so(bench, accepts, packed):
    whole = read_dashboard()["/static/page.js"].content
    async with bench.http.stream(
        "GET", "/static/page.js", headers={"accept-encoding": accepts}
    ) as answer:
        raw = b"".join([each async for each in answer.aiter_raw()])
    assert answer.headers["vary"] == "accept-encoding"
    assert (answer.headers.get("content-encoding") == "gzip") is packed
    assert (gzip.decompress(raw) if packed else raw) == whole
    assert int(answer.headers["content-length"]) == len(raw)
    tag = answer.headers["etag"]
    assert tag.startswith("W/") is packed
    again = await bench.http.get("/static/page.js", headers={"if-none-match": tag})
    assert again.status_code == 304


async def test_an_unchanged_file_is_not_sent_again(bench):
    first = await bench.http.get("/static/page.js", headers=PLAIN)
    tag = first.headers["etag"]
    assert first.headers["cache-control"] == "no-cache"
    for header in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        again = await bench.http.get("/static/page.js", headers=PLAIN | {"if-none-match": header})
        assert again.status_code == 304
        assert again.content == b""
        assert again.headers["etag"] == tag
    changed = await bench.http.get("/static/page.js", headers={"if-none-match": '"other"'})
    assert changed.status_code == 200


async def test_a_file_named_by_its_content_is_kept_for_ever(bench):
    digest = (await bench.http.get("/static/page.js", headers=PLAIN)).headers["etag"].strip('"')
    named = await bench.http.get(f"/static/page.js?v={digest}")
    assert named.headers["cache-control"] == "public, max-age=31536000, immutable"
    stale = await bench.http.get("/static/page.js?v=0123")
    assert stale.headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(
    "path",
    [
        "/static/../app.py",
        "/static/%2e%2e/app.py",
        "/static/..%2fapp.py",
        "/static//etc/passwd",
        "/static/%2fetc/passwd",
        "/static/css",
        "/static/",
        "/static",
        "/static/page.js%00.css",
        "/static/.hidden",
        "/app.py",
        "/index.html",
    ],
)
async def test_what_is_not_in_the_table_does_not_exist(bench, path):
    answer = await bench.http.get("http://gateway" + path)
    assert answer.status_code == 404
    assert answer.json()["code"] == "not_found"


async def test_head_names_the_length_and_sends_nothing(bench):
    got = await bench.http.get("/", headers=PLAIN)
    head = await bench.http.head("/", headers=PLAIN)
    assert head.status_code == 200
    assert head.content == b""
    assert head.headers["content-length"] == str(len(got.content))


async def test_the_policy_of_a_page_is_the_same_when_it_is_unchanged(bench):
    first = await bench.http.get("/")
    again = await bench.http.get("/", headers={"if-none-match": first.headers["etag"]})
    assert again.status_code == 304
    policy = "content-security-policy"
    assert again.headers[policy] == first.headers[policy]
    assert "script-src 'self'" in again.headers[policy]


@pytest.mark.parametrize("document", ["openapi.json", "asyncapi.json"])
async def test_the_page_links_the_documents_for_programs(bench, document):
    page = (await bench.http.get("/")).text
    assert f'<a href="{document}">' in page
    assert (await bench.http.get(f"/{document}")).status_code == 200
