"""What the speech container is like and what is wrong with it; a test or the owner turns them."""

from dataclasses import dataclass, field
from enum import StrEnum


class WordTimes(StrEnum):
    """Where a transcript has its times: images differ."""

    WORD_SEGMENTS = "word_segments"
    """Every segment is one word."""
    WORDS = "words"
    """A list of words beside the segments."""
    SEGMENTS = "segments"
    """Sentences only."""
    NONE = "none"
    """A text without any: its NeMo calls them otherwise."""


class DiarizerRoutes(StrEnum):
    """How the image is asked who speaks."""

    PATCHED = "patched"
    """``/v1/audio/diarize`` and ``/v1/audio/diarize-chunk``."""
    PUBLIC = "public"
    """``/v1/audio/diarizations``."""
    NONE = "none"


class OtherSound(StrEnum):
    """What becomes of uploads that are neither WAV nor FLAC."""

    TAKEN = "taken"
    REFUSED = "refused"
    WEDGES = "wedges"


@dataclass
class SpeechSwitches:
    """All is well by default."""

    word_times: WordTimes = WordTimes.WORD_SEGMENTS
    leading_spaces: bool = False
    """Whether words begin with a blank."""
    loses_weaker: bool = False
    """Whether of two words at once the quieter one is missed."""
    diarizer: DiarizerRoutes = DiarizerRoutes.PATCHED
    confidences: bool = True
    """Whether turns of speakers have one."""
    shuffled: bool = False
    """Whether turns come in any order, and not grouped by speaker."""
    other_sound: OtherSound = OtherSound.TAKEN
    max_upload_mb: float = 200.0
    max_segment_seconds: float = 1200.0
    """Of one run of the model: a longer recording is cut there, through whatever is said."""
    diarize_oom_seconds: float = 720.0
    """From how long a recording on the diarizer runs out of memory."""
    wedge_next: bool = False
    """The next job breaks the GPU, which stays broken until the container is another one."""
    dies_next: bool = False
    """The next job ends the process: its connections are cut, and docker starts another one."""
    error_next: int = 0
    """So many jobs fail with a bare 500, and nothing is broken."""
    poison_words: set[str] = field(default_factory=set)
    """A recording in which one of them is said breaks the GPU."""
    poison_hashes: set[str] = field(default_factory=set)
    """A recording with one of these SHA-256 of its samples (16 kHz, mono, 16 bit) does."""
    race: bool = False
    """Whether the diarizer fails while anything else is computed beside it."""


def turn(switches: object, changes: dict[str, object]) -> None:
    """Change switches by name, as they come in JSON. Raises ValueError and changes nothing."""
    wanted: dict[str, object] = {}
    for name, value in changes.items():
        before = getattr(switches, name, None)
        if before is None:
            raise ValueError(f"no switch {name!r}")
        kind = type(before)
        if kind is set and isinstance(value, list | set | tuple):
            wanted[name] = {str(item) for item in value}
        elif kind is bool and isinstance(value, bool):
            wanted[name] = value
        elif kind in (int, float) and isinstance(value, int | float):
            wanted[name] = kind(value)
        elif isinstance(before, StrEnum):
            wanted[name] = type(before)(str(value))
        else:
            raise ValueError(f"{name} is not {value!r}")
    for name, value in wanted.items():
        setattr(switches, name, value)


def told(switches: object) -> dict[str, object]:
    """Return switches as JSON has them."""
    return {
        name: sorted(value) if isinstance(value, set) else value
        for name, value in vars(switches).items()
    }


def turn_back(switches: object) -> None:
    """Turn every switch to where it is by default."""
    turn(switches, told(type(switches)()))
