"""What only the strict profile hides: dates, money, ages, any longer number."""

from collections.abc import Iterator
from typing import Final

from spark_redaction.scrub.checksums import digits_of
from spark_redaction.scrub.kinds import Kind
from spark_redaction.scrub.patterns import Pattern
from spark_redaction.scrub.recogniser import Finding, Recogniser
from spark_redaction.scrub.recognisers.dates import DATE
from spark_redaction.scrub.view import View

_DATE: Final = Pattern(rb"\b" + DATE + rb"|\b(?:19|20)\d\d\b")
_MONEY: Final = Pattern(
    rb"(?:[$\xa4]|\b(?:usd|eur|gbp|chf|cad|aud|jpy|inr|btc|sats?)) ?\d[\d.,' ]*\d?(?: ?(?:k|m|bn|million|billion|thousand))?"
    rb"|\b\d[\d.,']*(?: ?(?:k|m|bn|million|billion|thousand))? ?(?:[$\xa4]|usd\b|eur(?:os?)?\b|gbp\b|chf\b|dollars?\b|pounds?\b|francs?\b|yen\b|rupees?\b|bitcoin\b|btc\b|sats\b)"
)
_AGE: Final = Pattern(
    rb"\b(\d{1,3})[ -]?(?:years?|yrs?|y/?o|months?)[ -]?old\b|\b(?:aged?|age is|age:) (\d{1,3})\b|\b(\d{1,3})(?:yo|yr old)\b"
)
_NUMBER: Final = Pattern(rb"\b\d(?:[ \-./]?\d){3,}\b")


def _find_dates(view: View) -> Iterator[Finding]:
    for match in _DATE.matches(view):
        start = match.start()
        end = start + len(match[0].rstrip(b" ,-."))
        if view.text[start - 1 : start] != "[" or view.text[end : end + 1] != "]":
            yield start, end, Kind.DATE, ""


def _find_money(view: View) -> Iterator[Finding]:
    for match in _MONEY.matches(view):
        start = match.start()
        yield start, start + len(match[0].rstrip(b" ,.")), Kind.MONEY, ""


def _find_numbers(view: View) -> Iterator[Finding]:
    for match in _NUMBER.matches(view):
        yield *match.span(), Kind.NUMBER, digits_of(match[0].decode())
    for match in _AGE.matches(view):
        group = next(number for number in (1, 2, 3) if match.start(number) >= 0)
        yield *match.span(group), Kind.NUMBER, ""


DATE_ANY = Recogniser("date", _find_dates, rank=20, needs=(), strict_only=True)
MONEY = Recogniser("money", _find_money, rank=22, needs_digits=True, strict_only=True)
NUMBER = Recogniser("number", _find_numbers, rank=10, needs_digits=True, strict_only=True)
