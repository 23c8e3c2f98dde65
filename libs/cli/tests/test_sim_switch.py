"""What ``sparkctl sim`` asks of the simulator."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from spark_cli.simulator import set_behaviour


class Recording(HTTPServer):
    """Answers every PUT and remembers it."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Answering)
        self.asked: list[tuple[str, dict[str, str]]] = []


class Answering(BaseHTTPRequestHandler):
    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.server.asked.append((self.path, json.loads(body)))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *words: object) -> None:
        return


@pytest.fixture
def simulator() -> Iterator[Recording]:
    with Recording() as server:
        serving = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        serving.start()
        yield server
        server.shutdown()
        serving.join()


@pytest.mark.parametrize(
    ("word", "path", "body"),
    [
        ("kv_none", "/_sim/behaviour", {"host": "spark1", "behaviour": "kv_none"}),
        ("launcher=2026-01", "/_sim/launcher", {"host": "spark1", "launcher": "2026-01"}),
        ("parakeet.wedge_next=true", "/_sim/speech", {"service": "parakeet", "wedge_next": True}),
        ("kokoro.stops=cut", "/_sim/speech", {"service": "kokoro", "stops": "cut"}),
    ],
)
def test_a_behaviour_a_launcher_or_a_speech_service_is_switched(simulator, word, path, body):
    set_behaviour(f"http://127.0.0.1:{simulator.server_port}", "spark1", word)
    assert simulator.asked == [(path, body)]
