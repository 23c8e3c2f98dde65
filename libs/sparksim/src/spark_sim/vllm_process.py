"""One run of ``vllm serve``: the story of a load, and what can go wrong in it."""

import asyncio
import errno
import socket
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from spark_sim import vllm_log as log
from spark_sim.call import Call
from spark_sim.catalogue import SimModel
from spark_sim.faults import Behaviour
from spark_sim.memory import CUDA_TOTAL_GIB
from spark_sim.pace import epoch
from spark_sim.vllm_http.engine import Engine, Served
from spark_sim.vllm_http.server import VllmServer

if TYPE_CHECKING:
    from spark_sim.vllm_runtime import Runtimes

GIB = 1024**3
_RENDEZVOUS_SECONDS = 601.0
_LEAST_RENDEZVOUS_SECONDS = 20.0
"""Of our own time: starting a process here is not faster than elsewhere."""
_CRASH_AFTER_SECONDS = 20.0
_OVERHEAD_GIB = 6.0
_CORE = "/usr/local/lib/python3.12/dist-packages/vllm/v1/engine/core.py"


class LoadFailedError(Exception):
    """The process is over; everything worth saying is in the log."""

    def __init__(self, cause: str, code: int = 1) -> None:
        super().__init__(cause)
        self.cause = cause
        self.code = code


