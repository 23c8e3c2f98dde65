"""Reads the log of one load: how far it is, and why it failed."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum, auto

from spark_common.contracts.swaps import Cause
from spark_swapper.loads.blaming import ECHOES
from spark_swapper.loads.failure_signs import AGAIN, KILLED, SIGNS, STALL
from spark_swapper.loads.log_words import (
    ENGINE,
    SERVER,
    Line,
    clean,
    exception_in,
    parsed,
    without_places,
)
from spark_swapper.ports import LogEvent

_MAX_PARTIAL = 65_536
_BREAK = re.compile(r"[\r\n]")

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

_STEPS = {name: number for number, (name, _) in enumerate(_MILESTONES)}


class _Kind(Enum):
    """How much a line proves."""

    SIGN = auto()
    """A known reason."""
    EXCEPTION = auto()
    """An unknown one, which may have been handled: it counts when the end was seen."""
    KILLED = auto()
    CONSEQUENCE = auto()
    """The server's last lines: they only tell that something else went wrong."""


@dataclass(frozen=True)
class _Finding:
    kind: _Kind
    line: Line
    cause: Cause


class LoadLog:
    """Takes the log of one container as it comes. One instance per start of a container.

    An error after which its own process reaches a further step was handled, and is forgotten.
    """

    def __init__(self) -> None:
        self._partial = ""
        self._percent: float | None = None
        self._found: list[_Finding] = []
        self._stall: Cause | None = None
        self._tail: list[str] = []
        self._reached: dict[str, int] = {}
        self._in_traceback: set[str] = set()

    def feed(self, text: str) -> list[LogEvent]:
        """Take the next piece, cut anywhere; return the lines that became complete.

        A carriage return ends a line too: progress bars are written with it.
        """
        *complete, rest = _BREAK.split(self._partial + text)
        # A line without an end must not grow for ever.
        self._partial = rest[-_MAX_PARTIAL:]
        return [self._read(line) for raw in complete if (line := clean(raw))]

    def verdict(self, process_alive: bool) -> Cause | None:
        """Return why the load failed, from the first error of a worker or engine process.

        None while nothing decisive was seen and the process lives; never None without one.
        """
        if not process_alive and (rest := clean(self._partial)):
            self._partial = ""
            self._read(rest)
        sign = self._first(_Kind.SIGN)
        # The last lines of the server; its process may outlive them for a while.
        saw_the_end = self._first(_Kind.KILLED) or self._first(_Kind.CONSEQUENCE)
        if sign is None and saw_the_end is None and process_alive:
            return None
        thrown = self._first(_Kind.EXCEPTION)
        if sign is not None and not self._explains(thrown, sign):
            return sign.cause
        if thrown is not None and thrown.line.writer == ENGINE:
            return thrown.cause
        best = self._first(_Kind.KILLED) or thrown or self._first(_Kind.CONSEQUENCE)
        return best.cause if best is not None else self._stall or self._ended()

    def _first(self, kind: _Kind) -> _Finding | None:
        """Return the first finding of who knows best."""
        found = [finding for finding in self._found if finding.kind is kind]
        return min(found, key=lambda finding: finding.line.writer, default=None)

    def _explains(self, thrown: _Finding | None, sign: _Finding) -> bool:
        """Say whether what an engine threw came before a sign that only follows from it."""
        if thrown is None or thrown.line.writer != ENGINE:
            return False
        follows = sign.line.writer == SERVER or sign.cause.code in ECHOES
        return follows and self._found.index(thrown) < self._found.index(sign)

    def _read(self, text: str) -> LogEvent:
        self._tail = [*self._tail[-5:], text]
        line = parsed(text)
        self._look_for_failure(line)
        percent = None
        if match := _WEIGHTS.search(text):
            done, total = int(match[2]), int(match[3])
            percent = 100.0 * done / total if total else float(match[1])
        milestone = next((name for name, sign in _MILESTONES if sign.search(text)), None)
        if milestone is not None:
            self._goes_on(line, milestone)
        if milestone == "weights_loaded":
            percent = 100.0
        if percent is not None:
            # A draft model is loaded after the model itself and counts from zero again.
            percent = self._percent = max(percent, self._percent or 0.0)
        waiting = STALL.search(text) is not None
        return LogEvent(line=text, percent=percent, waiting=waiting, milestone=milestone)

    def _goes_on(self, line: Line, milestone: str) -> None:
        step = _STEPS[milestone]
        if milestone == "serving":
            self._found.clear()
        elif step > self._reached.get(line.process, -1):
            self._reached[line.process] = step
            self._found = [one for one in self._found if one.line.process != line.process]

    def _look_for_failure(self, line: Line) -> None:
        if stall := STALL.search(line.text):
            self._stall = Cause(
                code="stalled",
                sentence=f"A part of the model did not answer the others for {stall[1]} s.",
                action=AGAIN,
                evidence=[line.text],
            )
            return
        if line.harmless:
            # vLLM quotes errors in warnings, for example which limit might be reached later.
            return
        if line.begins_traceback:
            self._in_traceback.add(line.process)
            return
        ends_traceback = line.process in self._in_traceback
        if ends_traceback and line.is_place:
            # Paths and source code may name any exception.
            return
        self._in_traceback.discard(line.process)
        known = _known(line)
        if known is not None:
            self._keep(*known, line)
        elif thrown := exception_in(line, ends_traceback=ends_traceback):
            self._keep(_Kind.EXCEPTION, _unknown_exception(*thrown, line), line)

    def _keep(self, kind: _Kind, cause: Cause, line: Line) -> None:
        """Remember the first of its kind of every process."""
        known = ((one.kind, one.line.process) for one in self._found)
        if (kind, line.process) not in known:
            self._found.append(_Finding(kind, line, cause))

    def _ended(self) -> Cause:
        return Cause(
            code="ended_silently",
            sentence="The model server ended while loading and did not say why.",
            action="Often memory: choose a smaller model or a lower memory share in its recipe, "
            "then press 'Switch to this' again.",
            evidence=self._tail,
        )


def _known(line: Line) -> tuple[_Kind, Cause] | None:
    """Return what a line means by the table of signs, or None."""
    said = line.said.strip()
    for sign in SIGNS:
        match = sign.pattern.search(said)
        if match is None or not sign.pattern.search(without_places(said)):
            continue
        if sign is KILLED:
            kind = _Kind.KILLED
        else:
            kind = _Kind.CONSEQUENCE if sign.consequence else _Kind.SIGN
        return kind, sign.cause(match, line.text)
    return None


def _unknown_exception(name: str, message: str, line: Line) -> Cause:
    said = (message.strip() or name)[:300].rstrip(".")
    return Cause(
        code="engine_failed",
        sentence=f"The model server failed while loading: {said}.",
        action="Read the lines below; often the recipe or the cluster software needs a change. "
        + AGAIN,
        evidence=[line.text],
    )
