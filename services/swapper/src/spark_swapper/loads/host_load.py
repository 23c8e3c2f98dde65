"""What is known of a load on one host, from one look to the next."""

import codecs
import math
import re
from collections import deque
from collections.abc import Sequence

from spark_common.clock import Clock
from spark_common.contracts.swaps import Cause
from spark_common.errors import HostKeyChangedError, SparkError
from spark_swapper import causes
from spark_swapper.launching.launcher_signs import launcher_cause
from spark_swapper.loads.post_mortem import WORTH_ASKING, KernelWords, explained
from spark_swapper.loads.silence import READ_BYTES
from spark_swapper.ports import LoadReader, LogEvent
from spark_swapper.runtime import Glance, Order, Runtime

_CONFIRM = 2
"""Looks in a row that must agree on the worst: docker top has gaps, a traceback takes a moment."""
_CONFIRM_UNEXPLAINED = _CONFIRM + 2
"""A death without a word waits longer: another host's log may hold the reason."""
LOOKS_TO_BE_SURE = _CONFIRM_UNEXPLAINED + 2
"""Looks after which a dead runtime is known to be dead, its log being read to the end."""
_REMOTE_RANK = re.compile(r"\([A-Za-z]+ pid=\d+, ip=[^)]+\)")
"""Ray names the address of a part only when it is on another Spark."""


