"""Post codes that show what they are, or are called so."""

from collections.abc import Iterator
from typing import Final

from spark_redaction.scrub.kinds import Kind
from spark_redaction.scrub.nearby import follows_word
from spark_redaction.scrub.patterns import Pattern, any_of
from spark_redaction.scrub.recogniser import Finding, Recogniser
from spark_redaction.scrub.recognisers.address import _STATE
from spark_redaction.scrub.view import View

_AREAS: Final = (
    b"AB|AL|B|BA|BB|BD|BH|BL|BN|BR|BS|BT|CA|CB|CF|CH|CM|CO|CR|CT|CV|CW|DA|DD|DE|DG|DH|DL|DN|DT|DY|E|EC|EH|EN|EX|FK|FY|G|GL|GU|GY|HA|HD|HG|HP|HR|HS|HU|HX|"
    b"IG|IM|IP|IV|JE|KA|KT|KW|KY|L|LA|LD|LE|LL|LN|LS|LU|M|ME|MK|ML|N|NE|NG|NN|NP|NR|NW|OL|OX|PA|PE|PH|PL|PO|PR|RG|RH|RM|S|SA|SE|SG|SK|SL|SM|SN|SO|SP|SR|SS|"
    b"ST|SW|SY|TA|TD|TF|TN|TQ|TR|TS|TW|UB|W|WA|WC|WD|WF|WN|WR|WS|WV|YO|ZE"
)
"""Of the United Kingdom."""
_SHAPED: Final = Pattern(
    rb"\b(?:GIR ?0AA|(?:" + _AREAS + rb")[0-9](?:[0-9]|[A-Z])? [0-9][ABD-HJLNP-UW-Z]{2}"
    rb"|[ABCEGHJ-NPRSTVXY]\d[ABCEGHJ-NPRSTV-Z][ -]\d[ABCEGHJ-NPRSTV-Z]\d|[1-9]\d{3} [A-Z]{2} (?:[A-Z][a-z]+)|\d{5}-\d{4}|\d{5}-\d{3}"
    rb"|" + _STATE + rb",? \d{5}(?:-\d{4})?|(?:D|CH|A|F|B|NL|L|DK|S|N)-\d{4,5})\b",
    any_case=False,
)
_IRISH: Final = Pattern(
    rb"\b[AC-FHKNPRTV-Y]\d[\dW] [AC-FHKNPRTV-Y][\dAC-FHKNPRTV-Y]{0,2}\d[\dAC-FHKNPRTV-Y]{0,2}\b",
    any_case=False,
)
_SAID: Final = Pattern(
    rb"\b(?:zip(?:[ _-]?code)?|postal[ _-]?code|post[ _-]?code|plz|postleitzahl|code postal|codigo postal|cap|cep|eircode|pin ?code)(?:\s+(?:is|was|ist))?[\"']?\s{0,2}[:=#>]?\s{0,2}[\"']?([a-z0-9]{2,5}(?:[ -][a-z0-9]{3,4})?)\b"
)


def _find(view: View) -> Iterator[Finding]:
    for match in _SHAPED.matches(view):
        start, end = match.span()
        if (
            not follows_word(view, start) and view.text[start - 1 : start] not in ("-", "/")
        ) or start == 0:
            yield start, end, Kind.ADDRESS, ""
    for match in _IRISH.matches(view):
        if len(match[0]) == 8 and not follows_word(view, match.start()):
            yield *match.span(), Kind.ADDRESS, ""
    for match in _SAID.matches(view):
        value = match[1]
        digits = sum(48 <= c <= 57 for c in value)
        if match[0].startswith(b"cap ") and digits != 5:
            # A limit; the Italian post code has five.
            continue
        if digits >= 2:
            start = match.start(1)
            words = value.split(b" ")
            if len(words) == 2 and not any(48 <= c <= 57 for c in words[1]):
                value = words[0]
            yield start, start + len(value), Kind.ADDRESS, ""


POSTCODE = Recogniser(
    "postcode", _find, rank=52, needs_digits=True, gate=any_of(_SHAPED, _IRISH, _SAID)
)
