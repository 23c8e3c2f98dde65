"""Accounts at banks: numbers that words around them call so."""

from collections.abc import Iterator
from typing import Final

from spark_redaction.scrub.checksums import aba, digits_of
from spark_redaction.scrub.kinds import Kind
from spark_redaction.scrub.nearby import Cue
from spark_redaction.scrub.patterns import Pattern, any_of
from spark_redaction.scrub.recogniser import Finding, Recogniser
from spark_redaction.scrub.view import View

_SAID: Final = Pattern(
    rb"\b(?:(?:bank |checking |savings |current |cheque )?(?:account|acct|acc|a/c|ac)|routing|aba|transit|rtn|sort ?code|bsb|blz|bankleitzahl|"
    rb"bank[ _-]?(?:code|id)|konto(?:[ -]?(?:nummer|nr))?|compte|cuenta|conto|rekening(?:nummer)?|clabe|ifsc|micr|rib|giro|sepa|wire|deposit|branch|institution)(?:\b|_)"
    rb"(?:[ _-]?(?:number|num|no|nr|id|code|#|is|was|ending(?: in| with)?|numbers|ends in))*(?:\.|['\"])?\s{0,2}[:=#]?\s{0,3}[\"'#]?"
    rb"((?:[x*]{2,}[ -]?){0,4}[a-z]{0,4}\d(?:[ \-./]?\d){2,20})\b"
)
_SORT: Final = Pattern(rb"\b\d{2}-\d{2}-\d{2}\b")
_SORT_CUE: Final = Cue(
    r"sort ?codes?|account|bank|barclays|lloyds|hsbc|natwest|payee|transfer",
    before=40,
    after=30,
)
_BIC: Final = Pattern(
    rb"\b(?:bic|swift)(?:[ /_-]?(?:bic|swift|code|number|no))*[\"']?\s{0,2}(?:is\s|[:=#])?\s{0,2}[\"']?([a-z]{6}[a-z0-9]{2}(?:[a-z0-9]{3})?)\b"
)
_NINE: Final = Pattern(rb"\b[0-3]\d{8}\b")
_ROUTING: Final = Cue(r"bank|routing|transfer|aba|wire|deposit|checks?", before=60, after=30)


def _find(view: View) -> Iterator[Finding]:
    for match in _SAID.matches(view):
        start, end = match.span(1)
        digits = digits_of(view.text[start:end])
        if len(digits) >= 4 and not (
            len(digits) == 4 and digits[:2] in ("19", "20") and b"end" not in match[0].lower()
        ):
            yield start, end, Kind.ACCOUNT, digits
    for match in _SORT.matches(view):
        if _SORT_CUE.near(view, *match.span()):
            yield *match.span(), Kind.ACCOUNT, digits_of(match[0].decode())
    for match in _BIC.matches(view):
        if not (view.cased and match[1].isalpha() and match[1].islower()):
            yield *match.span(1), Kind.ACCOUNT, ""
    for match in _NINE.matches(view):
        if aba(match[0].decode()) and _ROUTING.near(view, *match.span()):
            yield *match.span(), Kind.ACCOUNT, match[0].decode()


ACCOUNT = Recogniser("account", _find, rank=57, gate=any_of(_SAID, _SORT, _BIC, _NINE))
