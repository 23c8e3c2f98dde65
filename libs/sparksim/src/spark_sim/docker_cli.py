"""The ``docker`` program of a simulated host."""

import json
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Protocol

from spark_sim.call import Call
from spark_sim.container_log import parse_since
from spark_sim.containers import Container, ContainerSpec
from spark_sim.docker_engine import STOP_SECONDS, DockerEngine, DockerError
from spark_sim.docker_options import Options, read_options
from spark_sim.go_template import TemplateError, render
from spark_sim.pace import now

_RUN_TAKES = (
    "add-host cap-add cap-drop cpus device dns e entrypoint env env-file expose gpus h hostname "
    "ipc l label log-driver log-opt m memory memory-swap mount name net network p pids-limit "
    "publish pull restart runtime security-opt shm-size stop-timeout tmpfs u ulimit user v volume "
    "w workdir"
)
_RUN_FLAGS = "d detach i interactive t tty rm privileged init P publish-all read-only"


class Processes(Protocol):
    """Who runs in a container, as ``docker top`` wants to know."""

    def rows(self, container_id: str) -> list[tuple[int, int, str]]:
        """Return (process id, seconds since start, command line) of what runs there."""
        ...


class DockerCli:
    """Runs ``docker ...`` against the host's engine, in docker's words."""

    def __init__(self, engine: DockerEngine, processes: Processes) -> None:
        self._engine = engine
        self._processes = processes
        self._commands: dict[str, Callable[[Call, Sequence[str]], Awaitable[int]]] = {
            "run": self._run,
            "exec": self._exec,
            "stop": self._stop,
            "kill": self._kill,
            "rm": self._rm,
            "inspect": self._inspect,
            "image": self._image,
            "images": self._images,
            "ps": self._ps,
            "logs": self._logs,
            "top": self._top,
            "login": self._login,
            "version": self._version,
            "info": self._info,
        }

    async def __call__(self, call: Call) -> int:
        """Run one call and return its exit code."""
        words = call.argv[1:] if call.argv[:1] == ("container",) else call.argv
        if words[:1] == ("ls",):
            words = ("ps", *words[1:])
        if words[:1] in {("--version",), ("-v",)}:
            await call.out("Docker version 28.5.1, build e180ab8\n")
            return 0
        command = self._commands.get(words[0]) if words else None
        if command is None:
            name = words[0] if words else ""
            await call.err(
                f"docker: unknown command: docker {name}\n\nRun 'docker --help' for more "
                "information\n"
            )
            return 1
        try:
            return await command(call, words[1:])
        except DockerError as error:
            await call.err(error.text + "\n")
            return error.code

    async def _run(self, call: Call, words: Sequence[str]) -> int:
        options = read_options("run", words, takes=_RUN_TAKES, flags=_RUN_FLAGS)
        if not options.rest:
            raise DockerError("docker: 'docker run' requires at least 1 argument", 125)
        image, *command = options.rest
        spec = ContainerSpec(
            image=image,
            name=options.last("name") or f"nameless_{len(self._engine.containers)}",
            command=tuple(command),
            env=tuple(_from_caller(call, options.all("e", "env"))),
            volumes=tuple(_two_parts(item) for item in options.all("v", "volume")),
            network=options.last("network", "net", default="bridge"),
            restart=options.last("restart", default="no"),
            auto_remove=options.has("rm"),
            privileged=options.has("privileged"),
        )
        if options.has("d", "detach"):
            container = await self._engine.run(spec)
            await call.out(container.id + "\n")
            return 0
        if self._engine.image(image) is None:
            await self._engine.run(spec)
        passing = Container("f" * 64, spec, self._engine.image(image) or "")
        program, arguments = self._engine.command(passing, spec.command)
        await call.become((program, *arguments), self._engine.environment(passing), "/")
        return 0

    async def _exec(self, call: Call, words: Sequence[str]) -> int:
        options = read_options(
            "exec", words, takes="e env u user w workdir", flags="d detach i interactive t tty "
            "privileged",
        )  # fmt: skip
        if len(options.rest) < 2:
            raise DockerError("docker: 'docker exec' requires at least 2 arguments", 1)
        name, *command = options.rest
        container = self._running(name)
        env = tuple(_from_caller(call, options.all("e", "env")))
        if options.has("d", "detach"):
            container.detached.append((tuple(command), env))
            await self._engine.spawn(container, tuple(command), env)
            self._engine.save()
            return 0
        program, arguments = self._engine.command(container, tuple(command))
        await call.become((program, *arguments), self._engine.environment(container, env), "/")
        return 0

    def _running(self, name: str) -> Container:
        container = self._engine.need(name)
        if not container.running:
            raise DockerError(
                f"Error response from daemon: container {container.id} is not running"
            )
        return container

    async def _stop(self, call: Call, words: Sequence[str]) -> int:
        options = read_options("stop", words, takes="t time timeout s signal", flags="",
                               interspersed=True)  # fmt: skip
        patience = options.last("t", "time", "timeout")
        code = 0
        for name in options.rest:
            try:
                container = self._engine.need(name)
            except DockerError as error:
                await call.err(error.text + "\n")
                code = 1
                continue
            await self._engine.stop(container, float(patience) + 0.2 if patience else STOP_SECONDS)
            await call.out(name + "\n")
        return code

    async def _kill(self, call: Call, words: Sequence[str]) -> int:
        options = read_options("kill", words, takes="s signal", flags="", interspersed=True)
        for name in options.rest:
            container = self._engine.find(name)
            if container is None or not container.running:
                raise DockerError(
                    f"Error response from daemon: Cannot kill container: {name}: "
                    f"No such container: {name}"
                )
            self._engine.kill(container)
            await call.out(name + "\n")
        return 0

    async def _rm(self, call: Call, words: Sequence[str]) -> int:
        options = read_options("rm", words, takes="", flags="f force v volumes", interspersed=True)
        for name in options.rest:
            container = self._engine.find(name)
            if container is None:
                raise DockerError(f"Error response from daemon: No such container: {name}")
            if container.running:
                if not options.has("f", "force"):
                    raise DockerError(
                        f'Error response from daemon: cannot remove container "/{name}": container '
                        "is running: stop the container before removing or force remove"
                    )
                self._engine.kill(container)
            self._engine.remove(container)
            await call.out(name + "\n")
        return 0

    async def _inspect(self, call: Call, words: Sequence[str]) -> int:
        options = read_options("inspect", words, takes="f format type", flags="s size",
                               interspersed=True)  # fmt: skip
        found, missing = [], []
        for name in options.rest:
            container = self._engine.find(name)
            if container is not None:
                found.append(container.inspection())
            elif options.last("type") != "container" and (image := self._engine.image(name)):
                found.append(_image_inspection(name, image))
            else:
                missing.append(name)
        await _show(call, options, found)
        for name in missing:
            await call.err(f"Error: No such object: {name}\n")
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
                found.append(_image_inspection(name, image))
        await _show(call, options, found)
        for name in missing:
            await call.err(f"Error response from daemon: No such image: {_tagged(name)}\n")
        return 1 if missing else 0

    async def _images(self, call: Call, words: Sequence[str]) -> int:
        options = read_options("images", words, takes="format f filter", flags="q quiet a all",
                               interspersed=True)  # fmt: skip
        rows = [
            {"Repository": tag, "Tag": "latest", "ID": image[:12], "Size": "18.4GB",
             "CreatedSince": "5 weeks ago"}
            for tag, image in self._engine.images.items()
            if not options.rest or tag in options.rest
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
        options = read_options("logs", words, takes="since until n tail",
                               flags="f follow t timestamps details", interspersed=True)  # fmt: skip
        if len(options.rest) != 1:
            raise DockerError("docker: 'docker logs' requires 1 argument")
        container = self._engine.need(options.rest[0])
        log = self._engine.logs.get(container.id)
        if log is None:
            return 0
        try:
            since = parse_since(text) if (text := options.last("since")) else None
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
        container = self._running(words[0])
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

    async def _login(self, call: Call, words: Sequence[str]) -> int:
        options = read_options("login", words, takes="u username p password",
                               flags="password-stdin", interspersed=True)  # fmt: skip
        registry = options.rest[0] if options.rest else "https://index.docker.io/v1/"
        key = (await call.read_all()).decode().strip() if options.has("password-stdin") else ""
        if not key.startswith("nvapi-") and len(key) != 86 + 2:
            raise DockerError(
                f'Error response from daemon: Get "https://{registry}/v2/": unauthorized'
            )
        await call.err(
            "\nWARNING! Your credentials are stored unencrypted in "
            f"'{call.env.get('HOME', '')}/.docker/config.json'.\n"
        )
        await call.out("Login Succeeded\n")
        return 0

    async def _version(self, call: Call, words: Sequence[str]) -> int:
        options = read_options("version", words, takes="f format", flags="", interspersed=True)
        view: dict[str, object] = {"Client": {"Version": "28.5.1"}, "Server": {"Version": "28.5.1"}}
        if template := options.last("f", "format"):
            await call.out(_rendered(template, view) + "\n")
        else:
            await call.out("Client: Docker Engine - Community\n Version: 28.5.1\n\n"
                           "Server: Docker Engine - Community\n Engine:\n  Version: 28.5.1\n")  # fmt: skip
        return 0

    async def _info(self, call: Call, words: Sequence[str]) -> int:
        options = read_options("info", words, takes="f format", flags="", interspersed=True)
        running = sum(c.running for c in self._engine.containers.values())
        view: dict[str, object] = {
            "ServerVersion": "28.5.1", "ContainersRunning": running, "NCPU": 20,
            "Architecture": "aarch64", "DockerRootDir": "/var/lib/docker",
        }  # fmt: skip
        template = options.last("f", "format")
        text = _rendered(template, view) if template else f"Server:\n Running: {running}"
        await call.out(text + "\n")
        return 0


def _from_caller(call: Call, given: Sequence[str]) -> list[str]:
    """Fill in ``-e NAME`` from the caller's environment, as docker does."""
    return [item if "=" in item else f"{item}={call.env.get(item, '')}" for item in given]


def _two_parts(volume: str) -> str:
    source, _, rest = volume.partition(":")
    return f"{source}:{rest.partition(':')[0]}"


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


def _image_inspection(name: str, image: str) -> dict[str, object]:
    return {
        "Id": f"sha256:{image}",
        "RepoTags": [_tagged(name)],
        "RepoDigests": [],
        "Created": "2026-10-14T06:11:09.112233445Z",
        "Architecture": "arm64",
        "Os": "linux",
        "Size": 18_411_223_344,
        "Config": {"Env": [], "Cmd": ["/bin/bash"], "Labels": {}},
    }


def _tagged(name: str) -> str:
    return name if ":" in name.rpartition("/")[2] else f"{name}:latest"


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
