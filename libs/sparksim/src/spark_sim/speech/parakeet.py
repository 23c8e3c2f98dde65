"""The HTTP side of the speech server: one worker, whose handler blocks everything else.

With spark-control's own files in the container it neither blocks nor quotes, and its errors have
the shape of OpenAI's.
"""

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from spark_sim.faults import Behaviour, Faults
from spark_sim.pace import Pace
from spark_sim.speech.forms import read_form
from spark_sim.speech.jobs import DIARIZE, TRANSCRIBE, Models
from spark_sim.speech.process import Process
from spark_sim.speech.records import Note, Records
from spark_sim.speech.switches import DiarizerRoutes, SpeechSwitches, turn_back
from spark_sim.vllm_http.exchange import ClientGoneError, Exchange, Receive, Send

MODEL = "nvidia/parakeet-tdt-0.6b-v3"
_NAMES = ("parakeet-tdt-0.6b-v3", "whisper-1")


class Parakeet:
    """The ASGI application; what was loaded and what is broken is in its ``process``."""

    def __init__(
        self, pace: Pace, note: Note, write_log: Callable[[str], None] = lambda _: None
    ) -> None:
        self.faults = Faults()
        """Of the host."""
        self.switches = SpeechSwitches()
        self.records = Records()
        self.calls: deque[str] = deque(maxlen=1000)
        """Paths that were asked lately, in order."""
        self.problem: str | None = None
        """Why it could not load its models."""
        self.process = Process()
        self.on_death: Callable[[], None] = lambda: None
        """Called when the process ended by itself: somebody has to start another one."""
        self._models = Models(
            lambda: self.faults, self.switches, self.records, pace, note, write_log,
            lambda: self.on_death(),
        )  # fmt: skip

    def begin(self, status: str, overlay: Mapping[str, str] | None = None) -> Process:
        """Be another process: what was broken is whole, who waited for the old one is lost."""
        self.process.over.set()
        self.process = Process(status, overlay)
        self.problem = None
        return self.process

    def forget(self) -> None:
        """Turn every switch back and forget what came; what is broken stays broken."""
        turn_back(self.switches)
        self.records.clear()
        self.calls.clear()

    @property
    def own(self) -> bool:
        """Whether it runs spark-control's files."""
        return self.process.overlay is not None

    async def __call__(self, scope: dict[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            return
        exchange = Exchange(scope, receive, send)
        self.calls.append(exchange.path)
        process = self.process
        try:
            if exchange.method == "POST" and exchange.path in self._job_paths():
                await self._work(exchange)
            else:
                await self._tell(exchange)
        except ClientGoneError:
            if process.ended:
                # Its connections end with the process; an answer is not even begun.
                await exchange.until_gone()

    def _job_paths(self) -> tuple[str, ...]:
        routes = DiarizerRoutes.PATCHED if self.own else self.switches.diarizer
        return (TRANSCRIBE, *DIARIZE[routes])

    async def _work(self, exchange: Exchange) -> None:
        process = self.process
        with self._inside(process):
            body = await exchange.body()
            await self._while_busy(exchange)
            async with process.place(exchange, blocks=exchange.path == TRANSCRIBE):
                if process.ended:
                    raise ClientGoneError
                form = read_form(exchange.headers.get("content-type", ""), body)
                # Whoever asked may be gone by now: the work goes on to its end all the same.
                answer = await self._models.answer(process, exchange.path, form, len(body))
            if answer.plain:
                await exchange.reply(str(answer.payload).encode(), "text/plain; charset=utf-8")
            else:
                await exchange.reply_json(answer.payload, answer.status)

    @contextmanager
    def _inside(self, process: Process) -> Iterator[None]:
        process.inside += 1
        self.records.inside(process.inside)
        try:
            yield
        finally:
            process.inside -= 1

    async def _while_busy(self, exchange: Exchange) -> None:
        while self.faults.behaviour is Behaviour.SPEECH_BUSY:
            await exchange.unless_gone(self.faults.changed.wait())

    async def _tell(self, exchange: Exchange) -> None:
        await self._while_busy(exchange)
        await self.process.until_free()
        get = exchange.method in ("GET", "HEAD")
        match exchange.path:
            case "/" if get:
                await exchange.reply_json({"service": "parakeet-asr", "model": MODEL})
            case "/health" if get:
                said = self._health()
                await exchange.reply_json(said, 503 if said["status"] == "failed" else 200)
            case "/v1/models" if get:
                rows = [{"id": n, "object": "model", "owned_by": "nvidia"} for n in _NAMES]
                await exchange.reply_json({"object": "list", "data": rows})
            case "/openapi.json" if get:
                await exchange.reply_json(self._openapi())
            case _ if self.own:
                error = {"message": "There is nothing at this address.", "param": None,
                         "type": "invalid_request_error", "code": "not_found"}  # fmt: skip
                await exchange.reply_json({"error": error}, 404)
            case _:
                await exchange.reply_json({"detail": "Not Found"}, 404)

    def _openapi(self) -> dict[str, Any]:
        about = {"title": "parakeet-asr", "version": "1.0.0"}
        paths: dict[str, Any] = {"/health": {"get": {}}, "/v1/models": {"get": {}}}
        paths |= {path: {"post": {}} for path in self._job_paths()}
        return {"openapi": "3.1.0", "info": about, "paths": paths}

    def _health(self) -> dict[str, Any]:
        process = self.process
        said: dict[str, Any] = {
            "status": process.status,
            "model": MODEL,
            "device": "cuda",
            "gpu_memory": {"allocated_gb": 4.7, "total_gb": 128.5},
        }
        if process.overlay is not None:
            lost = "CUDA error: an illegal memory access was encountered"
            said |= {
                "status": "failed" if process.wedged else process.status,
                "problem": lost if process.wedged else self.problem,
                "diarizer": {"status": process.status, "problem": None},
                "work": {
                    "running_seconds": 0.0 if process.gpu.locked() else None,
                    "waiting": max(0, process.inside - 1),
                },
                "overlay": dict(process.overlay),
            }
        return said
