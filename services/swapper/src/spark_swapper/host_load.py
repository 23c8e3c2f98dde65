"""What is known of a load on one host, from one look to the next."""

import codecs
from collections import deque
from collections.abc import Sequence

from spark_common.clock import Clock
from spark_common.contracts.swaps import Cause
from spark_common.errors import HostKeyChangedError, SparkError
from spark_swapper import causes
from spark_swapper.guarding.watchdog import HostLook
from spark_swapper.launcher_signs import launcher_cause
from spark_swapper.ports import LoadReader, LogEvent
from spark_swapper.runtime import Glance, Order, Runtime

_CONFIRM = 2
"""Looks in a row that must agree on the worst: docker top has gaps, a traceback takes a moment."""
_CONFIRM_UNEXPLAINED = _CONFIRM + 2
"""A death without a word waits longer: another host's log may hold the reason."""
LOOKS_TO_BE_SURE = _CONFIRM_UNEXPLAINED + 2
"""Looks after which a dead runtime is known to be dead, its log being read to the end."""


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
        self.spoke = False
        """Whether the last look brought log, or could not tell."""
        self._runtime = runtime
        self._reader = reader
        self._clock = clock
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._offset = 0
        self._seen: Glance | None = None
        self._answer: Glance | None = None
        """Of the latest look; None when the host was silent. Also when docker was."""
        self._alive_once = False
        self._appear_seconds = appear_seconds
        self._empty_since: float | None = None
        self._dead_looks = 0
        self._decisive_looks = 0
        self._silent_since: float | None = None
        self._silence = ""

    async def look(self, order: Order) -> Sequence[LogEvent]:
        """Look once; return the log lines that became complete.

        A host that does not answer is only noted. Raises HostKeyChangedError.
        """
        try:
            glance = await self._runtime.glance(order, self.host, self._offset)
        except HostKeyChangedError:
            raise
        except SparkError as error:
            self._answer = None
            return self._unanswered("SSH", error.message)
        self._answer = glance
        if glance.container == "unclear":
            return self._unanswered("docker", glance.detail)
        self._silent_since = None
        self._seen = glance
        self._offset += len(glance.log)
        self.spoke = bool(glance.log)
        events = self._reader.feed(self._decoder.decode(glance.log))
        self.last_lines.extend(event.line for event in events)
        self._count(glance)
        return events

    def silence(self) -> tuple[str, float] | None:
        """Return what does not answer and for how many seconds, or None."""
        if self._silent_since is None:
            return None
        return self._silence, self._clock.monotonic() - self._silent_since

    def host_look(self) -> HostLook:
        """Return what the latest look means for the watch over the memory."""
        silence = self.silence()
        silent_seconds = silence[1] if silence is not None and silence[0] == "SSH" else 0.0
        return HostLook(self.host, self._answer, silent_seconds)

    def cause(self, name: str) -> Cause | None:
        """Return why the load failed on this host, or None while it may still succeed.

        With several Sparks the sentence names this one: people have to know which to restart.
        """
        found = self._cause(name)
        if found is None or len(self._runtime.hosts) == 1 or self.label in found.sentence:
            return found
        return found.model_copy(update={"sentence": f"{self.label}: {found.sentence}"})

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
        if not self._alive_once and not self.last_lines:
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
        # On the head the launcher says when it is done; a worker's container may come later.
        expected = self._alive_once or (self.head and glance.launcher == "ended")
        dead = expected and not alive and not glance.log
        self._dead_looks = self._dead_looks + 1 if dead else 0
        if not dead:
            self._empty_since = None
        elif self._empty_since is None:
            self._empty_since = self._clock.monotonic()
        if self._reader.verdict(process_alive=True) is not None and not glance.log:
            self._decisive_looks += 1

    def _unanswered(self, what: str, why: str) -> Sequence[LogEvent]:
        if self._silent_since is None:
            self._silent_since = self._clock.monotonic()
        self._silence = what
        self.last_lines.extend(() if what == "SSH" else (f"{what}: {why}",))
        self.spoke = True
        return ()
