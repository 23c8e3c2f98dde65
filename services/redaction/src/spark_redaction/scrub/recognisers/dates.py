"""Shapes of dates, shared by days of birth and the strict profile."""

from typing import Final

MONTHS: Final = (
    rb"jan(?:uary|vier|uar|eiro)?|feb(?:ruary|ruar|braio|rero)?|mar(?:ch|s|zo|co)?|marz|maerz|apr(?:il|ile)?|may|mai|mayo|june?|juin|juni|jul(?:y|i|io)?|"
    rb"juillet|juin|aug(?:ust)?|aout|agosto|sept?(?:ember|embre|iembre)?|oct(?:ober|obre|ubre)?|okt(?:ober)?|nov(?:ember|embre|iembre)?|"
    rb"dec(?:ember)?|dez(?:ember)?|decembre|dicembre|diciembre|fevrier|avril|enero|abril|junio|gennaio|maggio|giugno|luglio|ottobre|janeiro|fevereiro|januari|februari|maart|mei"
)
TENS_IN_ORDER: Final = (
    rb"(?:twenty|thirty)[- ]?(?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth)?|thirtieth|twentieth|"
    rb"first|second|third|fourth|fifth|sixth|seventh|eighth|ninth|tenth|eleventh|twelfth|thirteenth|fourteenth|fifteenth|sixteenth|seventeenth|eighteenth|nineteenth"
)
_YEAR_WORDS: Final = rb"(?:nineteen|twenty|two thousand(?: and)?)(?:[ -](?:hundred|oh|[a-z]+ty|[a-z]+teen|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)){1,3}"
DATE: Final = (
    rb"(?:\d{1,2}\s?[./\-]\s?\d{1,2}\s?[./\-]\s?(?:\d{4}|\d{2})|\d{4}\s?[./\-]\s?\d{1,2}\s?[./\-]\s?\d{1,2}|(?:19|20)\d{6}"
    rb"|\d{1,2}(?:st|nd|rd|th|er|\.|o)?\s?(?:of |de |-)?\s?(?:"
    + MONTHS
    + rb")\.?(?:[ ,\-]|\sde\s|\sdel\s){0,3}(?:\d{4}|'?\d{2}\b)?"
    rb"|(?:" + MONTHS + rb")\.?[ \-]\d{1,2}(?:st|nd|rd|th)?(?:[ ,\-]{1,3}(?:\d{4}|'?\d{2}\b))?"
    rb"|(?:the )?(?:"
    + TENS_IN_ORDER
    + rb") (?:of )?(?:"
    + MONTHS
    + rb")(?:[ ,]{1,3}(?:\d{4}|"
    + _YEAR_WORDS
    + rb"))?"
    rb"|(?:"
    + MONTHS
    + rb") (?:the )?(?:"
    + TENS_IN_ORDER
    + rb")(?:[ ,]{1,3}(?:\d{4}|"
    + _YEAR_WORDS
    + rb"))?)"
)
