"""Numbers from ten up: many a language gives its telephone numbers in pairs."""

from itertools import product
from typing import Final

_GERMAN_UNITS: Final = "ein zwei drei vier funf sechs sieben acht neun".split()
_GERMAN_TENS: Final = "zwanzig dreissig vierzig funfzig sechzig siebzig achtzig neunzig".split()
_DUTCH_UNITS: Final = "een twee drie vier vijf zes zeven acht negen".split()
_DUTCH_TENS: Final = "twintig dertig veertig vijftig zestig zeventig tachtig negentig".split()
_ITALIAN_UNITS: Final = "uno due tre quattro cinque sei sette otto nove".split()
_ITALIAN_TENS: Final = "venti trenta quaranta cinquanta sessanta settanta ottanta novanta".split()
_SWEDISH_UNITS: Final = "ett tva tre fyra fem sex sju atta nio".split()
_SWEDISH_TENS: Final = "tjugo trettio fyrtio femtio sextio sjuttio attio nittio".split()
_FROM_TEN: Final = (
    "zehn elf zwolf dreizehn vierzehn funfzehn sechzehn siebzehn achtzehn neunzehn",
    "tien elf twaalf dertien veertien vijftien zestien zeventien achttien negentien",
    "dix onze douze treize quatorze quinze seize - - -",
    "diez once doce trece catorce quince dieciseis diecisiete dieciocho diecinueve",
    "dieci undici dodici tredici quattordici quindici sedici diciassette diciotto diciannove",
    "dez onze doze treze quatorze quinze dezesseis dezessete dezoito dezenove",
    "tio elva tolv tretton fjorton femton sexton sjutton arton nitton",
    "dziesiec jedenascie dwanascie trzynascie czternascie pietnascie szesnascie siedemnascie osiemnascie dziewietnascie",
)
_FROM_TWENTY: Final = (
    "vingt trente quarante cinquante soixante - - -",
    "veinte treinta cuarenta cincuenta sesenta setenta ochenta noventa",
    "vinte trinta quarenta cinquenta sessenta setenta oitenta noventa",
    "dwadziescia trzydziesci czterdziesci piecdziesiat szescdziesiat siedemdziesiat osiemdziesiat dziewiecdziesiat",
)
_HUNDREDS: Final = "cien doscientos trescientos cuatrocientos quinientos seiscientos setecientos ochocientos novecientos"
JOINERS: Final = frozenset({"y", "et", "e", "i", "und", "och"})
"""Between tens and units: "treinta y cuatro"."""
TWENTIES: Final = frozenset({"vingt", "vingts"})
"""Behind four they are eighty."""
DIX: Final = "dix"
"""Goes on to nineteen, where other tens end: dix-sept."""
_RUSSIAN: Final = (
    "десять одиннадцать двенадцать тринадцать четырнадцать пятнадцать шестнадцать семнадцать восемнадцать девятнадцать",
    "двадцать тридцать сорок пятьдесят шестьдесят семьдесят восемьдесят девяносто",
    "сто двести триста четыреста пятьсот шестьсот семьсот восемьсот девятьсот",
)
_ELSEWHERE: Final = {"once": "diez doce trece catorce quince dos tres cuatro cinco seis siete ocho nueve cero uno veinte treinta cuarenta cincuenta sesenta setenta ochenta noventa",
    "elf": "zehn zwolf zwei drei vier funf sechs sieben acht neun tien twaalf twee vijf zes zeven negen",
    "seize": "deux trois quatre cinq huit neuf dix onze douze treize quatorze quinze vingt vingts trente quarante cinquante soixante"}  # fmt: skip


def _joined(units: list[str], tens: list[str], between: str) -> dict[str, str]:
    """Units before tens in one word: ``vierunddreissig``."""
    return {
        f"{unit}{between}{ten}": f"{at_ten}{at_unit}"
        for (at_unit, unit), (at_ten, ten) in product(enumerate(units, 1), enumerate(tens, 2))
    }


def _italian() -> dict[str, str]:
    """Tens before units, without the vowel before another one: ``trentotto``."""
    return {
        (ten[:-1] if unit[0] in "uo" else ten) + unit: f"{at_ten}{at_unit}"
        for (at_unit, unit), (at_ten, ten) in product(
            enumerate(_ITALIAN_UNITS, 1), enumerate(_ITALIAN_TENS, 2)
        )
    }


def _spanish() -> dict[str, str]:
    units = "uno dos tres cuatro cinco seis siete ocho nueve".split()
    twenties = {f"veinti{unit}": f"2{at}" for at, unit in enumerate(units, 1)}
    return twenties | {word: f"{at}00" for at, word in enumerate(_HUNDREDS.split(), 1)}


def _german() -> dict[str, str]:
    pairs = _joined(_GERMAN_UNITS, _GERMAN_TENS, "und")
    pairs |= {word.replace("funf", "fuenf"): digits for word, digits in pairs.items()}
    pairs |= {ten: f"{at}0" for at, ten in enumerate(_GERMAN_TENS, 2)}
    pairs |= {word: f"1{at}" for at, word in enumerate(_FROM_TEN[0].split())}
    units = {
        f"{unit}s" if unit == "ein" else unit: f"0{at}" for at, unit in enumerate(_GERMAN_UNITS, 1)
    }
    hundreds = {
        f"{before}hundert{word}": f"1{digits}"
        for before in ("", "ein")
        for word, digits in (pairs | units).items()
    }
    return pairs | hundreds


def _pairs() -> dict[str, str]:
    found = {word: f"1{at}" for words in _FROM_TEN for at, word in enumerate(words.split())}
    found |= {word: f"{at}0" for words in _FROM_TWENTY for at, word in enumerate(words.split(), 2)}
    for tens in (_ITALIAN_TENS, _DUTCH_TENS, _SWEDISH_TENS):
        found |= {ten: f"{at}0" for at, ten in enumerate(tens, 2)}
    found |= _german() | _italian() | _spanish() | _joined(_DUTCH_UNITS, _DUTCH_TENS, "en")
    found |= {
        f"{ten}{unit}": f"{at_ten}{at_unit}"
        for (at_unit, unit), (at_ten, ten) in product(
            enumerate(_SWEDISH_UNITS, 1), enumerate(_SWEDISH_TENS, 2)
        )
    }
    found["vingts"] = "20"
    return {word: digits for word, digits in found.items() if word not in {"-", *_ELSEWHERE}}


PAIRS: Final = _pairs()
"""What each word adds to the digits of a number."""
BESIDE_PAIRS: Final = {
    word: ((digits, frozenset(others.split()) | (_german().keys() if word == "elf" else set())),)
    for (word, others), digits in zip(_ELSEWHERE.items(), ("11", "11", "16"), strict=True)
}
"""Words that are numbers only after others of the same language."""
WIDE_PAIRS: Final = {
    word: digits
    for words, first, end in zip(_RUSSIAN, (10, 2, 1), ("", "0", "00"), strict=True)
    for word, digits in ((each, f"{at}{end}") for at, each in enumerate(words.split(), first))
}
"""The same in Cyrillic."""
