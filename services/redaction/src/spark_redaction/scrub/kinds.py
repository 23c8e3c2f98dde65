"""The closed list of what a placeholder can stand for."""

from enum import StrEnum
from typing import Final


class Kind(StrEnum):
    """Type part of a placeholder; never two letters, for ``ID_1`` is a name in many a program."""

    PERSON = "PERSON"
    ORG = "ORG"
    PLACE = "PLACE"
    EMAIL = "EMAIL"
    PHONE = "PHONE"
    CARD = "CARD"
    SSN = "SSN"
    IBAN = "IBAN"
    ACCOUNT = "ACCOUNT"
    IDENT = "IDENT"
    BIRTH = "BIRTH"
    ADDRESS = "ADDRESS"
    IPADDR = "IPADDR"
    MACADDR = "MACADDR"
    LINK = "LINK"
    HANDLE = "HANDLE"
    CRYPTO = "CRYPTO"
    SECRET = "SECRET"  # noqa: S105
    DATE = "DATE"
    MONEY = "MONEY"
    NUMBER = "NUMBER"
    OTHER = "OTHER"
    LITERAL = "LITERAL"


BY_NAME: Final = {kind.value: kind for kind in Kind}
NAMES: Final = tuple(BY_NAME)

ALIASES: Final = {
    "COMPANY": Kind.ORG,
    "ORGANIZATION": Kind.ORG,
    "ORGANISATION": Kind.ORG,
    "PER": Kind.PERSON,
    "NAME": Kind.PERSON,
    "LOCATION": Kind.PLACE,
    "LOC": Kind.PLACE,
    "GPE": Kind.PLACE,
    "CITY": Kind.PLACE,
    "STREET_ADDRESS": Kind.ADDRESS,
    "EMAIL_ADDRESS": Kind.EMAIL,
    "PHONE_NUMBER": Kind.PHONE,
    "CREDIT_CARD": Kind.CARD,
    "US_SSN": Kind.SSN,
    "IBAN_CODE": Kind.IBAN,
    "IP": Kind.IPADDR,
    "IP_ADDRESS": Kind.IPADDR,
    "URL": Kind.LINK,
    "ID": Kind.IDENT,
    "USERNAME": Kind.HANDLE,
    "DOB": Kind.BIRTH,
}


def kind_of(name: str) -> Kind:
    """Return the kind a caller's word means; OTHER for a word nobody knows."""
    word = name.strip().upper().replace(" ", "_").replace("-", "_")
    return ALIASES.get(word) or (Kind(word) if word in NAMES else Kind.OTHER)
