"""Streets where the words of the larger western languages do not stand, and whole postal lines."""

import re
from collections.abc import Iterator
from typing import Final

from spark_redaction.scrub.folding import folded
from spark_redaction.scrub.kinds import Kind
from spark_redaction.scrub.nearby import Cue
from spark_redaction.scrub.patterns import Pattern
from spark_redaction.scrub.recogniser import Finding, Recogniser
from spark_redaction.scrub.recognisers.place_key import place_key
from spark_redaction.scrub.view import View

_L: Final = rb"[A-Z\xff]"
_W: Final = _L + rb"[A-Za-z\xff'.\-]*"
_CITY: Final = rb"(?:" + _L + rb"[A-Za-z\xff'\-]*[ ]?){1,3}"
_POSTAL: Final = Pattern(
    rb"\b(?:" + _W + rb" ){0,3}" + _W + rb" \d{1,4} ?[a-zA-Z]?(?:[/\-]\d{1,4})?,? (?:[A-Z]{1,2}-)?(?:\d{3} \d{2}|\d{5}) " + _CITY
    + rb"|\b\d{4,5} (?:" + _W + rb"[ ]?){1,2}, (?:" + _W + rb" ){1,3}(?:utca|ut|ter|korut|koz|sor|fasor)\.? \d{1,4}\b"
    rb"|\b\d{1,2}-\d{1,2}(?:-\d{1,3})?,? [A-Z][A-Za-z\xff\-]+[ ,\n]{1,2}(?:[A-Z][A-Za-z\xff\-]+[ ,\n]{1,2}){0,3}\d{3}-\d{4}\b"
    rb"|\b(?:Jl|Jln|Jalan|Str|Strada|Bd|Bdul|Bulevardul|Sos|Soseaua|Aleea|Calea|Ulica|Ul|Jalan|Lorong|Soi|Thanon|Kalye|Mtaa)\.? (?:" + _W + rb" ){1,3}(?:[Nn][ro]\.?|No) ?\d{1,4}[A-Za-z]?(?:,? " + _CITY + rb"\d{4,6})?(?:,? (?:bl|sc|et|ap)\. ?[A-Z]?\d{1,4}){0,4}"
    rb"|\b(?:" + _W + rb" ){1,3}(?:Caddesi|Cad\.|Cd\.|Sokak|Soka\xffi|Sokagi|Sk\.|Sok\.|Bulvar\xff|Bulvari|Blv\.|Mahallesi|Mah\.)[ ,]{1,2}(?:" + _W + rb" ){0,3}(?:[Nn]o[:.]? ?)?\d{1,4}(?:/\d{1,3})?(?:,? \d{5} " + _CITY + rb")?"
    rb"|\b(?:House|H\.?|Plot|Flat|Door|Shop) ?(?:[Nn]o\.?|[Nn]umber)? ?[\d\-/]{1,8}[A-Z]?,(?: [A-Za-z\xff.'\-]+){1,5},(?: [A-Za-z\xff.'\-]+){1,3}[ ,\-]{1,3}\d{3} ?\d{3}\b"
    rb"|\b\d{1,6}[A-Za-z]?,? (?:" + _W + rb" ){1,4}(?:Street|St|Avenue|Ave|Road|Rd|Drive|Dr|Lane|Ln|Court|Ct|Crescent|Cres|Place|Pl|Parade|Way|Terrace|Boulevard|Blvd|Close|Highway|Hwy|Grove|Square)\.?,? "
    + _CITY + rb",? ?(?:(?:NSW|VIC|QLD|TAS|ACT|SA|WA|NT) \d{4}|(?:AB|BC|MB|N[BLSTU]|ON|PE|QC|SK|YT) [A-Z]\d[A-Z] ?\d[A-Z]\d|[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2}|\d{4,6})\b"
    rb"|\b\d{1,4}[A-Za-z]?,? (?:Via|Viale|Piazza|Piazzale|Corso|Vicolo|Largo|Calle|Avenida|Plaza|Paseo|Rua|Pra\xffa)(?: (?:d[aeio]|d[aeo]l|dei|dell[aeo]|degli|de la|de los|de las|do|dos|das)){0,1}(?: " + _W + rb"){1,3}"
    rb"|\b(?:" + _W + rb" ){1,3}\d{1,4} ?[a-zA-Z]?, (?:[3-9]\d{3}|1[0-8]\d\d|2[1-9]\d\d) " + _W + rb"\b",
    any_case=False,
)  # fmt: skip
_COORDINATES: Final = Pattern(
    rb"[+-]?\d{1,3}\.\d{4,}[ ]?[NS]?[,;/ ]{1,3}[+-]?\d{1,3}\.\d{4,}[ ]?[EW]?"
    rb"|\b(?:lat(?:itude)?|long?(?:itude)?|lng|breite|lange|breitengrad|langengrad)[\"']?\s{0,2}[:=]?\s{0,2}[+-]?\d{1,3}\.\d{4,}(?:[,;/ ]{1,3}[+-]?\d{1,3}\.\d{4,})?"
)
_WHERE: Final = Cue(
    r"gps|maps?|geo|lat|lng|latitude|lon|long|longitude|coordinates?|coords?|location|position|koordinaten",
    before=40,
)
_MONTH: Final = re.compile(
    rb"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]* \d|(?:room|page|line|row|chapter|section|version|figure|table|step|level|phase|day|week) \d",
    re.IGNORECASE,
)


