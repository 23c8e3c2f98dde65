"""A text that is one number and nothing else: whoever sends it alone means somebody's."""

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import Final

from spark_redaction.scrub.checksums import digits_of
from spark_redaction.scrub.kinds import Kind
from spark_redaction.scrub.recogniser import Finding, Recogniser
from spark_redaction.scrub.view import View

_LONGEST: Final = 40
_ALONE: Final = re.compile(
    r"\s*((?!(?:sku|ean|upc|row|pr|rev|cve|eu|rfc|iso|din|en|doi)\b)[a-z]{0,3}[ -]?\d(?:[ \-./]?\d){6,24}[ -]?[a-z]{0,2})[.\s]*"
)
_DATE: Final = re.compile(
    r"(?:19|20)\d\d[ \-./]?\d\d[ \-./]?\d\d|\d\d?[\-./]\d\d?[\-./](?:19|20)\d\d|(?:\d{1,3}\.){3}\d{1,3}"
)
"""Days, and addresses of networks, which have a recogniser of their own."""


def _find(view: View) -> Iterator[Finding]:
    if len(view.text) > _LONGEST:
        return
    match = _ALONE.fullmatch(view.lower)
    if match is not None and not _DATE.fullmatch(match[1]) and not _is_row(match[1]):
        yield *match.span(1), Kind.IDENT, digits_of(match[1])


def _is_row(text: str) -> bool:
    """Counting up, or switches that are on and off: figures one by one."""
    figures = text.split()
    if len(figures) < 5 or not all(map(str.isdigit, figures)):
        return False
    steps = {int(after) - int(before) for before, after in pairwise(figures)}
    return steps == {1} or set(figures) == {"0", "1"}


LONE = Recogniser("lone", _find, rank=12, needs_digits=True)
