"""The forms a name takes: parts, order, joined, initials, without its legal suffix."""

import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from spark_redaction.scrub.folding import folded
from spark_redaction.scrub.kinds import Kind
from spark_redaction.scrub.names.common import DESCRIPTORS, LEGAL, NEVER_ALONE, TITLES
from spark_redaction.scrub.names.declined import (
    declined,
    declined_given,
    is_slavic,
    spelled_otherwise,
)
from spark_redaction.scrub.view import WORD

TOKEN: Final = WORD
_UMLAUTS: Final = str.maketrans(
    {"ä": "ae", "ö": "oe", "ü": "ue", "Ä": "Ae", "Ö": "Oe", "Ü": "Ue", "å": "aa", "Å": "Aa"}
)
_ELIDED: Final = re.compile(r"(?<![a-z])([dlo]|mc|mac)['’ ]([a-z]{2,})")


_AND: Final = re.compile(r"\s*&\s*|\s+(?:und|and|et)\s+", re.IGNORECASE)
_ANDS: Final = (" & ", " und ", " and ", " et ")


class Form(NamedTuple):
    """Tokens in order; ``part`` when others may share it."""

    tokens: tuple[str, ...]
    part: bool


def forms_of(kind: Kind, name: str) -> Iterator[Form]:
    """Every form of one written name; some may come twice."""
    spellings = {name, name.translate(_UMLAUTS), *spelled_otherwise(name)}
    if kind is Kind.ORG:
        spellings |= {_AND.sub(word, each) for each in tuple(spellings) for word in _ANDS}
    for spelling in spellings:
        low = folded(spelling)
        yield from _forms(kind, low)
        for prefix in _ELIDED.finditer(low) if kind is Kind.PERSON else ():
            yield Form((prefix[1], prefix[2]), part=True)
            yield Form((prefix[1] + prefix[2],), part=True)
        elided = _ELIDED.sub(r"\1\2", low)
        if elided != low:
            yield from _forms(kind, elided)
    if kind is Kind.PERSON:
        slavic = is_slavic(name)
        for word in name.split():
            bare = word.strip(".,")
            for case in (*declined(bare), *(declined_given(bare) if slavic else ())):
                yield Form((folded(case),), part=True)


def _forms(kind: Kind, low: str) -> Iterator[Form]:
    tokens: tuple[str, ...] = tuple(TOKEN.findall(low))
    if not tokens:
        return
    yield Form(tokens, part=False)
    if len(tokens) > 1 and len("".join(tokens)) >= 5:
        yield Form(("".join(tokens),), part=False)
    if kind is Kind.PERSON:
        yield from _person(low, tokens)
    elif kind is Kind.ORG:
        yield from _company(tokens)


def _person(low: str, tokens: tuple[str, ...]) -> Iterator[Form]:
    if "," in low:
        before, _, after = low.partition(",")
        tokens = (*TOKEN.findall(after), *TOKEN.findall(before))
    core: tuple[str, ...] = tuple(token for token in tokens if token not in TITLES) or tokens
    if len(core) == 1:
        yield from _part(core[0])
        return
    family = _family(core)
    given = core[: len(core) - len(family)]
    first = given[0] if given else core[0]
    yield Form(core, part=False)
    yield Form((first, *family), part=False)
    yield Form((*family, first), part=False)
    yield Form((*family, *given), part=False)
    joined = "".join(family)
    if len(joined) >= 3:
        yield Form((first + joined,), part=False)
        yield Form((joined + first,), part=False)
        yield Form((first[0] + joined,), part=False)
        if len(joined) >= 4:
            yield Form((joined + first[0],), part=False)
    if len(given) > 1 and len(first) > 1:
        yield Form(given, part=True)
        yield Form(("".join(given),), part=True)
    if given and len(first) >= 4:
        yield Form((first + joined[0],), part=False)
    if len(family) > 1:
        if len(family) > 2:
            yield Form((*(word[0] for word in family[:-1]), family[-1]), part=True)
        yield Form(family, part=True)
        yield Form((joined,), part=True)
    for token in core:
        yield from _part(token)


def _family(core: tuple[str, ...]) -> tuple[str, ...]:
    """The last name with its particles: van der Berg."""
    start = len(core) - 1
    while start > 1 and core[start - 1] in NEVER_ALONE:
        start -= 1
    return core[start:]


def _part(token: str) -> Iterator[Form]:
    if len(token) < 2 or token in NEVER_ALONE or token.isdigit():
        return
    yield Form((token,), part=True)
    if token.startswith("mc") and len(token) > 5:
        yield Form(("mc", token[2:]), part=True)


def _company(tokens: tuple[str, ...]) -> Iterator[Form]:
    core = tokens
    for count in (4, 3, 2):
        # "e.V.", "S.p.A.": letters with dots are tokens of their own.
        if len(core) > count and "".join(core[-count:]) in LEGAL and len(core[-1]) == 1:
            core = core[:-count]
    while len(core) > 1 and core[-1] in LEGAL:
        core = core[:-1]
    if core[0] == "the" and len(core) > 1:
        core = core[1:]
    yield Form(core, part=False)
    if len(core) > 1:
        yield Form(("".join(core),), part=False)
    brand = core
    while len(brand) > 1 and brand[-1] in DESCRIPTORS:
        brand = brand[:-1]
    if brand != core and len("".join(brand)) >= 4:
        yield Form(brand, part=True)
    if len(core) == 1:
        yield from _part(core[0])