def _words(text: str) -> str:
    return "|".join(re.escape(folded(word)) for word in text.split())


_TYPES: Final = _words(
    "улица ул проспект пр-т просп пр-кт переулок пер набережная наб бульвар б-р шоссе ш площадь пл проезд аллея вулиця вул проспект провулок "
    "булевард λεωφόρος λεωφ οδός πλατεία שדרות רחוב רח שד شارع طريق حي خیابان کوچه مارگ मार्ग ถนน ซอย"
)
_PARTS: Final = _words("дом д корпус корп к квартира кв строение стр будинок буд ap дом")
_STREET: Final = re.compile(
    rf"(?<![^\W\d_])(?:{_TYPES})\.?\s[^\n\d\0;:]{{2,44}}?[ ,]{{1,3}}(?:(?:{_PARTS})\.?\s?)?\d{{1,4}}[^\W\d_]?(?:/\d{{1,3}})?(?:,?\s(?:{_PARTS})\.?\s?\d{{1,4}}){{0,3}}"
)
_HAN: Final = re.compile(
    r"(?:[\u4e00-\u9fff]{2,7}?(?:特别行政区|自治区|省|市|都|道|府|県|縣|区|區|县|郡|町|村|镇|鎮|乡|鄉)){1,4}[\u3040-\u30ff\u4e00-\u9fff]{0,16}?\d{1,5}"
    r"(?:(?:号楼|号|號|番地|番|丁目|单元|弄|栋|幢|层|楼|樓|室|巷|之|の|-|ー)\d{0,5}){0,6}"
    r"|〒\s?\d{3}-?\d{4}"
)
_KOREAN: Final = re.compile(
    r"(?:[가-힣]{1,8}(?:특별자치도|특별자치시|특별시|광역시|도|시|군|구)\s){1,3}[가-힣0-9]{1,12}(?:로|길|동|읍|면|리|가)\s?\d{1,4}(?:-\d{1,4})?(?:번길\s?\d{1,4})?(?:,?\s\d{1,4}(?:동|호|층)){0,3}"
)


def _find(view: View) -> Iterator[Finding]:
    for found in _POSTAL.matches(view):
        start, end = found.span()
        if not _MONTH.search(found[0]):
            yield (
                start,
                start + len(found[0].rstrip(b" ,.")),
                Kind.ADDRESS,
                place_key(view.lower[start:end]),
            )
    for found in _COORDINATES.matches(view):
        if found[0][:1].isalpha() or _WHERE.near(view, *found.span()):
            yield *found.span(), Kind.ADDRESS, ""
    if not view.other_scripts:
        return
    for pattern in (_STREET, _HAN, _KOREAN):
        for match in pattern.finditer(view.lower):
            yield *match.span(), Kind.ADDRESS, place_key(view.lower[slice(*match.span())])


STREETS = Recogniser("streets", _find, rank=53, needs_digits=True)
