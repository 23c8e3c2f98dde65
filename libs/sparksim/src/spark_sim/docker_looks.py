"""The commands of ``docker`` that only look."""

import json
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Protocol

from spark_sim.call import Call
from spark_sim.container_log import parse_since
from spark_sim.containers import Container
from spark_sim.docker_engine import DockerEngine, DockerError
from spark_sim.docker_images import image_inspection
from spark_sim.docker_options import Options, read_options
from spark_sim.go_template import TemplateError, render
from spark_sim.images import facts_of, short, tagged
from spark_sim.pace import now

_VERSION = """\
Client: Docker Engine - Community
 Version: {0}

Server: Docker Engine - Community
 Engine:
  Version: {0}
"""
Command = Callable[[Call, Sequence[str]], Awaitable[int]]


class Processes(Protocol):
    """Who runs in a container, as ``docker top`` wants to know."""

    def rows(self, container_id: str) -> list[tuple[int, int, str]]:
        """Return (process id, seconds since start, command line) of what runs there."""
        ...


class DockerLooks:
    """Shows containers, images and logs in docker's formats."""

    def __init__(self, engine: DockerEngine, processes: Processes) -> None:
        self._engine = engine
        self._processes = processes

    def table(self) -> dict[str, Command]:
        """Return the commands by name."""
        return {
            "inspect": self._inspect,
            "image": self._image,
            "images": self._images,
            "ps": self._ps,
            "logs": self._logs,
            "top": self._top,
            "version": self._version,
            "info": self._info,
        }

    async def _inspect(self, call: Call, words: Sequence[str]) -> int:
        options = read_options("inspect", words, takes="f format type", flags="s size",
                               interspersed=True)  # fmt: skip
        found, missing = [], []
        for name in options.rest:
            container = self._engine.find(name)
            if container is not None:
                found.append(container.inspection())
            elif options.last("type") != "container" and (image := self._engine.image(name)):
                found.append(image_inspection(name, image))
            else:
                missing.append(name)
        await _show(call, options, found)
        for name in missing:
            words_of = "error: no" if self._engine.lower_case else "Error: No"
            await call.err(f"{words_of} such object: {name}\n")
        return 1 if missing else 0

    async def _image(self, call: Call, words: Sequence[str]) -> int:
        if words[:1] == ["ls"] or words[:1] == ("ls",):
            return await self._images(call, words[1:])
        if not words or words[0] != "inspect":
            raise DockerError(f"docker: unknown command: docker image {' '.join(words[:1])}")
        options = read_options("image inspect", words[1:], takes="f format", flags="",
                               interspersed=True)  # fmt: skip
        found, missing = [], []
        for name in options.rest:
            image = self._engine.image(name)
            if image is None:
                missing.append(name)
            else:
                found.append(image_inspection(name, image))
        await _show(call, options, found)
        for name in missing:
            await call.err(f"Error response from daemon: No such image: {tagged(name)}\n")
        return 1 if missing else 0

    async def _images(self, call: Call, words: Sequence[str]) -> int:
        options = read_options("images", words, takes="format f filter", flags="q quiet a all",
                               interspersed=True)  # fmt: skip
        rows: list[dict[str, object]] = [
            {"Repository": tagged(tag).rpartition(":")[0], "Tag": tagged(tag).rpartition(":")[2],
             "ID": image[:12], "Size": "18.4GB", "CreatedSince": "5 weeks ago",
             "CreatedAt": facts_of(image).created_at}
            for tag, image in self._engine.images.by_tag.items()
            if not options.rest
            or {short(tag), tagged(tag).rpartition(":")[0]} & set(options.rest)
        ]  # fmt: skip
        await _table(
            call, options, rows,
            {"Repository": "REPOSITORY", "Tag": "TAG", "ID": "IMAGE ID",
             "CreatedSince": "CREATED", "Size": "SIZE"},
        )  # fmt: skip
        return 0

    async def _ps(self, call: Call, words: Sequence[str]) -> int:
        options = read_options("ps", words, takes="f filter format n last",
                               flags="a all q quiet s size l latest no-trunc",
                               interspersed=True)  # fmt: skip
        shown = [c for c in self._engine.containers.values() if _matches(c, options)]
        rows = [_ps_row(c, full=options.has("no-trunc")) for c in shown]
        await _table(
            call, options, rows,
            {"ID": "CONTAINER ID", "Image": "IMAGE", "Command": "COMMAND",
             "RunningFor": "CREATED", "Status": "STATUS", "Ports": "PORTS", "Names": "NAMES"},
        )  # fmt: skip
        return 0

    async def _logs(self, call: Call, words: Sequence[str]) -> int:
        flags = "f follow t timestamps details"
        options = read_options(
            "logs", words, takes="since until n tail", flags=flags, interspersed=True
        )
        if len(options.rest) != 1:
            raise DockerError("docker: 'docker logs' requires 1 argument")
        container = self._engine.need(options.rest[0])
        log = self._engine.logs.get(container.id)
        if log is None:
            return 0
        try:
            since = parse_since(text) if (text := options.last("since")) else ""
        except ValueError as error:
            raise DockerError(f'invalid value for "since": {error}') from error
        rows = log.lines(since)
        tail = options.last("n", "tail", default="all")
        kept = rows[max(0, len(rows) - int(tail)) :] if tail.isdigit() else rows
        stamped = options.has("t", "timestamps")
        await call.out(b"".join(_log_row(row, stamped) for row in kept))
        if options.has("f", "follow"):
            seen = len(rows)
            async for row in log.follow(since):
                seen -= 1
                if seen < 0:
                    await call.out(_log_row(row, stamped))
        return 0

    async def _top(self, call: Call, words: Sequence[str]) -> int:
        if not words:
            raise DockerError("docker: 'docker top' requires at least 1 argument")
        container = self._engine.running(words[0])
        born = int((now() - container.started_at).total_seconds())
        first = " ".join(container.spec.command) or "sh"
        pid = 4000 + int(container.id[:4], 16) % 20000
        rows = [(pid, born, first), *self._processes.rows(container.id)]
        wanted = "".join(words[1:]).removeprefix("-eo").removeprefix("-o").split(",")
        if wanted == [""] or wanted[0].startswith("-"):
            wanted = ["pid", "etimes", "args"]
        heads = {"pid": "PID", "etimes": "ELAPSED", "args": "COMMAND", "cmd": "CMD",
                 "comm": "COMMAND"}  # fmt: skip
        await call.out(_columns([heads.get(name, name.upper()) for name in wanted]))
        for row in rows:
            cells = {"pid": row[0], "etimes": row[1], "args": row[2], "cmd": row[2],
                     "comm": Path(row[2].split()[0]).name}  # fmt: skip
            await call.out(_columns([str(cells.get(name, "-")) for name in wanted]))
        return 0

    async def _version(self, call: Call, words: Sequence[str]) -> int:
        options = read_options("version", words, takes="f format", flags="", interspersed=True)
        view: dict[str, object] = {
            "Client": {"Version": self._engine.version},
            "Server": {"Version": self._engine.version},
        }
        if template := options.last("f", "format"):
            await call.out(_rendered(template, view) + "\n")
        else:
            await call.out(_VERSION.format(self._engine.version))
        return 0

    async def _info(self, call: Call, words: Sequence[str]) -> int:
        options = read_options("info", words, takes="f format", flags="", interspersed=True)
        running = sum(c.running for c in self._engine.containers.values())
        view: dict[str, object] = {
            "ServerVersion": self._engine.version, "ContainersRunning": running, "NCPU": 20,
            "Architecture": "aarch64", "DockerRootDir": "/var/lib/docker",
        }  # fmt: skip
        template = options.last("f", "format")
        text = _rendered(template, view) if template else f"Server:\n Running: {running}"
        await call.out(text + "\n")
        return 0


