"""Check digits. They make a finding surer; failing one never clears what has the shape."""

from collections.abc import Sequence
from typing import Final

_NO_DIGITS: Final = bytes(octet for octet in range(256) if octet not in b"0123456789")
_DOUBLED: Final = str.maketrans("0123456789", "0246813579")
"""What each digit counts at every second place."""


def digits_of(text: str) -> str:
    """Return only the digits."""
    return text.encode("utf-8", "ignore").translate(None, _NO_DIGITS).decode("ascii")


def luhn(digits: str) -> bool:
    """Cards, IMEI, Canadian SIN."""
    if not digits.isascii() or not digits.isdecimal() or not digits.strip("0"):
        return False
    single, doubled = digits[::-2], digits[-2::-2].translate(_DOUBLED)
    return sum(map(int, single + doubled)) % 10 == 0


def mod97(account: str) -> bool:
    """IBAN, upper case and without separators."""
    moved = account[4:] + account[:4]
    try:
        return int("".join(str(int(character, 36)) for character in moved)) % 97 == 1
    except ValueError:
        return False


def weighted(digits: str, weights: Sequence[int], modulus: int) -> bool:
    """Whether the weighted sum of the digits is a multiple of ``modulus``."""
    return sum(int(d) * w for d, w in zip(digits, weights, strict=False)) % modulus == 0


def ean13(digits: str) -> bool:
    """Books and goods."""
    return len(digits) == 13 and weighted(digits, (1, 3) * 6 + (1,), 10)


def nhs(digits: str) -> bool:
    """Patients of the British health service."""
    return len(digits) == 10 and weighted(digits, (10, 9, 8, 7, 6, 5, 4, 3, 2, 1), 11)


def aba(digits: str) -> bool:
    """Routing numbers of banks of the United States."""
    return len(digits) == 9 and weighted(digits, (3, 7, 1) * 3, 10)
