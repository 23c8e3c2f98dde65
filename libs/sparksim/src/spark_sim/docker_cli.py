"""The ``docker`` program of a simulated host."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path

from spark_sim.call import Call
from spark_sim.containers import Container, ContainerSpec
from spark_sim.docker_attach import attach
from spark_sim.docker_engine import STOP_SECONDS, DockerEngine, DockerError
from spark_sim.docker_images import DockerImages
from spark_sim.docker_looks import DockerLooks, Processes
from spark_sim.docker_options import Options, read_options
from spark_sim.docker_registry import DockerRegistry
from spark_sim.docker_volumes import DockerVolumes

_RUN_TAKES = (
    "add-host cap-add cap-drop cpus device dns e entrypoint env env-file expose gpus h hostname "
    "ipc l label log-driver log-opt m memory memory-swap mount name net network p pids-limit "
    "publish pull restart runtime security-opt shm-size stop-timeout tmpfs u ulimit user v volume "
    "w workdir"
)
_RUN_FLAGS = "d detach i interactive t tty rm privileged init P publish-all read-only"

_OF_IMAGES: dict[tuple[str, ...], tuple[str, ...]] = {
    (name,): ("rmi" if name == "rm" else name,) for name in ("pull", "tag", "save", "load", "rm")
}


class DockerCli:
    """Runs ``docker ...`` against the host's engine, in docker's words."""

    def __init__(
        self,
        engine: DockerEngine,
        processes: Processes,
        images: DockerImages,
        registry: DockerRegistry,
        volumes: DockerVolumes,
        others: dict[str, Callable[[Call, Sequence[str]], Awaitable[int]]],
    ) -> None:
        self._engine = engine
        self._volumes = volumes
        self._commands: dict[str, Callable[[Call, Sequence[str]], Awaitable[int]]] = {
            "run": self._run,
            "exec": self._exec,
            "start": self._start,
            "stop": self._stop,
            "kill": self._kill,
            "rm": self._rm,
            "restart": self._restart,
            "volume": volumes.command,
            **DockerLooks(engine, processes).table(),
            **images.table(),
            **registry.table(),
            **others,
        }

    async def __call__(self, call: Call) -> int:
        """Run one call and return its exit code."""
        if call.argv[:1] == ("--config",) and len(call.argv) > 1:
            call.env = {**call.env, "DOCKER_CONFIG": call.argv[1]}
            call.argv = call.argv[2:]
        words = call.argv[1:] if call.argv[:1] == ("container",) else call.argv
        if words[:1] == ("image",) and words[1:2] in _OF_IMAGES:
            words = _OF_IMAGES[words[1:2]] + words[2:]
        if words[:1] == ("ls",):
            words = ("ps", *words[1:])
        if words[:1] in {("--version",), ("-v",)}:
            await call.out(f"Docker version {self._engine.version}, build e180ab8\n")
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
        if entrypoint := options.last("entrypoint"):
            command.insert(0, entrypoint)
        from_file = await _from_files(call, options.all("env-file"))
        spec = ContainerSpec(
            image=image,
            name=options.last("name") or f"nameless_{len(self._engine.containers)}",
            command=tuple(command),
            env=(*from_file, *_from_caller(call, options.all("e", "env"))),
            volumes=tuple(_two_parts(item) for item in options.all("v", "volume")),
            network=options.last("network", "net", default="bridge"),
            restart=options.last("restart", default="no"),
            auto_remove=options.has("rm"),
            privileged=options.has("privileged"),
            ports=options.all("p", "publish"),
            labels=options.all("l", "label"),
        )
        self._need_volumes(spec)
        if options.has("d", "detach"):
            container = await self._engine.run(spec)
            await call.out(container.id + "\n")
            return 0
        if self._engine.image(image) is None:
            await self._engine.run(spec)
        if self._given_away(options, spec):
            return 0
        passing = Container("f" * 64, spec, self._engine.image(image) or "")
        program, arguments = self._engine.command(passing, spec.command)
        return await attach(
            call, self._engine.sandbox, (program, *arguments), self._engine.environment(passing),
            interactive=options.has("i", "interactive"),
        )  # fmt: skip

    def _need_volumes(self, spec: ContainerSpec) -> None:
        for item in spec.volumes:
            if (source := item.partition(":")[0]) and "/" not in source:
                self._volumes.need(source)

    def _given_away(self, options: Options, spec: ContainerSpec) -> bool:
        """Let a container that only changes whose a named volume is do that."""
        first = (options.last("entrypoint"),)
        words = spec.command if spec.command[:1] == first else (*first, *spec.command)
        rest = [word for word in words if word and not word.startswith("-")]
        if len(rest) != 3 or rest[0].rpartition("/")[2] != "chown":
            return False
        if options.last("u", "user").partition(":")[0] not in ("0", "root"):
            raise DockerError(f"chown: changing ownership of '{rest[2]}': Operation not permitted")
        for item in spec.volumes:
            source, _, target = item.partition(":")
            if target == rest[2] and "/" not in source:
                self._volumes.give(source, rest[1])
                return True
        raise DockerError(f"chown: cannot access '{rest[2]}': No such file or directory")

    async def _exec(self, call: Call, words: Sequence[str]) -> int:
        options = read_options(
            "exec", words, takes="e env u user w workdir", flags="d detach i interactive t tty "
            "privileged",
        )  # fmt: skip
        if len(options.rest) < 2:
            raise DockerError("docker: 'docker exec' requires at least 2 arguments", 1)
        name, *command = options.rest
        container = self._engine.running(name)
        env = tuple(_from_caller(call, options.all("e", "env")))
        if options.has("d", "detach"):
            container.detached.append((tuple(command), env))
            await self._engine.spawn(container, tuple(command), env)
            self._engine.save()
            return 0
        program, arguments = self._engine.command(container, tuple(command))
        return await attach(
            call, self._engine.sandbox, (program, *arguments),
            self._engine.environment(container, env), interactive=options.has("i", "interactive"),
        )  # fmt: skip

    async def _start(self, call: Call, words: Sequence[str]) -> int:
        options = read_options("start", words, takes="", flags="", interspersed=True)
        code = 0
        for name in options.rest:
            try:
                container = self._engine.need(name)
            except DockerError as error:
                await call.err(f"{error.text}\nError: failed to start containers: {name}\n")
                code = 1
                continue
            await self._engine.start(container)
            await call.out(name + "\n")
        return code

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

    async def _restart(self, call: Call, words: Sequence[str]) -> int:
        options = read_options("restart", words, takes="t time timeout s signal", flags="",
                               interspersed=True)  # fmt: skip
        patience = options.last("t", "time", "timeout")
        for name in options.rest:
            seconds = float(patience) + 0.2 if patience else STOP_SECONDS
            await self._engine.restart(self._engine.need(name), seconds)
            await call.out(name + "\n")
        return 0

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


def _from_caller(call: Call, given: Sequence[str]) -> list[str]:
    """Fill in ``-e NAME`` from the caller's environment, as docker does."""
    return [item if "=" in item else f"{item}={call.env.get(item, '')}" for item in given]


async def _from_files(call: Call, files: Sequence[str]) -> list[str]:
    """Read ``--env-file``: lines of NAME=VALUE."""
    found: list[str] = []
    for name in files:
        if name == "/dev/stdin":
            text = (await call.read_all()).decode()
        else:
            text = await asyncio.to_thread((Path(call.cwd) / name).read_text)
        found += [line for line in text.splitlines() if "=" in line and not line.startswith("#")]
    return found


def _two_parts(volume: str) -> str:
    source, _, rest = volume.partition(":")
    return f"{source}:{rest.partition(':')[0]}"
