"""The dashboard's files, read once at start: what is not in the table does not exist."""

import gzip
import hashlib
import mimetypes
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from importlib.resources import files
from importlib.resources.abc import Traversable

from starlette.datastructures import Headers, QueryParams
from starlette.exceptions import HTTPException
from starlette.responses import Response
from starlette.routing import BaseRoute, Match
from starlette.types import Receive, Scope, Send

from spark_gateway.dashboard_modules import join_modules

_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".webmanifest": "application/manifest+json",
    ".woff2": "font/woff2",
}
"""Said here and not guessed: what a machine's own table says differs, and modules need theirs."""

_SHEET = "/static/css/page.css"
_ENTRANCE = ("/static/entrance.js", "/static/sign-in.js")
"""What the page to sign in needs: its modules are files of their own."""
_CHECK = "no-cache"
_FOREVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True)
class DashboardFile:
    """One file as it is sent. ``digest`` names its content."""

    content: bytes
    media_type: str
    digest: str

    @cached_property
    def packed(self) -> bytes:
        """The content as gzip; made when somebody first takes it so."""
        return gzip.compress(self.content, mtime=0)

    def answer(self, headers: Headers, query: QueryParams) -> Response:
        """Answer a GET: 304 when the client has this content, for ever when it named it."""
        packed = _takes_gzip(headers.get("accept-encoding", ""))
        tag = f'"{self.digest}"'
        named = query.get("v") == self.digest
        # The type also on a 304: the page's policy depends on it, and a browser replaces the
        # policy of the page it kept by the one that comes with the 304.
        own = {
            # The same content in other bytes: only a weak tag may stand for both.
            "etag": f"W/{tag}" if packed else tag,
            "vary": "accept-encoding",
            "cache-control": _FOREVER if named else _CHECK,
            "content-type": self.media_type,
        }
        if _matches(headers.get("if-none-match", ""), tag):
            return Response(status_code=304, headers=own)
        if packed:
            return Response(self.packed, headers=own | {"content-encoding": "gzip"})
        return Response(self.content, headers=own)


class DashboardRoute(BaseRoute):
    """Matches exactly the dashboard's files: no directory is walked with a client's words."""

    methods = frozenset({"GET", "HEAD"})

    def __init__(self, table: Mapping[str, DashboardFile]) -> None:
        self._table = table

    @property
    def paths(self) -> frozenset[str]:
        """Every path that this route answers."""
        return frozenset(self._table)

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        """Say whether this is a file of ours, as Starlette's router asks it."""
        if scope["type"] != "http" or scope["path"] not in self._table:
            return Match.NONE, {}
        return (Match.FULL if scope["method"] in self.methods else Match.PARTIAL), {}

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the file, or 405 for a method that files do not have."""
        if scope["method"] not in self.methods:
            raise HTTPException(405, headers={"Allow": ", ".join(sorted(self.methods))})
        asked = Headers(scope=scope), QueryParams(scope.get("query_string", b""))
        await self._table[scope["path"]].answer(*asked)(scope, receive, send)


@cache
def read_dashboard() -> Mapping[str, DashboardFile]:
    """Return every file of the package by path: ``/`` is the page, the rest is ``/static/...``.

    They are read once.
    """
    root = files("spark_gateway") / "static"
    table: dict[str, DashboardFile] = {}
    if not root.is_dir():
        return table
    _collect(root, "/static", table)
    table[_SHEET] = _one_sheet(table)
    _join_modules(table)
    page = table.get("/static/index.html")
    if page is not None:
        table["/"] = page
    return table


def _one_sheet(table: Mapping[str, DashboardFile]) -> DashboardFile:
    """Return every style sheet below ``css`` as one: without it a browser paints nothing.

    Thirty of them would be thirty questions, and weigh nearly twice as much when packed. The
    tokens come first: they say how the layers are ordered.
    """
    sheets = sorted(path for path in table if path.startswith("/static/css/"))
    sheets.sort(key=lambda path: path != "/static/css/tokens.css")
    return _file(b"".join(table[path].content for path in sheets), ".css")


def _join_modules(table: dict[str, DashboardFile]) -> None:
    """Put joined files in place of the page's modules: one that came twice would be two.

    What the page to sign in needs stays as it is: it is another page.
    """
    modules = {path: table[path].content.decode() for path in table if path.endswith(".js")}
    joined, gone = join_modules(modules)
    for path in gone.difference(_ENTRANCE):
        del table[path]
    table.update({path: _file(text.encode(), ".js") for path, text in joined.items()})


def _collect(folder: Traversable, path: str, table: dict[str, DashboardFile]) -> None:
    for item in sorted(folder.iterdir(), key=lambda each: each.name):
        if item.name.startswith(("_", ".")):
            continue
        if item.is_dir():
            _collect(item, f"{path}/{item.name}", table)
        else:
            table[f"{path}/{item.name}"] = _read(item)


def _read(item: Traversable) -> DashboardFile:
    return _file(item.read_bytes(), item.name)


def _file(content: bytes, name: str) -> DashboardFile:
    kind = _TYPES.get(name[name.rfind(".") :].lower()) or mimetypes.guess_type(name)[0]
    digest = hashlib.sha256(content).hexdigest()[:32]
    return DashboardFile(content, kind or "application/octet-stream", digest)


def _takes_gzip(header: str) -> bool:
    """Whether a client said so; ``gzip;q=0`` says that it does not."""
    for choice in header.lower().split(","):
        name, _, weight = choice.partition(";")
        if name.strip() == "gzip":
            return weight.replace(" ", "").rstrip("0.") not in ("q=", "q")
    return False


def _matches(header: str, tag: str) -> bool:
    tags = [word.strip().removeprefix("W/") for word in header.split(",")]
    return tag in tags or tags == ["*"]
