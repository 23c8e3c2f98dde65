"""Starts and stops what is compared, one process tree each, on free loopback ports."""

import asyncio
import os
import re
import shutil
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable
from contextlib import ExitStack
from pathlib import Path

from benchmarks.gateway import litellm
from benchmarks.gateway.load import STREAM_BODY, WHOLE_BODY, request

from spark_common.embedded.child import free_port
from spark_common.key_text import digest_of, fresh_key

_HERE = "benchmarks.gateway"

_NGINX = """
{user}worker_processes 1;
daemon off;
pid {dir}/nginx.pid;
error_log {dir}/error.log error;
events {{ worker_connections 8192; }}
http {{
  access_log off;
  client_body_temp_path {dir}/body; proxy_temp_path {dir}/proxy; fastcgi_temp_path {dir}/f;
  uwsgi_temp_path {dir}/u; scgi_temp_path {dir}/s;
  keepalive_requests 1000000;
  upstream llm {{ server 127.0.0.1:{upstream}; keepalive 512; keepalive_requests 1000000; }}
  server {{
    listen 127.0.0.1:{port} backlog=4096;
    location / {{
      proxy_pass http://llm;
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_buffering off;
      proxy_request_buffering off;
      proxy_read_timeout 1800s;
    }}
  }}
}}
"""


