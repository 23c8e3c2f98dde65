"""Words for digits, in the languages transcripts come in."""

from typing import Final

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
        "uno",
        "null",
        "nul",
        "sept",
    }
)

_ENGLISH: Final = frozenset({"to", "um", "fire", "due", "sex", "en", "sei"})
"""Words of English that are digits elsewhere: no number is worth these."""
DIGITS: Final = {
    **{w: str(d) for words in _FOREIGN for d, w in enumerate(words.split()) if w not in _ENGLISH},
    **_UNITS,
    **_TEENS,
}
"""What each word adds to the digits of a number."""
WEAK: Final = _AMBIGUOUS | {"o", "oh", "nil", "tree", "en"}
"""Digit words that are other words as well: never first, last only beside strong ones."""
REPEATS: Final = {"double": 2, "triple": 3, "treble": 3, "quadruple": 4}
FILLERS: Final = frozenset(
    """
    uh um uhm er erm ah eh hmm mm dash hyphen space dot point and then comma plus area yes yeah okay ok right sorry
    mhm uhuh hang pause period stroke slash next again got it go ahead
    """.split()
)
"""Words inside a number that add nothing to it; only between two digits."""
CUES: Final = (
    r"last (?:four|4|five|5|six|6)|first (?:six|6)|pin|social|ssn|zip|postal|post ?code|cvv|cvc|security code|code|extension|ext|account|routing|card|"
    r"passcode|member|policy|case|badge|employee|number|digits|mrn|id|passport|licen[cs]e|phone|cell|mobile|area code|ending in|ends in|expir\w*"
)
