"""Every recogniser there is; a new class is a file and a line here."""

from typing import Final

from spark_redaction.scrub.recogniser import Recogniser
from spark_redaction.scrub.recognisers.account import ACCOUNT
from spark_redaction.scrub.recognisers.address import ADDRESS as STREET
from spark_redaction.scrub.recognisers.birth import BIRTH
from spark_redaction.scrub.recognisers.birth_words import BIRTH_WORDS
from spark_redaction.scrub.recognisers.card import CARD
from spark_redaction.scrub.recognisers.crypto import CRYPTO
from spark_redaction.scrub.recognisers.dwellings import DWELLINGS
from spark_redaction.scrub.recognisers.email import PLAIN, WRITTEN
from spark_redaction.scrub.recognisers.handle import HANDLE
from spark_redaction.scrub.recognisers.iban import IBAN
from spark_redaction.scrub.recognisers.ident import IDENT
from spark_redaction.scrub.recognisers.labelled import LABELLED
from spark_redaction.scrub.recognisers.links import ANY_LINK, LINK
from spark_redaction.scrub.recognisers.local_phone import LOCAL_PHONE
from spark_redaction.scrub.recognisers.lone import LONE
from spark_redaction.scrub.recognisers.national import NATIONAL
from spark_redaction.scrub.recognisers.network import ADDRESS, MAC
from spark_redaction.scrub.recognisers.opaque import OPAQUE
from spark_redaction.scrub.recognisers.parcel import PARCEL
from spark_redaction.scrub.recognisers.phone import PHONE
from spark_redaction.scrub.recognisers.postcode import POSTCODE
from spark_redaction.scrub.recognisers.secret import SECRET
from spark_redaction.scrub.recognisers.social import SSN
from spark_redaction.scrub.recognisers.streets import STREETS
from spark_redaction.scrub.recognisers.strict import DATE_ANY, MONEY, NUMBER
from spark_redaction.scrub.recognisers.told_secret import TOLD_SECRET
from spark_redaction.scrub.spoken.codes import SPOKEN_CODE
from spark_redaction.scrub.spoken.mail import SPOKEN_EMAIL
from spark_redaction.scrub.spoken.numbers import SPOKEN_NUMBER
from spark_redaction.scrub.spoken.spelled import SPELLED

RECOGNISERS: Final[tuple[Recogniser, ...]] = (
    PLAIN,
    WRITTEN,
    PHONE,
    LOCAL_PHONE,
    CARD,
    SSN,
    IBAN,
    ACCOUNT,
    PARCEL,
    IDENT,
    NATIONAL,
    BIRTH,
    BIRTH_WORDS,
    STREET,
    STREETS,
    DWELLINGS,
    POSTCODE,
    LABELLED,
    ADDRESS,
    MAC,
    LINK,
    HANDLE,
    CRYPTO,
    SECRET,
    OPAQUE,
    TOLD_SECRET,
    SPOKEN_NUMBER,
    SPOKEN_EMAIL,
    SPOKEN_CODE,
    SPELLED,
    DATE_ANY,
    MONEY,
    NUMBER,
    ANY_LINK,
    LONE,
)