def _rendered(template: str, view: object) -> str:
    try:
        return render(template, view)
    except TemplateError as error:
        raise DockerError(str(error)) from error


async def _show(call: Call, options: Options, found: list[dict[str, object]]) -> None:
    if template := options.last("f", "format"):
        lines = [_rendered(template, item) for item in found] or [""]
        await call.out("\n".join(lines) + "\n")
    else:
        await call.out(json.dumps(found, indent=4) + "\n")


def _matches(container: Container, options: Options) -> bool:
    if not options.has("a", "all") and not container.running:
        wanted = any(item.startswith("status=") for item in options.all("f", "filter"))
        if not wanted:
            return False
    for item in options.all("f", "filter"):
        key, _, value = item.partition("=")
        if key == "name" and value.strip("^/$") not in container.spec.name:
            return False
        if key == "name" and value.startswith("^") and value.strip("^/$") != container.spec.name:
            return False
        if key == "status" and container.status != value:
            return False
        if key == "id" and not container.id.startswith(value):
            return False
    return True


def _ps_row(container: Container, *, full: bool) -> dict[str, object]:
    seconds = int((now() - container.started_at).total_seconds())
    span = f"{seconds} seconds" if seconds < 60 else f"{seconds // 60} minutes"
    status = f"Up {span}" if container.running else f"Exited ({container.exit_code}) {span} ago"
    if container.status == "removing":
        status = "Removal In Progress"
    command = " ".join(container.spec.command)
    return {
        "ID": container.id if full else container.id[:12],
        "Image": container.spec.image,
        "Command": f'"{command}"' if full or len(command) < 20 else f'"{command[:19]}…"',
        "RunningFor": f"{span} ago",
        "Status": status,
        "State": container.status,
        "Ports": "",
        "Names": container.spec.name,
        "CreatedAt": container.started_at.strftime("%Y-%m-%d %H:%M:%S +0000 UTC"),
    }


async def _table(
    call: Call, options: Options, rows: list[dict[str, object]], heads: dict[str, str]
) -> None:
    if options.has("q", "quiet"):
        await call.out("".join(f"{row['ID']}\n" for row in rows))
        return
    template = options.last("format")
    if template == "json":
        await call.out("".join(json.dumps(row, separators=(",", ":")) + "\n" for row in rows))
    elif template:
        await call.out("".join(_rendered(template.removeprefix("table "), row) + "\n"
                               for row in rows))  # fmt: skip
    else:
        lines = [list(heads.values()), *([str(row[key]) for key in heads] for row in rows)]
        widths = [max(len(line[at]) for line in lines) + 3 for at in range(len(heads))]
        for line in lines:
            cells = (cell.ljust(width) for cell, width in zip(line, widths, strict=True))
            await call.out("".join(cells).rstrip() + "\n")


def _columns(cells: list[str]) -> str:
    return "".join(cell.ljust(20) for cell in cells[:-1]) + cells[-1] + "\n"


def _log_row(row: tuple[str, bytes], stamped: bool) -> bytes:
    stamp, line = row
    return (stamp.encode() + b" " if stamped else b"") + line + b"\n"