class HostLoad:
    """Reads the log, watches the process, and remembers since when a host is silent."""

    def __init__(
        self,
        runtime: Runtime,
        host: str,
        reader: LoadReader,
        clock: Clock,
        *,
        head: bool,
        appear_seconds: float,
    ) -> None:
        self.host = host
        self.label = runtime.label(host)
        self.head = head
        self.last_lines: deque[str] = deque(maxlen=12)
        self.went_on = False
        """Whether the last look showed that the load goes on, or could not tell."""
        self.milestone: str | None = None
        """The last step that the log marked."""
        self.cores: float | None = None
        """Cores that were busy since the look before; None when nobody counts."""
        self.gpu_percent: int | None = None
        self.answer: Glance | None = None
        """Of the latest look, also when docker was silent; None when the host was."""
        self._looked_at = clock.monotonic()
        self._oom_kills_before: int | None = None
        self._runtime = runtime
        self._reader = reader
        self._clock = clock
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._offset = 0
        self._seen: Glance | None = None
        self._alive_once = False
        self._expected = False
        self._stood_once = False
        """Whether its container was seen to run."""
        self._appear_seconds = appear_seconds
        self._empty_since: float | None = None
        self._dead_looks = 0
        self._decisive_looks = 0
        self._silent_since: float | None = None
        self._silence = ""

    @property
    def alive(self) -> bool:
        """Whether vLLM was seen in its container at the last look."""
        seen = self._seen
        return seen is not None and seen.container == "running" and seen.processes > 0

    @property
    def missing(self) -> bool:
        """Whether there was no container at the last look."""
        return self._seen is not None and self._seen.container == "missing"

    @property
    def launcher_done(self) -> bool:
        """Whether the launch script on this host has ended."""
        return self._seen is not None and self._seen.launcher == "ended"

    @property
    def launcher_output(self) -> str:
        """The end of what the launch script wrote."""
        return self._seen.launcher_output if self._seen is not None else ""

    def expect(self) -> None:
        """From now on vLLM must be there: the launch is over, or it was seen by another worker."""
        self._expected = True

    @property
    def failing(self) -> bool:
        """Whether it looks dead, or does not answer, and nobody knows why yet."""
        return self._dead_looks > 0 or self._silent_since is not None

    async def look(self, order: Order, *, deep: bool = False) -> Sequence[LogEvent]:
        """Look once; return the log lines that became complete.

        A host that does not answer is only noted. Raises HostKeyChangedError.
        """
        try:
            glance = await self._runtime.glance(order, self.host, self._offset, deep=deep)
        except HostKeyChangedError:
            raise
        except SparkError as error:
            self.answer = None
            return self._unanswered("SSH", error.message)
        self.answer = glance
        if glance.container == "unclear":
            return self._unanswered("docker", glance.detail)
        self._silent_since = None
        before, self._seen = self._seen, glance
        self._offset += len(glance.log)
        events = self._reader.feed(self._decoder.decode(glance.log))
        self.last_lines.extend(event.line for event in events)
        # Who wrote of a step was there, even if it came and went between two looks.
        self._alive_once = self._alive_once or any(event.milestone for event in events)
        self._measure(before, glance, events)
        self._count(glance)
        return events

    def _measure(self, before: Glance | None, now: Glance, events: Sequence[LogEvent]) -> None:
        """Compare two looks: was anything said, read or computed in between?"""
        seconds = self._clock.monotonic() - self._looked_at
        self._looked_at = self._clock.monotonic()
        only_waits = bool(events) and all(event.waiting for event in events)
        read = _grown(before.read_bytes if before else None, now.read_bytes)
        self.went_on = (bool(now.log) and not only_waits) or (read or 0) >= READ_BYTES
        computed = _grown(before.cpu_seconds if before else None, now.cpu_seconds)
        self.cores = computed / seconds if computed is not None and seconds > 0 else None
        self.gpu_percent = now.gpu_percent
        self.milestone = next(
            (event.milestone for event in reversed(events) if event.milestone), self.milestone
        )
        if self._oom_kills_before is None:
            self._oom_kills_before = now.oom_kills

    def silence(self) -> tuple[str, float] | None:
        """Return what does not answer and for how many seconds, or None."""
        if self._silent_since is None:
            return None
        return self._silence, self._clock.monotonic() - self._silent_since

    def cause(self, name: str) -> Cause | None:
        """Return why the load failed on this host, or None while it may still succeed.

        With several Sparks the sentence names this one: people have to know which to restart.
        """
        found = self._cause(name)
        return found if found is None else self.named(found)

    async def explained(self, cause: Cause, since_launch: float) -> Cause:
        """Return a cause of this host with what its kernel noted in the seconds since launch."""
        if cause.code not in WORTH_ASKING:
            return cause
        try:
            words = await self._runtime.kernel_words(self.host, math.ceil(since_launch))
        except SparkError:
            words = KernelWords(readable=False)
        return explained(cause, words, label=self.label, oom_kills=self._oom_kills())

    def _oom_kills(self) -> int:
        last = self._seen.oom_kills if self._seen is not None else None
        return (last or 0) - (self._oom_kills_before or 0)

    def named(self, cause: Cause) -> Cause:
        """Return a cause whose sentence says on which Spark, where there are several."""
        labels = [self._runtime.label(host) for host in self._runtime.hosts]
        if len(labels) == 1 or any(label in cause.sentence for label in labels):
            return cause
        label = self.label
        if len(labels) == 2 and any(_REMOTE_RANK.search(line) for line in cause.evidence):
            label = next(other for other in labels if other != self.label)
        return cause.model_copy(update={"sentence": f"{label}: {cause.sentence}"})

    def _cause(self, name: str) -> Cause | None:
        if self._decisive_looks >= _CONFIRM:
            return self._reader.verdict(process_alive=True)
        if self._seen is None or self._dead_looks < _CONFIRM:
            return None
        found = self._reader.verdict(process_alive=True)
        if found is not None:
            return found
        if self._dead_looks < _CONFIRM_UNEXPLAINED:
            return None
        vanished = self._stood_once and self._seen.container == "missing"
        if not self._alive_once and not self.last_lines and not vanished:
            return self._never_began(name, self._seen)
        return self._reader.verdict(process_alive=False) or causes.runtime_died(
            name, self.label, tuple(self.last_lines)
        )

    def _never_began(self, name: str, seen: Glance) -> Cause | None:
        """Nothing of vLLM was ever seen: what the launcher said, once it has had its time."""
        cause = launcher_cause(seen.launcher_output)
        if cause is not None:
            return cause
        if seen.container == "running" and self._empty_seconds() < self._appear_seconds:
            # A busy Spark takes seconds between `docker exec -d` and the first sight of vLLM.
            return None
        return causes.launch_failed(name, self.label, seen.launcher_output)

    def _empty_seconds(self) -> float:
        if self._empty_since is None:
            return 0.0
        return self._clock.monotonic() - self._empty_since

    def _count(self, glance: Glance) -> None:
        alive = glance.container == "running" and glance.processes > 0
        self._alive_once = self._alive_once or alive
        self._stood_once = self._stood_once or glance.container == "running"
        # On the head the launcher says when it is done; a worker's container may come later.
        expected = (
            self._alive_once
            or self._expected
            or (self.head and glance.launcher == "ended")
            or (self._stood_once and glance.container == "missing")
        )
        dead = expected and not alive and not glance.log
        self._dead_looks = self._dead_looks + 1 if dead else 0
        if not dead:
            self._empty_since = None
        elif self._empty_since is None:
            self._empty_since = self._clock.monotonic()
        if self._reader.verdict(process_alive=True) is None:
            self._decisive_looks = 0
        elif not glance.log:
            self._decisive_looks += 1

    def _unanswered(self, what: str, why: str) -> Sequence[LogEvent]:
        if self._silent_since is None:
            self._silent_since = self._clock.monotonic()
        self._silence = what
        self.last_lines.extend(() if what == "SSH" else (f"{what}: {why}",))
        self.went_on, self.cores, self.gpu_percent = True, None, None
        return ()


def _grown(before: float | None, now: float | None) -> float | None:
    """Return by how much a counter grew; None when it is unknown or began anew."""
    if before is None or now is None or now < before:
        return None
    return now - before
