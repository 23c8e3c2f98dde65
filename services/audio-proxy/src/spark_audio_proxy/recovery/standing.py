"""How the speech server stands, and how each thing that is learned changes that. Pure.

``ready`` answers work. ``suspect`` failed at a job and is being looked at. ``recovering`` is stuck
or loads its model; the health service restarts it. ``down`` takes no connections. That it is busy
is no state here: silence on an open connection proves nothing.
"""

from dataclasses import dataclass
from typing import Final, Literal, TypeAlias, assert_never

from pydantic import BaseModel, ConfigDict

State: TypeAlias = Literal["ready", "suspect", "recovering", "down"]
Trouble: TypeAlias = Literal["wedge", "broke_off", "error", "late", "loading", "refused"]
"""``wedge``: its own words name the GPU. ``broke_off``: the connection ended during a job.
``error``: any other 5xx. ``late``: no answer in time. ``refused``: nobody listens."""
DeepState: TypeAlias = Literal[
    "ok", "idle", "busy", "loading", "failing", "wedged", "down", "skipped"
]
Word: TypeAlias = Literal["ready", "loading", "failed", "refused", "silent"]

SUSPECT_SECONDS: Final = 30.0
"""Without any news for this long a suspicion is decided by what was seen."""
TRIAL_SECONDS: Final = 60.0
"""While nobody says that it works again, one call in so much time finds out."""


class Standing(BaseModel):
    """How it stands; what all replicas share. Times in epoch seconds."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    state: State = "ready"
    episode: str = ""
    """Id of the trouble; empty while there is none."""
    trouble: Trouble | None = None
    since: float = 0.0
    culprit: str = ""
    """SHA-256 of the recording at which it began; empty where none is at fault."""
    proven: bool = False
    """It was stuck, and the recording counts as what broke it."""
    away: bool = False
    """It stopped listening or began to load meanwhile: what answers next is another process."""
    tried_at: float = 0.0
    """When the latest trial call was let through."""


@dataclass(frozen=True, slots=True)
class Failed:
    """A call failed."""

    trouble: Trouble
    culprit: str
    episode: str
    """Id for the episode that this begins, if it does."""


@dataclass(frozen=True, slots=True)
class Succeeded:
    """A call that began at this time did its work."""

    began_at: float


@dataclass(frozen=True, slots=True)
class Checked:
    """The health service put real work through it."""

    state: DeepState
    checked_at: float


@dataclass(frozen=True, slots=True)
class Heard:
    """It was asked how it is."""

    word: Word


@dataclass(frozen=True, slots=True)
class Waited:
    """Time passed."""


Fact: TypeAlias = Failed | Succeeded | Checked | Heard | Waited

_READY: Final = Standing()


def advance(now: Standing, fact: Fact, at: float) -> Standing:
    """Return how it stands after a fact; the same object where nothing changed."""
    match fact:
        case Failed():
            return _failed(now, fact, at)
        case Succeeded():
            return _READY if now.state != "ready" and fact.began_at > now.since else now
        case Checked():
            return _checked(now, fact, at)
        case Heard():
            return _heard(now, fact.word, at)
        case Waited():
            return _waited(now, at)
        case _:
            assert_never(fact)


def may_try(now: Standing, at: float) -> Standing | None:
    """Return the standing with a trial call taken, or None while it is too early for one."""
    if now.state != "recovering" or at - max(now.since, now.tried_at) < TRIAL_SECONDS:
        return None
    return _with(now, tried_at=at)


def _with(now: Standing, **changes: object) -> Standing:
    return now.model_copy(update=changes)


def _failed(now: Standing, fact: Failed, at: float) -> Standing:
    new = Standing(episode=fact.episode, trouble=fact.trouble, since=at, culprit=fact.culprit)
    if fact.trouble == "loading":
        return _gone(now, new, "recovering")
    if fact.trouble == "refused":
        return _gone(now, new, "down")
    if now.state == "ready":
        return _with(new, state="suspect")
    if now.state == "suspect" and fact.trouble == "wedge" and now.trouble != "wedge":
        # What failed first may have been its victim: its words are the better evidence.
        return _with(now, trouble="wedge", culprit=fact.culprit)
    return now


def _gone(now: Standing, new: Standing, state: State) -> Standing:
    """It does not listen, or loads: whatever was wrong, it is another process soon."""
    if now.state == "ready" or (now.state == "down" and state == "recovering"):
        return _with(new, state=state, away=True, culprit="")
    if now.state == "suspect":
        return _with(now, state="recovering", away=True, proven=now.trouble == "wedge")
    return now if now.away else _with(now, away=True)


def _checked(now: Standing, fact: Checked, at: float) -> Standing:
    if now.state == "ready" or fact.checked_at <= now.since:
        return now
    match fact.state:
        case "ok" | "idle":
            return _READY
        case "wedged":
            return _stuck(now) if now.state == "suspect" else now
        case "failing":
            return _stuck(now) if now.state == "suspect" and now.trouble == "wedge" else now
        case "loading":
            return _heard(now, "loading", at)
        case "down":
            return _heard(now, "refused", at)
        case "busy" | "skipped":
            doubt = now.state == "suspect" and now.trouble in ("late", "error")
            return _READY if doubt else now
        case _:
            assert_never(fact.state)


def _stuck(now: Standing) -> Standing:
    return _with(now, state="recovering", proven=True)


def _heard(now: Standing, word: Word, at: float) -> Standing:
    match word:
        case "ready":
            another = now.state == "down" or (now.state == "recovering" and now.away)
            return _READY if another else now
        case "loading" | "failed":
            new = Standing(episode=f"loading-{at:.0f}", trouble="loading", since=at)
            return _gone(now, new, "recovering")
        case "refused":
            if now.state in ("ready", "down"):
                return now
            return _gone(now, now, "down")
        case "silent":
            # It took the connection: it listens, and is at work for somebody else.
            return _READY if now.state == "down" else now
        case _:
            assert_never(word)


def _waited(now: Standing, at: float) -> Standing:
    if now.state != "suspect" or at - now.since < SUSPECT_SECONDS:
        return now
    return _stuck(now) if now.trouble == "wedge" else _READY
