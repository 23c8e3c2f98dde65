"""How far a load is, in a percentage and a sentence, from the log of its head. Pure."""

from collections.abc import Iterable

from spark_swapper.launching.candidate import Candidate
from spark_swapper.ports import LogEvent

_SAYING = {
    "starting": "vLLM is starting",
    "config": "Reading the model's configuration",
    "distributed": "Connecting the Sparks to each other",
    "weights": "Loading the weights",
    "weights_loaded": "The weights are loaded; preparing the engine",
    "compile": "Compiling for this GPU",
    "kv_cache": "Reserving memory for conversations",
    "autotune": "Tuning for this GPU",
    "graphs": "Recording CUDA graphs",
    "engine": "The engine is ready; opening the door",
    "serving": "The server is up",
}


class LoadView:
    """What the head's log says about how far the load is."""

    def __init__(self, candidate: Candidate, now: float) -> None:
        self._name = candidate.name
        self._milestone: str | None = None
        self.percent: float | None = None
        self.weights_since = now

    def take(self, events: Iterable[LogEvent], now: float) -> None:
        """Take the new lines of the head."""
        for event in events:
            if event.percent is not None:
                self.weights_since = now if self.percent is None else self.weights_since
                self.percent = event.percent
            self._milestone = event.milestone or self._milestone

    def message(self) -> str:
        """Return the sentence for people."""
        if self.percent is not None and self.percent < 100:
            return f"Loading the weights of {self._name}."
        saying = _SAYING.get(self._milestone or "")
        return f"{saying}." if saying else f"Loading {self._name}."
