"""The HTTP surface of Qdrant, as far as search and snapshots use it."""

import asyncio
import hashlib
import json
import re
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from spark_sim.pace import epoch, now
from spark_sim.qdrant.collection import Collection
from spark_sim.qdrant.errors import QdrantError, bad_format, no_collection
from spark_sim.qdrant.queries import query_points
from spark_sim.vllm_http.exchange import ClientGoneError, Exchange, Receive, Send

VERSION = "1.15.5"
_PLAIN = {
    "/healthz": "healthz check passed", "/readyz": "all shards are ready",
    "/livez": "healthz check passed",
}  # fmt: skip
_PATH = re.compile(r"/collections/(?P<name>[^/]+)(?:/(?P<rest>.+))?\Z")
_FORBIDDEN = re.compile(r'[<>:"/\\|?*\x00\x1f]')
_DEPTH = 128
_PEER = 4_213_881_046_171_203


@dataclass
class QdrantServer:
    """The ASGI application with everything it stores, in memory."""

    api_key: str | None = None
    delay_seconds: float = 0.0
    collections: dict[str, Collection] = field(default_factory=dict)
    snapshots: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    """Collection -> snapshot's name -> its description."""

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        exchange = Exchange(scope, receive, send)
        # A slash inside a name stays one: the path is cut before it is decoded.
        raw: bytes = scope.get("raw_path") or scope["path"].encode()
        began = epoch()
        try:
            await self._answer(exchange, raw.decode("latin-1").partition("?")[0], began)
        except ClientGoneError:
            return
        except QdrantError as error:
            status = {"error": error.message}
            await exchange.reply_json({"status": status, "time": epoch() - began}, error.status)

    async def _answer(self, exchange: Exchange, path: str, began: float) -> None:
        if path in _PLAIN and exchange.method == "GET":
            await exchange.reply(_PLAIN[path].encode(), "text/plain")
            return
        if self._refused(exchange):
            said = "Must provide an API key or an Authorization bearer token"
            if "api-key" in exchange.headers or "authorization" in exchange.headers:
                said = "Invalid API key or JWT"
            await exchange.reply(said.encode(), "text/plain", 401)
            return
        await asyncio.sleep(self.delay_seconds)
        if path == "/" and exchange.method == "GET":
            await exchange.reply_json(
                {"title": "qdrant - vector search engine", "version": VERSION, "commit": ""}
            )
            return
        body = await _body(exchange)
        result = self._result(exchange.method, path, body)
        if result is None:
            await exchange.reply(b"", None, 404)
            return
        await exchange.reply_json({"result": result, "status": "ok", "time": epoch() - began})

    def _refused(self, exchange: Exchange) -> bool:
        if self.api_key is None:
            return False
        bearer = exchange.headers.get("authorization", "").removeprefix("Bearer ")
        return self.api_key not in (exchange.headers.get("api-key"), bearer)

    def _result(self, method: str, path: str, body: dict[str, Any]) -> object:
        if path == "/collections" and method == "GET":
            return {"collections": [{"name": name} for name in self.collections]}
        found = _PATH.match(path)
        if found is None:
            return None
        name, rest = _checked(unquote(found["name"])), found["rest"] or ""
        if rest == "" and method in ("PUT", "DELETE"):
            if method == "PUT":
                return self._create(name, body)
            return self.collections.pop(name, None) is not None
        collection = self.collections.get(name)
        if collection is None:
            raise no_collection(name)
        return self._inside(collection, method, rest.split("/"), body)

    def _inside(
        self, collection: Collection, method: str, rest: list[str], body: dict[str, Any]
    ) -> object:
        match method, rest:
            case "GET", [""]:
                return collection.info()
            case "PUT", ["points"]:
                for point in body.get("points") or []:
                    collection.put(point)
                return {"operation_id": 0, "status": "completed"}
            case "POST", ["points", "query"]:
                return {"points": query_points(collection, body)}
            case "GET", ["snapshots"]:
                return list(self.snapshots.get(collection.name, {}).values())
            case "POST", ["snapshots"]:
                return self._snapshot(collection)
            case "DELETE", ["snapshots", snapshot]:
                return self._forget(collection.name, unquote(snapshot))
            case _:
                return None

    def _create(self, name: str, body: dict[str, Any]) -> bool:
        if name in self.collections:
            raise QdrantError(409, f"Wrong input: Collection `{name}` already exists!")
        self.collections[name] = Collection.made_of(name, body)
        return True

    def _snapshot(self, collection: Collection) -> dict[str, Any]:
        moment = now()
        made = self.snapshots.setdefault(collection.name, {})
        name = f"{collection.name}-{_PEER}-{moment:%Y-%m-%d-%H-%M-%S}.snapshot"
        content = json.dumps([str(point) for point in collection.points]).encode()
        made[name] = {
            "name": name, "creation_time": f"{moment:%Y-%m-%dT%H:%M:%S}",
            "size": 4096 + len(content), "checksum": hashlib.sha256(content).hexdigest(),
        }  # fmt: skip
        return made[name]

    def _forget(self, collection: str, snapshot: str) -> bool:
        if self.snapshots.get(collection, {}).pop(snapshot, None) is None:
            raise QdrantError(404, f"Not found: Snapshot {snapshot} not found")
        return True


def _checked(name: str) -> str:
    found = _FORBIDDEN.search(name)
    if found or not 1 <= len(name) <= 255:
        why = f'collection name cannot contain "{found[0]}" char' if found else "length is invalid"
        raise QdrantError(422, f"Validation error in path: [collection_name: {why}]")
    return name


def _deeper(value: object, limit: int) -> bool:
    """Say whether lists and objects lie deeper in each other than the reader of Qdrant goes."""
    level = [value]
    for _ in range(limit):
        inner: list[object] = []
        for one in level:
            if isinstance(one, dict):
                inner += one.values()
            elif isinstance(one, list) and not (one and isinstance(one[0], int | float)):
                inner += one
        if not inner:
            return False
        level = inner
    return True


async def _body(exchange: Exchange) -> dict[str, Any]:
    raw = await exchange.body()
    if not raw:
        return {}
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError) as error:
        raise bad_format(str(error)) from error
    if _deeper(body, _DEPTH):
        raise bad_format("recursion limit exceeded")
    if not isinstance(body, dict):
        raise bad_format("invalid type, expected a map")
    return body
