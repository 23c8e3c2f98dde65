"""Words for digits, in the languages transcripts come in."""

from typing import Final

from spark_redaction.scrub.folding import folded
from spark_redaction.scrub.spoken.pairs import BESIDE_PAIRS, PAIRS, WIDE_PAIRS

_UNITS: Final = {
    "zero": "0", "oh": "0", "o": "0", "nought": "0", "naught": "0", "nil": "0", "one": "1", "two": "2", "three": "3", "four": "4",
    "five": "5", "six": "6", "seven": "7", "eight": "8", "nine": "9", "niner": "9", "fife": "5", "tree": "3",
}  # fmt: skip
_TEENS: Final = {
    "ten": "10", "eleven": "11", "twelve": "12", "thirteen": "13", "fourteen": "14", "fifteen": "15", "sixteen": "16",
    "seventeen": "17", "eighteen": "18", "nineteen": "19",
}  # fmt: skip
TENS: Final = {
    "twenty": "2",
    "thirty": "3",
    "forty": "4",
    "fourty": "4",
    "fifty": "5",
    "sixty": "6",
    "seventy": "7",
    "eighty": "8",
    "ninety": "9",
}
_FOREIGN: Final = (
    "null eins zwei drei vier funf sechs sieben acht neun", "null ein zwo drei vier fuenf sechs sieben acht neun",
    "zero un deux trois quatre cinq six sept huit neuf", "cero uno dos tres cuatro cinco seis siete ocho nueve",
    "zero uno due tre quattro cinque sei sette otto nove", "zero um dois tres quatro cinco seis sete oito nove",
    "nul een twee drie vier vijf zes zeven acht negen", "noll ett tva tre fyra fem sex sju atta nio",
    "nul en to tre fire fem seks syv otte ni", "zero jeden dwa trzy cztery piec szesc siedem osiem dziewiec",
    "sifir bir iki uc dort bes alti yedi sekiz dokuz", "nula jedna dva tri ctyri pet sest sedm osm devet",
    "nula jedan dva tri cetiri pet sest sedam osam devet", "nulla egy ketto harom negy ot hat het nyolc kilenc",
    "zero unu doi trei patru cinci sase sapte opt noua", "nolla yksi kaksi kolme nelja viisi kuusi seitseman kahdeksan yhdeksan",
    "nol satu dua tiga empat lima enam tujuh delapan sembilan", "zero unu du tri kvar kvin ses sep ok nau",
    "rei ichi ni san yon go roku nana hachi kyu", "sifuri moja mbili tatu nne tano sita saba nane tisa",
)  # fmt: skip
_OTHER_SCRIPTS: Final = (
    "ноль один два три четыре пять шесть семь восемь девять", "нуль одна две три четыре пять шесть семь восемь девять",
    "нуль один два три чотири п'ять шість сім вісім дев'ять", "нула едно две три четири пет шест седем осем девет",
    "нула један два три четири пет шест седам осам девет", "μηδέν ένα δύο τρία τέσσερα πέντε έξι επτά οκτώ εννέα",
    "صفر واحد اثنان ثلاثة أربعة خمسة ستة سبعة ثمانية تسعة", "صفر واحد اثنين تلاتة اربعة خمسة ستة سبعة تمانية تسعة",
    "صفر یک دو سه چهار پنج شش هفت هشت نه", "אפס אחת שתיים שלוש ארבע חמש שש שבע שמונה תשע",
    "אפס אחד שניים שלושה ארבעה חמישה שישה שבעה שמונה תשעה", "शून्य एक दो तीन चार पांच छह सात आठ नौ", "शून्य एक दो तीन चार पाँच छः सात आठ नौ",
    "শূন্য এক দুই তিন চার পাঁচ ছয় সাত আট নয়", "ศูนย์ หนึ่ง สอง สาม สี่ ห้า หก เจ็ด แปด เก้า", "không một hai ba bốn năm sáu bảy tám chín",
    "ゼロ いち に さん よん ご ろく なな はち きゅう", "공 하나 둘 셋 넷 다섯 여섯 일곱 여덟 아홉", "零 一 二 三 四 五 六 七 八 九", "〇 一 二 三 四 五 六 七 八 九",
)  # fmt: skip
_AMBIGUOUS: Final = frozenset(
    {
        "to",
        "en",
        "un",
        "um",
        "sex",
        "due",
        "dos",
        "sei",
        "ni",
        "een",
        "ein",
        "null",
        "nul",
        "sept",
    }
)

_ENGLISH: Final = frozenset(
    "to um fire due sex en sei hat het pet ok go lima san bes ses du egy uc ot sep ni sita".split()
)
"""Words of English, or of everywhere, that are digits elsewhere: only beside digits from there."""
DIGITS: Final = {
    **{w: str(d) for words in _FOREIGN for d, w in enumerate(words.split()) if w not in _ENGLISH},
    **PAIRS,
    **_UNITS,
    **_TEENS,
}
"""What each word adds to the digits of a number."""
WIDE: Final = {folded(w): d for w, d in WIDE_PAIRS.items()} | {
    folded(w): str(d) for words in _OTHER_SCRIPTS for d, w in enumerate(words.split())
}
"""The same in other scripts, as a folded text shows them."""
BESIDE: Final[dict[str, tuple[tuple[str, frozenset[str]], ...]]] = {
    word: tuple(
        (str(words.split().index(word)), frozenset(words.split()) - _ENGLISH - _UNITS.keys())
        for words in _FOREIGN
        if word in words.split()
    )
    for word in _ENGLISH
} | BESIDE_PAIRS
"""Digits that words are only after others of the same language."""
WEAK: Final = _AMBIGUOUS | {"o", "oh", "nil", "tree", "en"}
"""Digit words that are other words as well: never first, last only beside strong ones."""
REPEATS: Final = {"double": 2, "triple": 3, "treble": 3, "quadruple": 4}
FILLERS: Final = frozenset(
    """
    uh um uhm er erm ah eh hmm mm dash hyphen space dot point and then comma plus area yes yeah okay ok right sorry
    dann aeh ahm eh ehm euh komma strich bindestrich schragstrich minus puis virgule tiret luego coma guion poi trattino
    mhm uhuh hang pause period stroke slash next again got it go ahead
    """.split()
)
"""Words inside a number that add nothing to it; only between two digits."""
CUES: Final = (
    r"postleitzahl|plz|geheimzahl|code postal|codigo postal|nummer|numero|last (?:four|4|five|5|six|6)|first (?:six|6)|pin|social|ssn|zip|postal|post ?code|cvv|cvc|security code|code|extension|ext|account|routing|card|"
    r"passcode|member|policy|case|badge|employee|number|digits|mrn|id|passport|licen[cs]e|phone|cell|mobile|area code|ending in|ends in|expir\w*"
)
