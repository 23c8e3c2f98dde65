"""When requests for a model that is not loaded are worth a swap, and for which. Pure.

The loaded model stays for a while after it became ready, and finishes what it is doing within
reason. Those who wait for the same model are served by one swap. Nobody is overtaken for ever: who
has waited longer than the patience goes before everybody who has not, the oldest first.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias


@dataclass(frozen=True, slots=True)
class Rules:
    """What the owner wants. Times in seconds."""

    stay_seconds: float
    """For so long a model stays once it is ready."""
    patience_seconds: float
    """For so long a request waits for the loaded model to finish, or for a larger batch."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Those who wait for one model."""

    model: str
    count: int
    oldest: float
    """Since when the first of them waits."""


@dataclass(frozen=True, slots=True)
class Scene:
    """How things stand. Times on one clock."""

    now: float
    loaded: bool
    """Whether any model is."""
    ready_at: float | None = None
    """Since when; None when nobody knows."""
    answering: int = 0
    """Requests that the loaded model works on."""
    in_line: int = 0
    """Requests that wait for their turn at the loaded model."""
    swapping: bool = False
    """Whether a swap runs, waits, or has been asked for."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A swap to this model is wanted now."""

    model: str


Later: TypeAlias = Literal["nobody waits", "a swap runs", "it stays", "a line", "it answers"]
"""Why no swap is wanted now."""


def stays_until(scene: Scene, rules: Rules) -> float:
    """Return until when the loaded model is not replaced; now when it may be."""
    if not scene.loaded or scene.ready_at is None:
        return scene.now
    return max(scene.now, scene.ready_at + rules.stay_seconds)


def next_swap(scene: Scene, waiting: Sequence[Batch], rules: Rules) -> Ask | Later:
    """Decide which model is to be loaded now, if any."""
    if not waiting:
        return "nobody waits"
    if scene.swapping:
        return "a swap runs"
    if stays_until(scene, rules) > scene.now:
        return "it stays"
    if scene.loaded and scene.in_line:
        return "a line"
    patient_since = scene.now - rules.patience_seconds
    impatient = [batch for batch in waiting if batch.oldest <= patient_since]
    if impatient:
        return Ask(min(impatient, key=lambda batch: (batch.oldest, batch.model)).model)
    if scene.loaded and scene.answering:
        return "it answers"
    return Ask(min(waiting, key=lambda batch: (-batch.count, batch.oldest, batch.model)).model)
