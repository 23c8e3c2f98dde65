"""What goes to a worker process and comes back: plain values, and the ways it may fail."""

from dataclasses import dataclass, field
from typing import Any

from spark_redaction.scrub import Entry
from spark_redaction.scrub.profile import Profile
from spark_redaction.scrub.tokens.grammar import Tolerance

Names = tuple[tuple[str, str, tuple[str, ...], str | None], ...]
"""Type, value, aliases and id of each known entity."""
SetKey = tuple[str, str, int]


class BudgetSpentError(Exception):
    """It took longer than it may."""


class SetNeededError(Exception):
    """This worker does not have the entity set; ask again with its names."""


class LeftOverError(Exception):
    """The self-check found something; the reason has no text of the caller's in it."""


class WorkFailedError(Exception):
    """It broke; only the name of what broke, for the rest may quote the text."""


class UnfitError(Exception):
    """The text is not what its format says."""


@dataclass(frozen=True)
class ScrubWork:
    """One call of scrub."""

    shape: str
    """text, messages or json."""
    body: Any = field(repr=False)
    format: str = "auto"
    profile: Profile = "transcript"
    passthrough: bool = False
    names: Names = field(default=(), repr=False)
    keep: tuple[str, ...] = field(default=(), repr=False)
    set_key: SetKey | None = None
    set_names: Names | None = field(default=None, repr=False)
    entries: tuple[Entry, ...] = field(default=(), repr=False)
    next_numbers: dict[str, int] = field(default_factory=dict)
    budget_seconds: float = 5.0
    unknown: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    """Kind and string of names that nobody listed and a model found."""


@dataclass(frozen=True)
class ScrubDone:
    """What came of it."""

    body: Any = field(repr=False)
    counts: dict[str, int]
    tokens: dict[str, int]
    added: tuple[Entry, ...] = field(repr=False)
    next_numbers: dict[str, int]


@dataclass(frozen=True)
class RehydrateWork:
    """One call of rehydrate."""

    shape: str
    body: Any = field(repr=False)
    format: str = "auto"
    tolerance: Tolerance = "standard"
    expand_in_urls: bool = False
    entries: tuple[Entry, ...] = field(default=(), repr=False)
    budget_seconds: float = 5.0
