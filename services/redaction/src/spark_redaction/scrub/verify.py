"""Does any value of a scope survive in a text, in any spelling we can read?"""

from collections.abc import Iterable
from typing import Final

from spark_redaction.scrub.checksums import digits_of
from spark_redaction.scrub.encoded import said_within
from spark_redaction.scrub.folding import folded
from spark_redaction.scrub.kinds import Kind
from spark_redaction.scrub.names.common import COMMON, NEVER_ALONE
from spark_redaction.scrub.names.forms import TOKEN
from spark_redaction.scrub.spoken.numbers import spoken_digits
from spark_redaction.scrub.tokens.book import Entry
from spark_redaction.scrub.tokens.grammar import EXACT
from spark_redaction.scrub.tokens.rehydrate import views

_SURE: Final = 6
"""Letters and digits from which a value is looked for anywhere; a shorter one only as words."""
_NUMBERS: Final = frozenset(
    {Kind.PHONE, Kind.CARD, Kind.SSN, Kind.ACCOUNT, Kind.IBAN, Kind.IDENT, Kind.NUMBER}
)


def survivors(text: str, entries: Iterable[Entry]) -> set[Kind]:
    """Return the kinds of the values that can still be read in the text."""
    wanted = [(entry, entry.plain) for entry in entries if entry.kind is not Kind.LITERAL]
    rest = EXACT.sub(" ", text)
    found = _read(rest, wanted)
    seen = views(rest)
    for text_within in said_within(seen[0]):
        found |= _read(text_within, wanted)
    spoken = [digits for view in seen for digits in spoken_digits(view)]
    for entry, plain in wanted:
        digits = digits_of(folded(plain)) or digits_of(entry.key)
        if entry.kind in _NUMBERS and len(digits) >= 4 and any(digits in run for run in spoken):
            found.add(entry.kind)
    return found


def _read(text: str, wanted: list[tuple[Entry, str]]) -> set[Kind]:
    found: set[Kind] = set()
    for view in views(text):
        squeezed = "".join(TOKEN.findall(view.lower))
        words = f" {' '.join(TOKEN.findall(view.lower))} "
        written = f" {' '.join(TOKEN.findall(view.text))} "
        for entry, plain in wanted:
            if entry.kind not in found and _survives(entry, plain, squeezed, words, written):
                found.add(entry.kind)
    return found


def _survives(entry: Entry, plain: str, squeezed: str, words: str, written: str) -> bool:
    tokens = TOKEN.findall(folded(plain))
    bare = "".join(tokens)
    if not bare or bare in NEVER_ALONE:
        return False
    if len(bare) >= _SURE and bare not in COMMON:
        return bare in squeezed
    if bare in COMMON or len(bare) < 3:
        return f" {' '.join(TOKEN.findall(plain))} " in written
    return f" {' '.join(tokens)} " in words