class VllmProcess:
    """A server process: rank 0 listens, the other ranks only hold memory."""

    def __init__(
        self, owner: "Runtimes", call: Call, options: Mapping[str, Any],
        given: Mapping[str, Any], argv: tuple[str, ...],
    ) -> None:  # fmt: skip
        self._owner = owner
        self._host = owner.host
        self._call = call
        self._options = options
        self._given = given
        self._argv = argv
        self.pid = call.pid
        self.container_id = call.env.get("SPARK_SIM_CONTAINER", "")
        self.repo: str = options["model"]
        self.port: int = options["port"]
        self.world: int = options["nnodes"] or 1
        self.rank: int = options["node_rank"] or 0
        self.joined = False
        """Whether it has come to the rendezvous of its ranks."""
        self.ready = False
        self.loading = True
        self._resumed = call.env.get("SPARK_SIM_RESUMED") == "1"
        self._born = epoch()
        self._held_gib = 0.0
        self._server: VllmServer | None = None
        self._engine: Engine | None = None
        self._reserved: socket.socket | None = None

    @property
    def generating(self) -> bool:
        """Whether an answer is being generated."""
        return self._engine is not None and self._engine.running > 0

    def rows(self) -> list[tuple[int, int, str]]:
        """Return (process id, seconds, command) of server and engine."""
        seconds = int(epoch() - self._born)
        command = "/usr/bin/python3 /usr/local/bin/vllm " + " ".join(self._argv_of_serve())
        rows = [(self.pid, seconds, command)]
        if self._held_gib:
            rows.append((self.pid + 1, seconds, "VLLM::EngineCore"))
        return rows

    def gpu_app(self) -> tuple[int, str, int] | None:
        """Return (process id, name, MiB) for the GPU's list, once it holds memory."""
        if not self._held_gib:
            return None
        return self.pid + 1, "VLLM::EngineCore", int(self._held_gib * 1024)

    async def run(self) -> int:
        """Load, serve, die; returns the exit code. Cancelled when the process is killed."""
        kind = "runtime_resumed" if self._resumed else "runtime_launched"
        self._note(kind, argv=list(self._argv_of_serve()), rank=self.rank)
        try:
            await self._load()
            return await self._serve()
        except LoadFailedError as failure:
            self._note("runtime_died", cause=failure.cause, repo=self.repo)
            return failure.code
        except asyncio.CancelledError:
            self._note("runtime_died", cause="killed", repo=self.repo)
            raise

    async def close(self) -> None:
        """Let go of port, connections and memory, also when cancelled meanwhile."""
        server, self._server = self._server, None
        if self._reserved is not None:
            self._reserved.close()
            self._reserved = None
        if self._held_gib:
            self._held_gib = 0.0
            self._host.memory.release(self.pid)
        if server is not None:
            await server.stop()

    async def go_dark(self) -> None:
        """Stop listening for as long as the host is away."""
        if self._server is not None:
            await self._server.stop()

    async def come_back(self) -> None:
        """Listen again."""
        if self._server is not None and self.ready:
            await self._server.start(self._bind())

    def _argv_of_serve(self) -> tuple[str, ...]:
        return ("serve", *self._argv)

    def _note(self, kind: str, **details: object) -> None:
        self._owner.journal.add(self._host.name, kind, container=self.container_id[:12], **details)

    async def _say(self, lines: Iterable[str], seconds: float = 0.0) -> None:
        """Write lines; the time is spread over them."""
        rows = list(lines)
        for row in rows:
            await self._call.out(row)
            if seconds and not self._resumed:
                await self._host.pace.sleep(seconds / len(rows))

    async def _load(self) -> None:
        flaky = self._host.faults.load_fails()
        await self._say(log.first_lines(self.pid, self.repo, self._given), 1)
        if self.rank == 0:
            await self._reserve()
        model = await self._find_model()
        context = self._options["max_model_len"] or model.context_length
        if context < 0:
            context = model.context_length
        await self._say(log.config_lines(self.pid, model, context), 2)
        head = self._options["master_addr"] if self.world > 1 else "127.0.0.1"
        await self._say(log.engine_lines(self.pid + 1, model, self.world, self.rank, head), 6)
        await self._rendezvous()
        await self._check_memory()
        await self._weights(model, flaky)
        await self._engine_init(model, context)
        self._owner.compiled.add(self.repo)
        self._make_engine(model, context)

    async def _reserve(self) -> None:
        try:
            self._reserved = self._bind()
        except OSError as error:
            number = 98 if error.errno == errno.EADDRINUSE else error.errno
            await self._call.out(
                f"(APIServer pid={self.pid}) OSError: [Errno {number}] Address already in use\n"
            )
            raise LoadFailedError("port") from error

    def _bind(self) -> socket.socket:
        """Bind without listening: connections are refused until the engine is ready."""
        for other in self._owner.live:
            if other is not self and other.rank == 0 and other.port == self.port:
                raise OSError(errno.EADDRINUSE, "Address already in use")
        listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((self._host.address, self.port))
        except OSError:
            listener.close()
            raise
        listener.setblocking(False)
        return listener

    async def _find_model(self) -> SimModel:
        model = self._owner.model(self.repo)
        if model is None:
            await self._call.out(
                f"(APIServer pid={self.pid}) OSError: {self.repo} is not a local folder and is not "
                "a valid model identifier listed on 'https://huggingface.co/models'\n"
            )
            raise LoadFailedError("model not found")
        return model

    async def _rendezvous(self) -> None:
        if self.world == 1:
            return
        self.joined = True
        patience = max(_LEAST_RENDEZVOUS_SECONDS, self._host.pace.real(_RENDEZVOUS_SECONDS))
        deadline = epoch() + patience
        while not self._others_joined():
            if epoch() >= deadline:
                await self._fail(
                    "torch.distributed.DistStoreError: Timed out after 601 seconds waiting for "
                    f"clients. 1/{self.world} clients joined.", "rendezvous",
                )  # fmt: skip
            await self._host.pace.sleep(1)

    def _others_joined(self) -> bool:
        ranks = {self.rank}
        for peer in self._owner.peers:
            ranks.update(p.rank for p in peer.live if p.joined and p.repo == self.repo)
        return len(ranks) >= self.world

    async def _check_memory(self) -> None:
        share: float = self._options["gpu_memory_utilization"]
        free, wanted = self._host.memory.available_gib, share * CUDA_TOTAL_GIB
        if free < wanted:
            await self._fail(
                f"ValueError: Free memory on device cuda:0 ({free:.2f}/{CUDA_TOTAL_GIB} GiB) on "
                "startup is less than desired GPU memory utilization "
                f"({share:g}, {wanted:.2f} GiB). Decrease GPU memory utilization or reduce GPU "
                "memory used by other processes.", "not enough free memory",
            )  # fmt: skip

    async def _weights(self, model: SimModel, flaky: bool) -> None:
        gib = model.size_bytes / GIB / self.world
        seconds = model.load_seconds * (0.55 if self.repo in self._owner.compiled else 1.0)
        await self._call.out(log.shard_line(0, model.shards, 0.0))
        for done in range(1, model.shards + 1):
            if not self._resumed:
                await self._host.pace.sleep(seconds / model.shards)
            share = done / model.shards
            await self._trouble(share, flaky)
            self._hold(gib * share)
            self._host.memory.read_files(gib / model.shards)
            await self._call.out(log.shard_line(done, model.shards, seconds * share))
        await self._say(log.loaded_lines(self.pid + 1, seconds, gib + 0.42))

    async def _trouble(self, share: float, flaky: bool) -> None:
        behaviour = self._host.faults.behaviour
        if share < 0.35 or self._resumed:
            return
        if behaviour is Behaviour.HANG:
            self._note("runtime_hangs", repo=self.repo)
            await asyncio.Event().wait()
        if behaviour is Behaviour.OOM_ON_LOAD and share > 0.6:
            self._note("kernel_oom", repo=self.repo, victim=self.pid + 1)
            await self._say(log.engine_failed_lines(self.pid, {}))
            raise LoadFailedError("killed by the kernel for lack of memory")
        if flaky:
            await self._fail(
                "torch.AcceleratorError: CUDA error: an illegal memory access was encountered",
                "CUDA error",
            )

    async def _engine_init(self, model: SimModel, context: int) -> None:
        pid = self.pid + 1
        warm = self.repo in self._owner.compiled
        took = 2.18 if warm else 21.4
        await self._say(log.compile_lines(pid, warm, took), took)
        total = self._options["gpu_memory_utilization"] * CUDA_TOTAL_GIB
        left = total - model.size_bytes / GIB / self.world - _OVERHEAD_GIB
        if left <= 0:
            await self._fail(
                "ValueError: No available memory for the cache blocks. Try increasing "
                "`gpu_memory_utilization` when initializing the engine.", "no memory for the cache",
            )  # fmt: skip
        tokens = int(left * 16_384)
        self._hold(total)
        await self._say(log.cache_lines(pid, left, tokens, context), 1)
        for done in range(0, 52, 17):
            await self._say([log.graph_lines(done, 51)], 2)
        await self._say(["\n", *log.engine_ready_lines(pid, took + 9.4, took)], 1)

    def _hold(self, gib: float) -> None:
        self._held_gib = gib
        self._host.memory.hold(self.pid, gib)

    async def _fail(self, error: str, cause: str) -> None:
        await self._say(log.traceback_lines("EngineCore", self.pid + 1, error, _CORE))
        await self._say(log.engine_failed_lines(self.pid, {"EngineCore": 1}))
        raise LoadFailedError(cause)

    def _make_engine(self, model: SimModel, context: int) -> None:
        names = self._options["served_model_name"] or [self.repo]
        served = Served(
            names=tuple(names),
            root=self.repo,
            context_length=context,
            thinks=model.reasoning and bool(self._options["reasoning_parser"]),
            image=model.vision,
            api_key=self._options["api_key"],
            force_usage=bool(self._options["enable_force_include_usage"]),
            pooling=self._options["runner"] == "pooling",
        )
        self._engine = Engine(
            served,
            tokens_per_second=self._owner.config.tokens_per_second,
            drag=lambda: self._host.pace.drag,
            note=lambda kind, **details: self._note(kind, **details),
            wedges=lambda: self._host.faults.behaviour is Behaviour.CUDA_WEDGE,
            babbles=lambda: self._host.faults.behaviour is Behaviour.GIBBERISH,
        )

    async def _serve(self) -> int:
        self.loading = False
        if self.rank != 0 or self._engine is None:
            await asyncio.Event().wait()
        if self._engine is None or self._reserved is None:
            raise LoadFailedError("nothing to serve")
        self._server = VllmServer(self._engine, self._call.err)
        listener, self._reserved = self._reserved, None
        self.ready = True
        if self._host.reachable:
            await self._server.start(listener)
        else:
            listener.close()
        await self._say(log.serving_lines(self.pid, "0.0.0.0", self.port))
        self._note("runtime_ready", repo=self.repo, served=list(self._engine.served.names))
        watching = asyncio.create_task(self._watch_for_crash())
        alone = asyncio.create_task(self._watch_the_other_ranks())
        dying = asyncio.create_task(self._engine.died.wait())
        try:
            ends = {watching, alone}
            await asyncio.wait({*ends, dying}, return_when=asyncio.FIRST_COMPLETED)
            if not watching.done() and not alone.done():
                await self._say_engine_dead()
                await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (watching, alone, dying):
                task.cancel()
        await self._say_engine_dead()
        raise LoadFailedError("crashed after it was ready")

    async def _watch_for_crash(self) -> None:
        while True:
            faults = self._host.faults
            changed = faults.changed
            if faults.behaviour is Behaviour.CRASH_LOOP:
                await self._host.pace.sleep(_CRASH_AFTER_SECONDS)
                return
            await changed.wait()

    async def _watch_the_other_ranks(self) -> None:
        """Return when a rank on another host is gone: NCCL then ends the whole group."""
        while self.world == 1 or self._others_joined():
            await self._host.pace.sleep(5)

    async def _say_engine_dead(self) -> None:
        text = "EngineCore encountered a fatal error."
        rows = [
            log.line("EngineCore", self.pid + 1, text, where="core.py:1195", level="ERROR"),
            log.line("EngineCore", self.pid + 1, "torch.AcceleratorError: CUDA error: unknown "
                     "error (cudaErrorUnknown)", where="core.py:1195", level="ERROR"),
            log.line("APIServer", self.pid, "AsyncLLM output_handler failed. "
                     "vllm.v1.engine.exceptions.EngineDeadError: EngineCore encountered an issue. "
                     "See stack trace (above) for the root cause.", where="async_llm.py:770",
                     level="ERROR"),
        ]  # fmt: skip
        await self._say(rows)
