"""What clients and upstreams write for a language becomes ISO 639-1, or nothing."""

import re

_NAMES = {
    "bulgarian": "bg", "croatian": "hr", "czech": "cs", "danish": "da", "dutch": "nl",
    "english": "en", "estonian": "et", "finnish": "fi", "french": "fr", "german": "de",
    "greek": "el", "hungarian": "hu", "italian": "it", "latvian": "lv", "lithuanian": "lt",
    "maltese": "mt", "polish": "pl", "portuguese": "pt", "romanian": "ro", "russian": "ru",
    "slovak": "sk", "slovenian": "sl", "spanish": "es", "swedish": "sv", "ukrainian": "uk",
}  # fmt: skip
_CODE = re.compile(r"([a-z]{2})(?:[-_][a-z0-9]+)*")


def language_code(value: object) -> str | None:
    """Return two letters for ``en``, ``en-US`` or ``English``; None for ``auto``, ``und`` or junk.

    Nothing is guessed: a language that nobody named is no language.
    """
    if not isinstance(value, str):
        return None
    name = value.strip().lower()
    match = _CODE.fullmatch(name)
    return match[1] if match else _NAMES.get(name)
