"""What the swap path needs of the rest of the world, in the words of swaps."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from spark_common.contracts.models import Menu, RuntimeView, Suggestion, SuggestRecipe
from spark_common.contracts.swaps import Cause
from spark_common.contracts.traffic import Traffic
from spark_swapper.launching.candidate import Candidate


class Shelf(Protocol):
    """The models on the Sparks' disks and the recipes for them."""

    async def find(self, name: str) -> Candidate:
        """Return the model with this key, repository or served name, ready to be started.

        Raises UnknownModelError (``details['near']``), ModelNotReadyError,
        UnavailableError when no host could be looked at.
        """
        ...

    async def menu(self, refresh: bool) -> Menu:
        """Return the whole menu; ``refresh`` looks at the disks again first."""
        ...

    def key_for(self, repo: str) -> str | None:
        """Return the key of the recipe for a repository, without looking at any disk."""
        ...


class Suggests(Protocol):
    """Infers recipes from the files of a model."""

    async def suggest(self, request: SuggestRecipe) -> Suggestion:
        """Return a recipe for a repository on any Spark's disk.

        Raises UnknownModelError (``details['near']``), ModelNotReadyError, UnavailableError.
        """
        ...


@dataclass(frozen=True)
class PreflightResult:
    """What vLLM's own parser says about the arguments, before anything is touched."""

    verdict: Literal["good", "bad", "unknown"]
    """Bad is definitive. Unknown: the check itself could not run, which is no reason to refuse."""
    message: str
    """One plain sentence for the owner."""
    evidence: tuple[str, ...] = ()
    """The decisive lines, at most a handful."""


class Preflight(Protocol):
    """The check of a launch that touches nothing."""

    async def __call__(self, candidate: Candidate, *, deep: bool = False) -> PreflightResult:
        """Check the arguments; never raises for what a Spark does, that is ``unknown``.

        ``deep``: read the model's configuration the way the engine would, too.
        """
        ...


class ClientPath(Protocol):
    """The way clients take to the runtime: through the gateway."""

    async def traffic(self) -> Traffic | None:
        """Return what the gateway has in hand now; None when none answers."""
        ...

    async def first_token(self, served_name: str, *, pooling: bool) -> str | None:
        """Have a token come through the front door; None when it came, else why it did not.

        Takes as long as the runtime does. Raises UnavailableError when no gateway answers.
        """
        ...


@dataclass(frozen=True)
class LogEvent:
    """One line of the runtime's log and what it means for the load."""

    line: str
    """Without carriage returns and line end."""
    percent: float | None = None
    """Share of the weights that is loaded, 0 to 100, when the line says so."""
    milestone: str | None = None
    """Name of the step the line marks (``weights``, ``compile``, ``graphs``, ``serving`` ...)."""
    waiting: bool = False
    """Whether the line only says that a part still waits for another: no sign of progress."""


class LoadReader(Protocol):
    """Reads the log of one load on one host; one instance per container start."""

    def feed(self, text: str) -> Sequence[LogEvent]:
        """Take the next piece of log, cut anywhere; return the lines that became complete."""
        ...

    def verdict(self, process_alive: bool) -> Cause | None:
        """Return why the load failed, from the first error of a worker or engine process.

        None while nothing decisive was seen and the process lives; never None without a process.
        """
        ...


class RuntimeWatch(Protocol):
    """What is loaded, as last seen; the menu asks it instead of looking again."""

    def view(self) -> RuntimeView:
        """Return the last observation without any I/O."""
        ...


class PairTimes(Protocol):
    """How long earlier swaps between two models took."""

    async def usual_pair_seconds(self, previous: str | None, key: str) -> float | None:
        """Return the median of swaps from ``previous`` (None: nothing) to ``key``, in seconds.

        While there was none, of all swaps to it; None before the first. Raises UnavailableError.
        """
        ...


class SwapTimes(Protocol):
    """How long earlier swaps took."""

    async def usual_seconds(self, key: str) -> float | None:
        """Return the median of the latest successful swaps to a model; None before the first."""
        ...
