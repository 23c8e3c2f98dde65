"""Ways to write a value so that a pattern misses it and a reader does not."""

import base64
import codecs
from collections.abc import Callable
from typing import Final
from urllib.parse import quote

_ALIKE: Final = str.maketrans("aeopcxiAEOPCX", "аеорсхіАЕОРСХ")
_DIGIT_WORDS: Final = {
    "en": "zero one two three four five six seven eight nine",
    "de": "null eins zwei drei vier fünf sechs sieben acht neun",
    "fr": "zéro un deux trois quatre cinq six sept huit neuf",
    "es": "cero uno dos tres cuatro cinco seis siete ocho nueve",
    "it": "zero uno due tre quattro cinque sei sette otto nove",
    "pl": "zero jeden dwa trzy cztery pięć sześć siedem osiem dziewięć",
    "sv": "noll ett två tre fyra fem sex sju åtta nio",
    "tr": "sıfır bir iki üç dört beş altı yedi sekiz dokuz",
    "ru": "ноль один два три четыре пять шесть семь восемь девять",
    "hi": "शून्य एक दो तीन चार पांच छह सात आठ नौ",
    "ja": "零 一 二 三 四 五 六 七 八 九",
}


def _cut(with_what: str) -> Callable[[str], str]:
    return lambda value: value[: len(value) // 2] + with_what + value[len(value) // 2 :]


def _digits_from(zero: int) -> Callable[[str], str]:
    return lambda value: "".join(chr(zero + int(c)) if c.isdigit() else c for c in value)


def _said(language: str) -> Callable[[str], str]:
    words = _DIGIT_WORDS[language].split()
    return lambda value: " ".join(words[int(c)] for c in value if c.isdigit())


def _wide(value: str) -> str:
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in value)


WRITTEN: Final[dict[str, Callable[[str], str]]] = {
    "plain": lambda value: value,
    "invisible characters": "\u200b".join,
    "soft hyphen": _cut("\u00ad"),
    "combining marks": "\u0332".join,
    "right to left": lambda value: f"\u202e{value}\u202c",
    "full width": _wide,
    "look-alike letters": lambda value: value.translate(_ALIKE),
    "Arabic digits": _digits_from(0x660),
    "Devanagari digits": _digits_from(0x966),
    "line break": _cut("\n"),
    "hyphen and line break": _cut("-\n"),
    "line break and indent": _cut("\r\n    "),
    "bold inside": lambda value: f"{value[:2]}<b>{value[2:5]}</b>{value[5:]}",
    "a tag for each letter": lambda value: "".join(f"<span>{c}</span>" for c in value),
    "comment inside": _cut("<!-- x -->"),
    "emphasis inside": lambda value: f"{value[:3]}**{value[3:6]}**{value[6:]}",
    "percent": lambda value: "".join(f"%{octet:02X}" for octet in value.encode()),
    "percent twice": lambda value: quote(quote(value, safe=""), safe=""),
    "HTML entities": lambda value: "".join(f"&#{ord(c)};" for c in value),
    "JSON escapes": lambda value: "".join(f"\\u{ord(c):04x}" for c in value),
    "quoted printable": lambda value: "".join(f"={octet:02X}" for octet in value.encode()),
    "base64": lambda value: base64.b64encode(value.encode()).decode(),
    "base64 for addresses": lambda value: base64.urlsafe_b64encode(value.encode()).decode().rstrip("="),
    "base64 twice": lambda value: base64.b64encode(base64.b64encode(value.encode())).decode(),
    "base32": lambda value: base64.b32encode(value.encode()).decode(),
    "hexadecimal": lambda value: value.encode().hex(),
    "hexadecimal pairs": lambda value: value.encode().hex(" "),
    "binary": lambda value: " ".join(f"{octet:08b}" for octet in value.encode()),
    "rot13": lambda value: codecs.encode(value, "rot13"),
    "backwards": lambda value: value[::-1],
    "letter by letter": " ".join,
    "dotted": ".".join,
    "dashed": "-".join,
    "underscored": "_".join,
}  # fmt: skip
"""Of any value."""
SAID: Final = {f"said, {language}": _said(language) for language in _DIGIT_WORDS}
"""Of numbers."""