class Contender:
    """A listening process tree. ``cpu`` and ``resident`` are read from the kernel's accounts."""

    def __init__(
        self,
        name: str,
        port: int,
        process: subprocess.Popen[bytes] | None,
        key: str = "none",
    ) -> None:
        self.name = name
        self.port = port
        self.process = process
        self.whole = request(WHOLE_BODY, key)
        """What is asked of it, with the key it wants."""
        self.stream = request(STREAM_BODY, key)

    def cpu(self) -> float:
        """Processor seconds used so far; the kernel's own account, in nanoseconds."""
        spent = 0
        for pid in self._pids():
            for account in Path(f"/proc/{pid}/task").glob("*/schedstat"):
                spent += int(account.read_text().split()[0])
        return spent / 1e9

    def resident(self) -> int:
        """Resident bytes."""
        pages = (int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in self._pids())
        return sum(pages) * os.sysconf("SC_PAGE_SIZE")

    def _pids(self) -> list[str]:
        if self.process is None:
            return []
        pid = str(self.process.pid)
        return [pid, *Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


class Arena:
    """Everything that was started here, ended together."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.missing: list[str] = []
        self._stack = ExitStack()

    def __enter__(self) -> "Arena":
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    async def contenders(self, only: re.Pattern[str] | None = None) -> list[Contender]:
        """Start the upstream and all that can stand before it; the first is the upstream.

        ``only``: leave out the others whose name it does not match.
        """
        upstream = await self.start("direct", [sys.executable, "-m", f"{_HERE}.upstream"])
        found = [upstream]
        for name, start in self._ways(upstream.port).items():
            if only is None or only.search(name):
                found += await start()
        return found

    def _ways(self, upstream: int) -> dict[str, Callable[[], Awaitable[list[Contender]]]]:
        """Whoever can stand before the upstream at this port; none where it is not installed."""
        base = {"UPSTREAM": f"http://127.0.0.1:{upstream}"}

        async def module(name: str, file: str) -> list[Contender]:
            return [await self.start(name, [sys.executable, "-m", f"{_HERE}.{file}"], base)]

        async def product(name: str, module: str = "spark_gateway") -> list[Contender]:
            return [await self.product(name, upstream, module)]

        async def everything() -> list[Contender]:
            return [await self._with_everything(upstream)]

        return {
            "nginx": lambda: self._nginx(upstream),
            "naive": lambda: module("naive", "naive"),
            "litellm": lambda: self._litellm(upstream),
            "bare": lambda: module("bare", "spliced"),
            "off": lambda: product("off", f"{_HERE}.unwatched"),
            "gateway": lambda: product("gateway"),
            "all on": everything,
        }

    async def _litellm(self, upstream: int) -> list[Contender]:
        program = litellm.program()
        if program is None:
            self.missing.append("LiteLLM is missing: python -m benchmarks.gateway.litellm")
            return []
        port = free_port()
        command = litellm.command(program, self.directory, upstream, port)
        settings = {"LITELLM_LOCAL_MODEL_COST_MAP": "True"}
        return [await self.run("litellm", port, command, settings)]

    async def everything(self) -> Contender:
        """Start an upstream and the gateway with everything on before it, and nothing else."""
        upstream = await self.start("direct", [sys.executable, "-m", f"{_HERE}.upstream"])
        return await self._with_everything(upstream.port)

    async def _nginx(self, upstream: int) -> list[Contender]:
        if shutil.which("nginx") is None:
            self.missing.append("nginx is missing: apt-get install nginx")
            return []
        port = free_port()
        user = "user root;\n" if os.geteuid() == 0 else ""
        text = _NGINX.format(dir=self.directory, upstream=upstream, port=port, user=user)
        config = self.directory / "nginx.conf"
        config.write_text(text)
        command = ["nginx", "-p", str(self.directory), "-c", str(config)]
        return [await self.run("nginx", port, command)]

    async def _with_everything(self, upstream: int) -> Contender:
        """The gateway asks for keys, has caps, and logs to a coordinator over a real bus."""
        key = fresh_key()
        folder = self.directory / "office"
        folder.mkdir()
        argv = [sys.executable, "-m", f"{_HERE}.office", str(folder), digest_of(key)]
        await self.start("office", argv)
        url, seed = (folder / "address").read_text().split()
        contender = await self.product(
            "all on",
            upstream,
            NATS_URL=url,
            NATS_SEED_FILE=seed,
            API_KEYS="true",
            MODEL_REQUESTS_AT_ONCE="4096",
        )
        contender = Contender(contender.name, contender.port, contender.process, key)
        await _until(lambda: _lets_in(contender), contender.process, contender.name)
        return contender

    async def product(
        self, name: str, upstream: int, module: str = "spark_gateway", **settings: str
    ) -> Contender:
        """The gateway as it is shipped; without settings there is no bus to talk to."""
        port = free_port()
        env = {
            "BIND_HOST": "127.0.0.1",
            "BIND_PORT": str(port),
            "NATS_URL": f"nats://127.0.0.1:{free_port()}",
            "SPARK1_HOST": "127.0.0.1",
            "SPARK1_USER": "bench",
            "VLLM_PORT": str(upstream),
            "LOG_LEVEL": "error",
            **settings,
        }
        return await self.run(name, port, [sys.executable, "-m", module], env)

    async def start(
        self, name: str, argv: list[str], env: dict[str, str] | None = None
    ) -> Contender:
        port = free_port()
        return await self.run(name, port, [*argv, str(port)], env)

    async def run(
        self, name: str, port: int, argv: list[str], env: dict[str, str] | None = None
    ) -> Contender:
        log = self._stack.enter_context((self.directory / f"{name}.log").open("wb"))
        process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            env={**os.environ, **(env or {})},
        )
        self._stack.callback(_end, process)
        await _until(lambda: _listens(port), process, name)
        return Contender(name, port, process)


def _listens(port: int) -> bool:
    with socket.socket() as sock:
        sock.settimeout(0.2)
        return sock.connect_ex(("127.0.0.1", port)) == 0


def _lets_in(contender: Contender) -> bool:
    """Whether its key is known by now."""
    with socket.create_connection(("127.0.0.1", contender.port), 1) as sock:
        sock.sendall(contender.whole)
        return sock.recv(4096).startswith(b"HTTP/1.1 200")


async def _until(
    claim: Callable[[], bool], process: subprocess.Popen[bytes] | None, name: str
) -> None:
    """Wait for it; LiteLLM takes half a minute to start."""
    for _ in range(1200):
        if claim():
            return
        if process is not None and process.poll() is not None:
            break
        await asyncio.sleep(0.05)
    raise RuntimeError(f"{name} did not start")


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(3)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
