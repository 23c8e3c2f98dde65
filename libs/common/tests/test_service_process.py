"""A service as a process: how it starts, ends, and breaks. Exit codes are what supervisors see."""

import asyncio
import os
import socket
from pathlib import Path

import pytest

from spark_common.plain_http import plain_client
from spark_common.testing.process import ServiceProcess
from spark_common.testing.wait import until

pytestmark = pytest.mark.connected

EXAMPLE = """
import asyncio, os, pathlib
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route
from spark_common.errors import UnavailableError
from spark_common.service import Service, run
from spark_common.settings import HttpSettings, SettingsError, load_or_exit

class Own(asyncio.Protocol):
    def __init__(self, **_):
        pass

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        self.transport.write(b"HTTP/1.1 200 OK\\r\\ncontent-length: 3\\r\\n\\r\\nown")

    def shutdown(self):
        self.transport.close()

PROTOCOLS = {"own protocol": Own}
HERE = pathlib.Path(__file__).parent
MODE = os.environ["MODE"]
stopping = asyncio.Event()

async def slow(request):
    (HERE / "asked").touch()
    await asyncio.sleep(1)
    return PlainTextResponse("finished")

async def stream(request):
    async def beats():
        yield b"first"
        await stopping.wait()
        yield b"last"
    return StreamingResponse(beats())

async def loop():
    while not (HERE / "break").exists():
        await asyncio.sleep(0.02)
    if MODE == "loop raises":
        raise RuntimeError("the loop broke")

async def close():
    if MODE == "close raises":
        raise RuntimeError("it does not close")
    (HERE / "closed").touch()

async def build():
    if MODE == "wrong setting":
        raise SettingsError("NATS_SEED_FILE cannot be read: FileNotFoundError")
    if MODE == "build breaks":
        raise ValueError("a defect")
    if MODE == "waits" and not (HERE / "there").exists():
        raise UnavailableError("the thing is not there")
    return Service("example", routes=[Route("/slow", slow), Route("/stream", stream)],
                   background=[loop], close=close, stopping=stopping,
                   http_protocol=PROTOCOLS.get(MODE, "httptools"))

run("example", build, load_or_exit(HttpSettings), ["OLD_THING is blank; the default is used"])
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "example_service.py").write_text(EXAMPLE)
    return tmp_path


def example(folder: Path, mode: str) -> ServiceProcess:
    environment = {"PYTHONPATH": str(folder), "MODE": mode}
    return ServiceProcess("example_service", environment, folder / "log")


async def attempt(folder: Path, mode: str, **more: str) -> tuple[int, str]:
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(folder), "MODE": mode}
    return await ServiceProcess.attempt("example_service", environment | {"BIND_PORT": "0"} | more)


async def test_it_lives_while_it_waits_and_is_ready_afterwards(folder: Path) -> None:
    async with example(folder, "waits") as service:
        await service.until_waiting_for("starting: the thing is not there")
        assert (await service.get("/livez")).status_code == 200
        (folder / "there").touch()
        await service.until_ready()
        assert len(service.said("service.waiting")) == 1
        # Nobody here speaks WebSockets: who asks for one is answered, and no library is read.
        wish = {"connection": "upgrade", "upgrade": "websocket", "sec-websocket-version": "13"}
        async with plain_client() as client:
            key = {"sec-websocket-key": "dGhlIHNhbXBsZSBub25jZQ=="}
            answer = await client.get(service.url + "/nowhere", headers=wish | key)
        assert answer.status_code == 404
        assert "websockets" not in Path(f"/proc/{service.pid}/maps").read_text()


async def test_it_can_be_asked_to_end_while_it_still_waits(folder: Path) -> None:
    async with example(folder, "waits") as service:
        await service.until_waiting_for("starting: the thing")
        assert await service.terminate() == 0


async def test_when_asked_to_end_it_finishes_what_it_began(folder: Path) -> None:
    async with example(folder, "well") as service:
        await service.until_ready()
        answer = asyncio.create_task(service.get("/slow"))
        await until(lambda: (folder / "asked").exists(), "the request has begun")
        assert await service.terminate() == 0
        assert (await answer).text == "finished"
        assert (folder / "closed").exists()


async def test_a_long_stream_hears_that_the_process_ends(folder: Path) -> None:
    async with example(folder, "well") as service:
        await service.until_ready()
        async with (
            plain_client() as client,
            client.stream("GET", service.url + "/stream") as answer,
        ):
            parts = answer.aiter_raw()
            assert await anext(parts) == b"first"
            ending = asyncio.create_task(service.terminate())
            assert [part async for part in parts] == [b"last"]
            assert await ending == 0


@pytest.mark.parametrize("mode", ["loop raises", "loop returns"])
async def test_a_loop_that_ends_ends_the_process_with_one(folder: Path, mode: str) -> None:
    async with example(folder, mode) as service:
        await service.until_ready()
        (folder / "break").touch()
        assert await service.wait() == 1
        [line] = service.said("service.broke")
        assert line["part"] == "work"
        assert ("the loop broke" if mode == "loop raises" else "never returns") in line["exception"]
        assert (folder / "closed").exists()


async def test_a_close_that_fails_is_told_and_does_not_hold_the_process(folder: Path) -> None:
    async with example(folder, "close raises") as service:
        await service.until_ready()
        assert await service.terminate() == 0
        assert service.said("service.close_failed")


async def test_a_defect_at_the_start_ends_the_process_with_one(folder: Path) -> None:
    code, output = await attempt(folder, "build breaks")
    assert code == 1
    assert '"event": "service.broke"' in output


async def test_a_wrong_setting_found_late_is_one_line_and_code_two(folder: Path) -> None:
    code, output = await attempt(folder, "wrong setting")
    plain = [line for line in output.splitlines() if not line.startswith("{")]
    assert (code, plain) == (2, ["NATS_SEED_FILE cannot be read: FileNotFoundError"])


async def test_a_taken_port_is_one_line_that_names_it(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, output = await attempt(folder, "well", BIND_PORT=str(port))
    plain = [line for line in output.splitlines() if not line.startswith("{")]
    assert code == 1
    assert plain == [
        f"example cannot listen on BIND_HOST 127.0.0.1 BIND_PORT {port}: Address already in use"
    ]


async def test_warnings_of_the_settings_are_logged_once(folder: Path) -> None:
    async with example(folder, "well") as service:
        await service.until_ready()
        assert [line["reason"] for line in service.said("settings.fallback")] == [
            "OLD_THING is blank; the default is used"
        ]


async def test_a_protocol_of_its_own_takes_the_connections_from_then_on(folder: Path) -> None:
    async with example(folder, "own protocol") as service:

        async def taken_over() -> bool:
            async with plain_client() as client:
                return (await client.get(service.url + "/whatever")).text == "own"

        await until(taken_over, "the service's own protocol answers")
