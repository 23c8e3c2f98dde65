"""Reads the log of one load: how far it is, and why it failed."""

import re
from collections.abc import Sequence

from spark_common.contracts.swaps import Cause
from spark_swapper.failure_signs import AGAIN, KILLED, SIGNS, STALL
from spark_swapper.ports import LogEvent

MAX_LINE = 4000
"""Characters of a line that are kept; what fits into an event."""
_MAX_PARTIAL = 65_536

_BREAK = re.compile(r"[\r\n]")
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[\x00-\x08\x0b-\x1f\x7f]")
_PROCESS = re.compile(r"\(((?:[A-Za-z]+)(?:[_-][\w-]+)?) [^)]*?pid=\d+[^)]*\)")
_HARMLESS = re.compile(r"\b(?:DEBUG|INFO|WARNING) \d\d-\d\d \d\d:|^INFO:|^WARNING:")
_PREFIX = re.compile(
    r"^(?:\([^)]*pid=\d+[^)]*\) )*(?:ERROR|CRITICAL) \d\d-\d\d [\d:]+ \[[^\]]+\] ?"
    r"|^(?:\([^)]*pid=\d+[^)]*\) ?)+"
)
_EXCEPTION = re.compile(r"^((?:[A-Za-z_][\w.]*\.)?[A-Z]\w*(?:Error|Exception)): (.+)$")

_WEIGHTS = re.compile(
    r"Loading \S+ (?:checkpoint shards|using \S+ loader):\s+(\d+)% Completed \| (\d+)/(\d+)"
)
_MILESTONES: Sequence[tuple[str, re.Pattern[str]]] = tuple(
    (name, re.compile(pattern))
    for name, pattern in (
        ("starting", r"vLLM (?:API )?server version|non-default args:"),
        ("config", r"Resolved architecture: \S+|Using max model len \d+"),
        ("distributed", r"world_size=|nccl=="),
        ("weights", r"Starting to load model|Loading \S+ (?:checkpoint shards|using \S+ loader):"),
        ("weights_loaded", r"Loading weights took [\d.]+ s|Model loading took [\d.]+ Gi?B"),
        (
            "compile",
            r"Dynamo bytecode transform time|Compiling a graph|Directly load the compiled graph"
            r"|torch\.compile took",
        ),
        ("kv_cache", r"Available KV cache memory: |KV cache size: [\d,]+ tokens"),
        ("autotune", r"\[Autotuner\]: Autotuning process|DeepGEMM warmup"),
        ("graphs", r"Capturing CUDA graphs|Graph capturing finished in \d+"),
        ("engine", r"init engine \(profile, create kv cache, warmup model\) took [\d.]+ s"),
        ("serving", r"Starting vLLM server on \S+|Application startup complete\."),
    )
)

_ENGINE, _UNNAMED, _SERVER = range(3)
"""Who wrote a line: a worker or the engine knows why; the API server only that it failed."""


class LoadLog:
    """Takes the log of one container as it comes. One instance per start of a container."""

    def __init__(self) -> None:
        self._partial = ""
        self._percent: float | None = None
        self._causes: dict[int, Cause] = {}
        self._consequences: dict[int, Cause] = {}
        self._exceptions: dict[int, Cause] = {}
        self._killed: Cause | None = None
        self._stall: Cause | None = None
        self._tail: list[str] = []

    def feed(self, text: str) -> list[LogEvent]:
        """Take the next piece, cut anywhere; return the lines that became complete.

        A carriage return ends a line too: progress bars are written with it.
        """
        *complete, rest = _BREAK.split(self._partial + text)
        # A line without an end must not grow for ever.
        self._partial = rest[-_MAX_PARTIAL:]
        return [self._read(line) for raw in complete if (line := _clean(raw))]

    def verdict(self, process_alive: bool) -> Cause | None:
        """Return why the load failed, from the first error of a worker or engine process.

        None while nothing decisive was seen and the process lives; never None without one.
        """
        if not process_alive and (rest := _clean(self._partial)):
            self._partial = ""
            self._read(rest)
        decisive = _first(self._causes)
        # These lines are the server's last ones; its process may outlive them for a while.
        saw_the_end = self._killed is not None or bool(self._consequences)
        if decisive is not None or (process_alive and not saw_the_end):
            return decisive
        return (
            self._exceptions.get(_ENGINE)
            or self._killed
            or _first(self._exceptions)
            or _first(self._consequences)
            or self._stall
            or self._ended()
        )

    def _read(self, line: str) -> LogEvent:
        self._tail = [*self._tail[-5:], line]
        self._look_for_failure(line)
        percent = None
        if match := _WEIGHTS.search(line):
            done, total = int(match[2]), int(match[3])
            percent = 100.0 * done / total if total else float(match[1])
        milestone = next((name for name, sign in _MILESTONES if sign.search(line)), None)
        if milestone == "weights_loaded":
            percent = 100.0
        if percent is not None:
            # A draft model is loaded after the model itself and counts from zero again.
            percent = self._percent = max(percent, self._percent or 0.0)
        waiting = STALL.search(line) is not None
        return LogEvent(line=line, percent=percent, waiting=waiting, milestone=milestone)

    def _look_for_failure(self, line: str) -> None:
        if stall := STALL.search(line):
            self._stall = Cause(
                code="stalled",
                sentence=f"A part of the model did not answer the others for {stall[1]} s.",
                action=AGAIN,
                evidence=[line],
            )
            return
        if _HARMLESS.search(line):
            # vLLM quotes errors in warnings, for example which limit might be reached later.
            return
        who = _writer(line)
        said = _PREFIX.sub("", line).strip()
        for sign in SIGNS:
            if match := sign.pattern.search(said):
                cause = sign.cause(match, line)
                if sign is KILLED:
                    self._killed = self._killed or cause
                else:
                    (self._consequences if sign.consequence else self._causes).setdefault(
                        who, cause
                    )
                return
        if match := _EXCEPTION.match(said):
            self._exceptions.setdefault(who, _unknown_exception(match, line))

    def _ended(self) -> Cause:
        return Cause(
            code="ended_silently",
            sentence="The model server ended while loading and did not say why.",
            action="Often memory: choose a smaller model or a lower memory share in its recipe, "
            "then press 'Switch to this' again.",
            evidence=self._tail,
        )


def _clean(raw: str) -> str:
    return _CONTROL.sub("", raw).rstrip()[:MAX_LINE]


def _writer(line: str) -> int:
    names = _PROCESS.findall(line)
    if any(re.match(r"(?:Vllm|Ray)?Worker|EngineCore", name) for name in names):
        return _ENGINE
    return _SERVER if any(name.lower().startswith("apiserver") for name in names) else _UNNAMED


def _first(found: dict[int, Cause]) -> Cause | None:
    return found[min(found)] if found else None


def _unknown_exception(match: re.Match[str], line: str) -> Cause:
    return Cause(
        code="engine_failed",
        sentence=f"The model server failed while loading: {match[2].strip()[:300].rstrip('.')}.",
        action="Read the lines below; often the recipe or the cluster software needs a change. "
        + AGAIN,
        evidence=[line],
    )
