"""Whether unknown names are looked for, by whom, and what is said about it."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from spark_common.errors import UnavailableError
from spark_redaction.desk.counts import SOUGHT
from spark_redaction.desk.questions import ScrubQuestion
from spark_redaction.unknown.ports import Found, Name, NameFinder

Coverage = Literal["off", "unavailable", "partial", "full"]
Wanted = Literal["by_profile", "best_effort", "required"]

NOT_SOUGHT: Final = "names that are in no list of entities were not looked for"
_PARTLY: Final = "names that are in no list of entities were looked for in a part of the text only"
_LESS: Final = "one of those who look for names did not read the whole text: see coverage.readers"
_NO_MODEL: Final = "no model looks for names here; ask with ner off or best_effort"
_NOT_WHOLE: Final = (
    "the model did not read the whole text, so nothing is returned; send less at once, or ask "
    "with ner best_effort"
)
_BEST_FIRST: Final[tuple[Coverage, ...]] = ("full", "partial", "unavailable")


@dataclass(frozen=True)
class Sought:
    """What is added to the scrub, and what its answer says."""

    coverage: Coverage
    names: tuple[Name, ...] = field(default=(), repr=False)
    warnings: tuple[str, ...] = ()
    readers: Mapping[str, Coverage] = field(default_factory=dict)
    """How far each of those who could look did."""


@dataclass(frozen=True)
class _Look:
    """What one finder came to; ``present``: somebody was there to read, ``model`` who."""

    coverage: Coverage
    present: bool = False
    names: tuple[Name, ...] = field(default=(), repr=False)
    model: str | None = None
    error: UnavailableError | None = None


async def seek(
    finders: Mapping[str, NameFinder],
    tenant: str,
    question: ScrubQuestion,
    text: Callable[[], Awaitable[str]],
) -> Sought:
    """Look as the question or its profile wants it; raises UnavailableError where that is a must.

    With the profile crm it is a must as soon as anybody who can read is there, and a must is one
    for all who are there. ``text`` is asked for only where somebody reads it.
    """
    if question.ner == "off" or (question.ner is None and question.profile != "crm"):
        return Sought("off", readers=dict.fromkeys(finders, "off"))
    looks = dict(zip(finders, await asyncio.gather(*map(_who, finders.values())), strict=True))
    try:
        _require(looks.values(), question.ner or "by_profile")
        there = [name for name, look in looks.items() if look.model is not None]
        whole = await text() if there else ""
        strict = question.profile == "strict"
        found = await asyncio.gather(
            *(
                finders[each].find(looks[each].model or "", tenant, whole, strict=strict)
                for each in there
            )
        )
        looks |= {
            name: _Look(_coverage(each), True, each.names)
            for name, each in zip(there, found, strict=True)
        }
        _require(looks.values(), question.ner or "by_profile")
    except UnavailableError:
        SOUGHT.labels("refused").inc()
        raise
    sought = _told(looks)
    SOUGHT.labels(sought.coverage).inc()
    return sought


async def _who(finder: NameFinder) -> _Look:
    """Ask who would read, before anything is read."""
    if not finder.is_set_up():
        return _Look("off")
    try:
        model = await finder.model()
    except UnavailableError as error:
        return _Look("unavailable", present=True, error=error)
    return _Look("full" if model else "unavailable", present=model is not None, model=model)


def _require(looks: Iterable[_Look], wanted: Wanted) -> None:
    """Raise where a must was not kept by somebody who is there."""
    if wanted == "best_effort":
        return
    present = [look for look in looks if look.present]
    if wanted == "required" and not present:
        raise UnavailableError(_NO_MODEL)
    for look in present:
        if look.error is not None:
            raise look.error
        if look.coverage != "full":
            raise UnavailableError(_NOT_WHOLE)


def _coverage(found: Found) -> Coverage:
    if found.read >= found.parts:
        return "full"
    return "partial" if found.read else "unavailable"


def _told(looks: Mapping[str, _Look]) -> Sought:
    """Say what came of it all: the best that anybody did, and what each did."""
    reached = {look.coverage for look in looks.values()}
    best: Coverage = next((each for each in _BEST_FIRST if each in reached), "unavailable")
    names: dict[str, Name] = {}
    for look in looks.values():
        for name in look.names:
            names.setdefault(name.text, name)
    readers = {name: look.coverage for name, look in looks.items()}
    return Sought(best, tuple(names.values()), _warnings(best, looks), readers)


def _warnings(best: Coverage, looks: Mapping[str, _Look]) -> tuple[str, ...]:
    if best == "unavailable":
        return (NOT_SOUGHT,)
    if best == "partial":
        return (_PARTLY,)
    # That no model is loaded is nothing unusual; that a server somebody set up is away is.
    less = any(
        look.coverage not in ("full", "off") and (look.present or name != "model")
        for name, look in looks.items()
    )
    return (_LESS,) if less else ()
