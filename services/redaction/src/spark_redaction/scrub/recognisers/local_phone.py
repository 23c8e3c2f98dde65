"""Short numbers of the same town ("Tel. 12 34 56"): digits that only the words before them explain."""

import re
from collections.abc import Iterator
from typing import Final

from spark_redaction.scrub.checksums import digits_of
from spark_redaction.scrub.kinds import Kind
from spark_redaction.scrub.patterns import Found, Pattern, any_of
from spark_redaction.scrub.recogniser import Finding, Recogniser
from spark_redaction.scrub.view import View

_DIGITS: Final = (
    rb"(\(?\d{1,4}\)?(?:[ .\-/]{1,2}\d{2,4}){1,4}(?:[ .\-/]\d)?|\d{5,15})(?:[^0-9A-Za-z_\xff]|$)"
)
_LABELS: Final = (
    rb"tel|ph|msisdn|caller(?:[ _-]?id)?|callee|telef|telefon(?:nummer|nr|nal|szam|u|i|numer)?|telephone|phone|fon|fax|telefax|handy(?:nummer|nr)?|"
    rb"mobil(?:nummer|nr|e|telefon)?|mobiel|rufnummer|festnetz|tlf|puh|puhelin|telefono|telefone|telefoon|telemovel|"
    rb"celular|movil|cellulare|gsm|komorka|whatsapp|landline|hotline|(?:my|his|her|their|our) cell|cell ?phone"
)
_OWNED: Final = (
    rb"(?:my|her|his|their|your|our|meine|deine|ihre|seine|unsere|mon|son|notre|votre|mi|su|mio|il mio|minha|meu|mijn|"
    rb"zijn|haar|min|mitt|mit|moj|muj|moje) (?:(?:new|old|private|work|home|neue|alte|private) )?"
    rb"(?:number|nummer|numero|numer|cislo|nr)"
)
_LINK: Final = (
    rb"(?:[ _-]?(?:number|no|nr|num|nummer|numero|numer))?(\.?[\"']?\s{0,2}(?:[:=>]|is|are|ist|lautet|est|es|e|er)?)(?: (?:le|el|il|o|die|the|al))?"
    rb"\s{0,3}[\"'(]{0,2}"
)
_LABELLED: Final = Pattern(rb"(?:\b|_)(?:" + _LABELS + rb"|" + _OWNED + rb")" + _LINK + _DIGITS)
_CALLED: Final = Pattern(
    rb"\b(?:ruf(?:e|en|t)?(?: (?:sie|mich|uns|ihn|bitte|doch|mal|einfach|an|zuruck|gern|gerne))*(?: (?:unter|auf|die|der))?"
    rb"|(?:anruf\w*|ruckruf\w*|erreich\w*)(?: (?:du|sie|ihr|er|mich|uns|ihn|ich|bin|ist|telefonisch|bitte|auch))*(?: unter| auf|:)"
    rb"|telefonisch(?: unter| auf|:)|call(?:s|ed)?(?: (?:me|us|him|her|them|back|now))*(?: (?:at|on|under))?"
    rb"|(?:reach(?:ed)?|text|sms)(?: (?:me|us|him|her|them|out))? (?:at|on)|dial(?:ed)?|ring(?: (?:me|us|him|her|meg|mig|oss))?(?: (?:at|on|pa))?"
    rb"|llam[ae]\w{0,3}(?: al?)?|marca\w{0,3}(?: el)?|lig(?:a|ar|ue)(?:-?me)?(?: para)?|appel(?:le|ez|er)(?:-moi|-nous)?(?: (?:au|le))?"
    rb"|zadzwon\w{0,3}(?: (?:do|mi|na|pod))*|zavolej\w{0,2}(?: (?:mi|na))*|bel(?:t|len)?(?: (?:me|mij|ons|hem|haar))?(?: (?:op|naar))?"
    rb"|chiam(?:a|i|ate)\w{0,2}(?: (?:al|il|lo))?)[ :]{1,2}" + _DIGITS
)
_INSIDE: Final = Pattern(
    rb"\b(?:durchwahl|nebenstelle|(?:at|dial|my|her|his|our) ext(?:ension)?)(?: (?:ist|is|lautet))?[ .:]{0,3}(-?\d{2,5})\b"
)
"""Of one telephone in a house."""
_NEXT: Final = re.compile(
    r"\Z|\s*[.,;:!?)\]\"'<\n}|&]|\s+(?:an|at|please|bitte|if|when|wenn|and|or|und|oder|after|before|tomorrow|today|now|heute|morgen|"
    r"ab|bis|from|durch|zuruck|erbeten|to|for|later|anytime|nach|vor|s'il|por|per|pour|ou|et|o|y|e|i|nebo|lub|hvis|om|als|fax|tel|mobil|mobile|handy)(?![^\W_])"
)
"""What follows a number that is dialled, and no number of things."""
_DAY: Final = re.compile(r"([0-3]?\d)([./\-])([0-3]?\d)\2(?:\d\d|(?:19|20)\d\d)\Z")
_MORE: Final = re.compile(r"[ .\-/:,]?\d")
_FEWEST: Final = 5
_MOST: Final = 15


def _find(view: View) -> Iterator[Finding]:
    for match in _LABELLED.matches(view):
        if _dialled(view, match, 2, told=bool(match[1].strip())):
            yield _finding(view, match, 2)
    for match in _CALLED.matches(view):
        if _dialled(view, match, 1, told=False):
            yield _finding(view, match, 1)
    for match in _INSIDE.matches(view):
        yield _finding(view, match, 1)


def _dialled(view: View, match: Found, group: int, *, told: bool) -> bool:
    """Whether a number is dialled; ``told``: a sign or a verb stands between label and number."""
    start, end = match.span(group)
    text = view.text[start:end]
    if not _FEWEST <= len(digits_of(text)) <= _MOST or _MORE.match(view.text, end):
        return False
    if told:
        return True
    return _NEXT.match(view.lower, end) is not None and not _DAY.match(text)


def _finding(view: View, match: Found, group: int) -> Finding:
    start, end = match.span(group)
    return start, end, Kind.PHONE, digits_of(view.text[start:end])


LOCAL_PHONE = Recogniser(
    "local_phone", _find, rank=49, needs_digits=True, gate=any_of(_LABELLED, _CALLED, _INSIDE)
)
