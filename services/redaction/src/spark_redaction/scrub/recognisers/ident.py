"""Numbers that words call somebody's: patient, case, employee, passport, licence, tax."""

from collections.abc import Iterator
from typing import Final

from spark_redaction.scrub.kinds import Kind
from spark_redaction.scrub.patterns import Pattern
from spark_redaction.scrub.recogniser import Finding, Recogniser
from spark_redaction.scrub.view import View

_STRONG: Final = (
    rb"mrn|medical record|health record|nhs|nino|national insurance|ni no|passport|reisepass|pass-?nr|passeport|pasaporte|passaporto|paspoort|"
    rb"driver'?s? (?:licen[cs]e|id)|driving licen[cs]e|dl|licen[cs]e plate|license|licence|number plate|plate|kennzeichen|fuhrerschein\w*|permis de conduire|"
    rb"vat|ust-?id(?:-?nr)?|tva|iva|btw|ein|itin|tin|tax (?:id|file|payer|number)|tax|steuer(?:nummer|-?id|-?identifikationsnummer)|fiscal|codice fiscale|"
    rb"nif|nie|dni|cif|curp|rfc|rut|cpf|cnpj|pesel|bsn|aadhaar|aadhar|pan|personnummer|cpr|hetu|fodselsnummer|svnr|ahv|insee|"
    rb"employee|emp|staff|personnel|mitarbeiter|payroll|badge|student|matrikel\w*|member|membership|policy|insurance|versicherung\w*|claim|case|docket|aktenzeichen|matter|"
    rb"patient|beneficiary|medicare|medicaid|mbi|npi|dea|customer|client|kunden\w*|subscriber|visa|green card|alien|uscis|"
    rb"voter|national id|identity card|id card|personalausweis\w*|ausweis\w*|identification|govt id|government id|resident|social insurance|sin|"
    rb"imei|imsi|iccid|vin|vehicle identification|serial|device|frequent flyer|loyalty|reservation|booking|pnr|record locator|prescription|rx|chart|specimen|accession|inmate|military|service|"
    rb"user|profile|applicant|application|candidate|tenant|loan|mortgage|portfolio|ssn|abn|acn|tfn|crn|company number|registration|duns|lei"
)
_NUMBER: Final = rb"(?:[ _-]?(?:number|num|no|nr|id|code|ref(?:erence)?|card|card number|#|nummer|numero|file|record))*"
_JOIN: Final = rb"(?:\.|['\"])?\s{0,2}(?:(?:is|was|are|ist|lautet|est|es|e)\s+|[:=#]|-\s|no\.?\s|nr\.?\s|\()?\s{0,3}[:=#\"'(]{0,2}\s{0,2}"
_VALUE: Final = rb"([a-z]{0,4}[ -]?\d[a-z0-9]*(?:[-/.][a-z0-9]+|[ ][a-z]{0,2}\d[a-z0-9]*){0,7}(?:[-/ ]?[a-d]\b)?|[a-z0-9]+(?:[-/.][a-z0-9]+){0,5})"
_SAID: Final = Pattern(
    rb"\b(?:" + _STRONG + rb")(?:\b|_)(" + _NUMBER + rb")(" + _JOIN + rb")" + _VALUE
)
_PROSE: Final = (
    b"in ",
    b"on ",
    b"of ",
    b"at ",
    b"by ",
    b"to ",
    b"is ",
    b"as ",
    b"or ",
    b"for ",
    b"than ",
    b"from ",
    b"with ",
    b"and ",
    b"the ",
)
_ANY_ID: Final = Pattern(
    rb"\b(?:id|ref|reference|uuid|guid)\s{0,2}(?:number|no\.?|#)?\s{0,2}[:#=]\s{0,3}([a-z]{0,5}[-]?\d[a-z0-9-]{3,})"
)


def _find(view: View) -> Iterator[Finding]:
    for match in _SAID.matches(view):
        start, end = match.span(3)
        named = 2 * bool(match[1].strip()) or bool(match[2].strip(b" ."))
        value = match[3].rstrip(b"-/. ")
        end = start + len(value)
        if _is_ident(value, named=named):
            yield start, end, Kind.IDENT, _key(view.lower[start:end])
    for match in _ANY_ID.matches(view):
        yield *match.span(1), Kind.IDENT, _key(view.lower[match.start(1) : match.end(1)])


def _is_ident(value: bytes, *, named: int) -> bool:
    """``named`` is 2 after "number" and the like, 1 after a colon or a verb."""
    if value.lower().startswith(_PROSE):
        return False
    digits = sum(48 <= c <= 57 for c in value)
    letters = sum(chr(c).isalpha() for c in value if c < 0x80)
    if digits == 4 and not letters and value[:2] in (b"19", b"20"):
        return False
    if digits == 0 or (digits < 3 and letters < 3):
        return False
    if digits + 1 == len(value) and (b"." in value or b":" in value):
        return False
    if named:
        return digits >= 5 - named or (digits >= 2 and letters >= 2)
    return digits >= 5 or (digits >= 3 and letters >= 1 and len(value) >= 5)


def _key(text: str) -> str:
    return "".join(character for character in text if character.isalnum())


IDENT = Recogniser("ident", _find, rank=58, needs_digits=True)
