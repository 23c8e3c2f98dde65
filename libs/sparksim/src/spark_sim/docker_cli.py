"""The ``docker`` program of a simulated host."""

from collections.abc import Awaitable, Callable, Sequence

from spark_sim.call import Call
from spark_sim.containers import Container, ContainerSpec
from spark_sim.docker_attach import attach
from spark_sim.docker_copy import DockerCopy
from spark_sim.docker_engine import STOP_SECONDS, DockerEngine, DockerError
from spark_sim.docker_images import DockerImages
from spark_sim.docker_looks import DockerLooks, Processes
from spark_sim.docker_options import read_options

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
        self, engine: DockerEngine, processes: Processes, images: DockerImages, copy: DockerCopy
    ) -> None:
        self._engine = engine
        self._commands: dict[str, Callable[[Call, Sequence[str]], Awaitable[int]]] = {
            "run": self._run,
            "exec": self._exec,
            "stop": self._stop,
            "kill": self._kill,
            "rm": self._rm,
            "login": self._login,
            "restart": self._restart,
            **DockerLooks(engine, processes).table(),
            **images.table(),
            **copy.table(),
        }

    async def __call__(self, call: Call) -> int:
        """Run one call and return its exit code."""
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
        return await attach(
            call, self._engine.sandbox, (program, *arguments), self._engine.environment(passing),
            interactive=options.has("i", "interactive"),
        )  # fmt: skip

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


def _from_caller(call: Call, given: Sequence[str]) -> list[str]:
    """Fill in ``-e NAME`` from the caller's environment, as docker does."""
    return [item if "=" in item else f"{item}={call.env.get(item, '')}" for item in given]


def _two_parts(volume: str) -> str:
    source, _, rest = volume.partition(":")
    return f"{source}:{rest.partition(':')[0]}"
