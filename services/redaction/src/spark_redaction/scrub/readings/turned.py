"""A text written backwards or in rot13: found by known names, or by the shape of what is turned."""

import codecs
from collections.abc import Callable, Iterator
from typing import Final

from spark_redaction.scrub.kinds import Kind
from spark_redaction.scrub.patterns import Pattern
from spark_redaction.scrub.readings.breaks import known_top
from spark_redaction.scrub.recognisers.iban import is_proved
from spark_redaction.scrub.view import View, folded_view

_ROT13: Final = str.maketrans(
    {chr(c): codecs.encode(chr(c), "rot13") for c in (*range(65, 91), *range(97, 123))}
)
_BACKWARDS: Final = Pattern(
    rb"\b(?:moc|ten|gro|ude|vog|oi|ku|ed|rf|se|ti|ln|ue|hc|ta|eb|ua|ac|rb|xm|lp|ur|nc|pj|ni|ved|ppa|ofni|lanretni)"
    rb"\.[\w.\-]{2,60}@"
    rb"|\b\d{4}-\d{2}-\d{3}\b|\d{4}[ .\-]\d{3}[ .\-]{0,2}\)\d{2,5}\(|\d[ .\-()]{0,2}\d{1,3}\+"
    rb"|\b[\dA-Z](?: ?[\dA-Z]){9,31} ?\d{2} ?[A-Z]{2}\b|\b\d{1,3}\.\d{1,3}\.\d{1,3}\.\d{3}\b"
)
"""What an address, a number or an account looks like from its end."""
_SCRAMBLED: Final = Pattern(rb"\b[A-Z]{2}\d{2}(?: ?[\dA-Z]){11,31}\b", any_case=False)
_LONG: Final = 8


class Backwards(View):
    """A view that runs from the end of another one to its beginning."""

    def raw(self, start: int, end: int) -> tuple[int, int]:
        """Return the raw range; it begins where the last character stands."""
        return super().raw(end - 1, end)[0], super().raw(start, start + 1)[1]


How = Callable[[str], str]


def turned(
    text: str, view: View, known: Callable[[set[str]], bool] | None
) -> Iterator[tuple[How, View]]:
    """Yield the readings that may show something; ``known``: whether a name begins so.

    None when no names are looked for.
    """
    words = " ".join(view.words) if known else ""
    if not known or text.isascii():
        scrambled = set(words.translate(_ROT13).split())
    else:
        scrambled = folded_view(text.translate(_ROT13)).words
    if (known and known(scrambled)) or _SCRAMBLED.is_in(view.octets):
        yield _scrambled, folded_view(text.translate(_ROT13))
    if (known and known(set(words[::-1].split()))) or _BACKWARDS.is_in(view.octets):
        raws = [view.raw(at, at + 1) for at in range(len(view.text) - 1, -1, -1)]
        starts, ends = [raw[0] for raw in raws], [raw[1] for raw in raws]
        yield _backwards, Backwards(view.text[::-1], starts, ends)


def overridden(text: str) -> bool:
    """Whether a sign in the text turns it, so that a reader sees it the other way round."""
    return "\u202e" in text


def meant(kind: Kind, shown: str, stands: str, *, known: bool) -> bool:
    """Whether what a turned text shows is there on purpose: short names read both ways.

    ``shown`` is the value as it reads turned, ``stands`` as it is in the text.
    """
    if known:
        return len(shown.split()) > 1 or len(shown) >= _LONG
    if kind is Kind.EMAIL:
        return known_top(shown) and not known_top(stands)
    if kind is Kind.IBAN:
        return is_proved("".join(filter(str.isalnum, shown)).upper())
    if kind is Kind.PHONE:
        return shown[:1] in "+("
    if kind is Kind.IPADDR:
        return any(part.isdigit() and int(part) > 255 for part in stands.split("."))
    return kind is Kind.SSN and "-" in shown


def _scrambled(text: str) -> str:
    return text.translate(_ROT13)


def _backwards(text: str) -> str:
    return text[::-1]
