"""Texts of any size and of bad intent, made here."""

import random

_SENTENCES = (
    "Hello Bob, thanks for the call on Monday.",
    "Please send the invoice 2024-117 to ann.roe@corp.internal and call 415-555-0132 after 3 pm.",
    "We agreed on $1,200 for the next quarter, and the team meets again in two weeks.",
    "The card 4111 1111 1111 1111 was declined at 203.0.113.9, she said.",
    "[00:06] Speaker_0: so we looked at the numbers and nothing stood out to me.",
    "[00:12] Speaker_1: right, let us keep it as it is for now and see what happens next.",
)

HOSTILE = {
    "dots and an at sign": "a.b" * 30_000 + "@x",
    "one long word": "a" * 100_000 + "@",
    "brackets": "[" * 100_000,
    "half placeholders": "[[PERSON_" * 10_000,
    "digits": "1 " * 50_000,
    "one number": "4" * 100_000,
    "number words": "one " * 25_000,
    "numbers in pairs": "quatre vingt " * 8_000,
    "parcels": "1Z " * 33_000,
    "street and town": "Abc 5\n12345 Xyz\n" * 6_000,
    "at dot": "at dot " * 15_000,
    "addresses": "http://" * 15_000,
    "escapes": "%40" * 33_000,
    "invisible": "\u200b" * 100_000,
    "expanding": "\ufdfa" * 50_000,
    "headers": "[00:06] Speaker_0: one\n" * 4_500,
    "colons": "a:" * 50_000,
    "tags": "<b>1</b>" * 12_000,
    "spaced letters": "a 1 - " * 17_000,
    "line breaks": "4111\n" * 20_000,
    "hyphens and line breaks": "a1-\n" * 25_000,
    "base64 runs": "QWxpY2UgU21pdGggNDE1 " * 4_800,
    "hexadecimal pairs": "34 31 " * 17_000,
    "streets": "Am Alten Markt 5, " * 5_500,
    "labels": "address: tel: " * 7_000,
    "wallets in a picture": "base64," + "1BvBMSEYstWetqTFn5Au4m4GFg7xJaNVN2/" * 3_000,
    "Russian digits": "один два три " * 8_000,
}


def prose(size: int) -> str:
    """Return so many characters of ordinary text, with something personal in every third line."""
    choose = random.Random(size)
    text = " ".join(choose.choice(_SENTENCES) for _ in range(size // 40 + 1))
    return text[:size]


def names(count: int) -> list[str]:
    """Return so many made-up names."""
    choose = random.Random(count)
    letters = "abdeghiklmnoprstuvz"
    return [
        " ".join("".join(choose.choices(letters, k=length)).title() for length in (6, 8))
        for _ in range(count)
    ]
