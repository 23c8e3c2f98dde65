"""How long sparkctl waits for the gateway, and what it says when nothing more comes."""

from collections.abc import Iterator

import httpx
import pytest

from spark_cli import gateway_client
from spark_cli.gateway_client import GatewayClient, RefusedError


def test_the_client_waits_longer_than_the_gateway_takes(gateway, run) -> None:
    """A dry run may take over a minute; a client that gives up before knows nothing."""
    waits = []

    def answer(request: httpx.Request) -> httpx.Response:
        waits.append(request.extensions["timeout"]["read"])
        raise httpx.ReadTimeout("late")

    gateway.answer = answer
    late = run("swap", "m", "--dry-run")
    assert waits[0] > 180
    assert late.exit_code == gateway_client.REFUSED
    assert "took the question and gave no answer" in late.output


class BrokenOff(httpx.SyncByteStream):
    """An answer whose connection ends in the middle."""

    def __iter__(self) -> Iterator[bytes]:
        yield b'event: text\ndata: {"text": "It"}\n\n'
        raise httpx.ReadError("connection lost")


def test_an_answer_that_breaks_off_is_not_called_a_gateway_that_is_away() -> None:
    transport = httpx.MockTransport(lambda _: httpx.Response(200, stream=BrokenOff()))
    said = GatewayClient("http://x", transport).said("/api/explain-updates", {})
    assert next(said).body == {"text": "It"}
    with pytest.raises(RefusedError, match="the answer broke off"):
        next(said)
