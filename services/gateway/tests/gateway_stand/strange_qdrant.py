"""What answers where Qdrant should, and says what no Qdrant says."""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from gateway_stand.planting import marked


class _Strange(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        """Have one collection, and a fault wherever more is asked of it."""
        if self.path == "/collections":
            self._say(200, {"result": {"collections": [{"name": marked("collection")}]}})
        else:
            self._say(500, {"status": {"error": marked("fault")}})

    def _say(self, status: int, content: object) -> None:
        body = json.dumps(content).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Write nothing."""


@contextmanager
def strange_qdrant(address: str) -> Iterator[int]:
    """Listen at an address; yields the port."""
    with ThreadingHTTPServer((address, 0), _Strange) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join()
