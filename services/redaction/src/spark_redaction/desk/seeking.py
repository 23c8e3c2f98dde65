"""Whether unknown names are looked for, and what is said about it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final, Literal

from spark_common.errors import UnavailableError
from spark_redaction.desk.counts import SOUGHT
from spark_redaction.desk.questions import ScrubQuestion
from spark_redaction.unknown.ports import Found, Name, NameFinder

Coverage = Literal["off", "unavailable", "partial", "full"]

NOT_SOUGHT: Final = "names that are in no list of entities were not looked for"
_PARTLY: Final = "names that are in no list of entities were looked for in a part of the text only"
_NO_MODEL: Final = "no model looks for names here; ask with ner off or best_effort"
_NOT_WHOLE: Final = (
    "the model did not read the whole text, so nothing is returned; send less at once, or ask "
    "with ner best_effort"
)


@dataclass(frozen=True)
class Sought:
    """What is added to the scrub, and what its answer says."""

    coverage: Coverage
    names: tuple[Name, ...] = field(default=(), repr=False)
    warnings: tuple[str, ...] = ()


async def seek(
    finder: NameFinder, tenant: str, question: ScrubQuestion, text: Callable[[], Awaitable[str]]
) -> Sought:
    """Look as the question or its profile wants it; raises UnavailableError where that is a must.

    With the profile crm it is a must as soon as a model is loaded. ``text`` is asked for only then.
    """
    wanted = question.ner or ("by_profile" if question.profile == "crm" else "off")
    if wanted == "off":
        return Sought("off")
    try:
        sought = await _seek(finder, tenant, question, text, wanted)
    except UnavailableError:
        SOUGHT.labels("refused").inc()
        raise
    SOUGHT.labels(sought.coverage).inc()
    return sought


async def _seek(
    finder: NameFinder,
    tenant: str,
    question: ScrubQuestion,
    text: Callable[[], Awaitable[str]],
    wanted: str,
) -> Sought:
    try:
        model = await finder.model()
    except UnavailableError:
        if wanted != "best_effort":
            raise
        model = None
    if model is None:
        if wanted == "required":
            raise UnavailableError(_NO_MODEL)
        return Sought("unavailable", (), (NOT_SOUGHT,))
    found = await finder.find(model, tenant, await text(), strict=question.profile == "strict")
    return _told(found, must=wanted != "best_effort")


def _told(found: Found, *, must: bool) -> Sought:
    if found.read >= found.parts:
        return Sought("full", found.names)
    if must:
        raise UnavailableError(_NOT_WHOLE)
    if not found.read:
        return Sought("unavailable", (), (NOT_SOUGHT,))
    return Sought("partial", found.names, (_PARTLY,))
