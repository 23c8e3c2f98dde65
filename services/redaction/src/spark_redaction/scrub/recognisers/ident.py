"""Numbers that words call somebody's: patient, case, employee, passport, licence, tax."""

import re
from collections.abc import Iterator
from typing import Final

from spark_redaction.scrub.kinds import Kind
from spark_redaction.scrub.patterns import Pattern, any_of
from spark_redaction.scrub.recogniser import Finding, Recogniser
from spark_redaction.scrub.view import View

_STRONG: Final = (
    rb"mrn|medical record|health record|nhs|nino|national insurance|ni no|passport|reisepass|pass-?nr|passeport|pasaporte|passaporto|paspoort|"
    rb"driver'?s? (?:licen[cs]e|id)(?: [a-z]{2})?|driving licen[cs]e|dl|licen[cs]e[ _-]?plate|license|licence|number plate|plate|kennzeichen|fuhrerschein\w*|permis de conduire|"
    rb"vat|ust-?id(?:-?nr)?|tva|iva|btw|ein|itin|tin|tax (?:id|file|payer|number)|tax|steuer(?:nummer|-?id|-?identifikationsnummer)|fiscal|codice fiscale|"
    rb"nif|nie|dni|cif|curp|rfc|rut|cpf|cnpj|pesel|bsn|aadhaar|aadhar|pan|personnummer|cpr|hetu|fodselsnummer|svnr|ahv|insee|"
    rb"beitrags\w*|vorgangs\w*|mandats\w*|mieter\w*|teilnehmer\w*|benutzer\w*|az|gz|geschaftszeichen|st\.?-?nr|id-?nr|siret|siren|p\.? ?iva|partita iva|rg|nss|ird|vertrag|\w*ausweis\w*|schuler\w*|"
    rb"(?:kd|perso|policen?|vers|zahler|mitgl|vertr|depot|abo|patienten?|fall|sv|rv|kv)\.?[- ]?(?:nr|nummer)|meter (?:no|number)|seriennummer|"
    rb"personal-?(?:nummer|nr)|kunde|employee|emp|staff|personnel|mitarbeiter|payroll|badge|student|matrikel\w*|member|membership|policy|insurance|versicherung\w*|claim|case|docket|aktenzeichen|matter|"
    rb"patient|beneficiary|medicare|medicaid|mbi|npi|dea|customer|client|kunden\w*|\w*versicher\w*|kranken\w*|mitglied\w*|patienten\w*|vertrags\w*|akten\w*|klant\w*|polis(?:nummer)?|dossier\w*|lidnummer|adherent|assure|poliza|expediente|polizza|pratica|apolice|polisy|klienta|subscriber|visa|green card|alien|uscis|"
    rb"voter|national id|identity card|id card|personalausweis\w*|ausweis\w*|identification|govt id|government id|resident|social insurance|sin|"
    rb"imei|imsi|iccid|vin|vehicle identification|serial|device|frequent flyer|loyalty|reservation|booking|pnr|record locator|prescription|rx|chart|specimen|accession|inmate|military|service|"
    rb"sozialversicherungs(?:nummer|nr)|rentenversicherungs(?:nummer|nr)|plaque|immatriculation|targa|matricula|carta d'identita|dowod(?: osobisty| tozsamosci)?|nip|regon|rodne cislo|"
    rb"taj|taj szam|szemelyi igazolvany|isikukood|asmens kodas|personas kods|kimlik|tc kimlik|cccd|cmnd|nik|ktp|pps|ppsn|utr|kra pin|hkid|cedula(?: de ciudadania)?|cuit|cuil|nit|clave de elector|"
    rb"titre de sejour|securite sociale|numero de securite sociale|carte vitale|carte d'identite|documento|documento de identidad|kennitala|oib|jmbg|emso|egn|cnp|amka|afm|bvn|nin|emirates id|iqama|"
    rb"ni|national insurance|id-?kaart|identiteitskaart|rijksregister(?:nummer)?|burgerservicenummer|henkilotunnus|fodselsnummer|personnummer|osobni cislo|obciansky preukaz|driving license|"
    rb"user|profile|applicant|application|candidate|tenant|loan|mortgage|portfolio|ssn|abn|acn|tfn|crn|company number|registration|duns|lei"
)
_NUMBER: Final = rb"(?:[ _-]?(?:number|num|no|nr|id|code|ref(?:erence)?|card|card number|#|nummer|numero|file|record))*"
_JOIN: Final = rb"(?:\.|['\"])?\s{0,2}(?:(?:is|was|are|ist|lautet|est|es|e)\s+|[:=#]|-\s|no\.?\s|nr\.?\s|\()?\s{0,3}[:=#\"'(]{0,2}\s{0,2}"
_VALUE: Final = rb"(\d{1,3} [a-z]{1,4} \d{1,5}/\d{2,4}\b|[a-z]{2}\d{2} [a-z]{3}\b|[a-z]{0,4}[ _-]?\d[a-z0-9]*(?:[-/.][a-z0-9]+|[ ][a-z]{0,2}\d[a-z0-9]*|[ ][a-z][ ]\d[a-z0-9]*){0,7}(?:[-/ ]?[a-d]\b)?|[a-z]{1,3}-[a-z]{1,2}[ -]?\d{1,4}|[a-z0-9]+(?:[-/.][a-z0-9]+){0,5})"
_SAID: Final = Pattern(
    rb"\b("
    + _STRONG
    + rb")(?:\b|_|(?:id|number|num|no|nr|code)(?:\b|_))("
    + _NUMBER
    + rb")("
    + _JOIN
    + rb")"
    + _VALUE
)
_AFTERWARDS: Final = Pattern(
    rb"\b([a-z]{0,3}\d{5,12}[a-z]?)\s(?:is|was|ist|war)\s(?:the|my|her|his|your|their|our|mein\w*|ihr\w*|sein\w*|dein\w*)\s(?:[a-z]{1,14}\s)?(?:"
    + _STRONG
    + rb")\b"
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
    match = _SAID.first(view, 0)
    while match is not None:
        start = match.start(4)
        if match[1].lower() in _OF_PROGRAMS and view.octets[match.end(1) : start][:1].isalpha():
            match = _SAID.first(view, match.end(1))
            continue
        numbered = bool(match[2].strip()) or match[1].lower().endswith((b"nummer", b"nr"))
        named = 2 * numbered or bool(match[3].strip(b" ."))
        value = match[4].rstrip(b"-/. ")
        end = start + len(value)
        found = _is_ident(value, named=named)
        if found:
            yield start, end, Kind.IDENT, _key(view.lower[start:end])
        # What was no value may be the word before one: "booking PNR X7K9QZ".
        match = _SAID.first(view, max(end, start + 1) if found else match.end(1))
    for match in _AFTERWARDS.matches(view):
        yield *match.span(1), Kind.IDENT, _key(view.lower[match.start(1) : match.end(1)])
    for match in _ANY_ID.matches(view):
        yield *match.span(1), Kind.IDENT, _key(view.lower[match.start(1) : match.end(1)])


_OF_SENTENCE: Final = re.compile(rb"[a-z]{2,4} (?:(?:19|20)\d\d\b|\d{1,2}[./]\d{1,2}[./])")
"""A small word and a year or a day: "Vertrag vom 12.03.2024"."""
_OF_PROGRAMS: Final = frozenset(
    b"application service device policy claim case portfolio registration profile matter alien".split()
)
"""Of things in ``serviceId``; in ``userId`` somebody."""
_NO_IDENT: Final = re.compile(
    rb"\d+\.\d+(?:-\d+\.\d+)?\Z|[a-z]{3,} \d{1,3}\Z|(?:a|l)?gpl|mit-|apache|bsd|mpl|cc-by",
    re.IGNORECASE,
)
"""Shares, words with a small number behind them, and licences of programs."""


def _is_ident(value: bytes, *, named: int) -> bool:
    """``named`` is 2 after "number" and the like, 1 after a colon or a verb."""
    if value.lower().startswith(_PROSE) or _NO_IDENT.match(value):
        return False
    if _OF_SENTENCE.match(value):
        return False
    digits = sum(48 <= c <= 57 for c in value)
    letters = sum(chr(c).isalpha() for c in value if c < 0x80)
    if digits == 4 and not letters and value[:2] in (b"19", b"20"):
        return False
    if digits == 0 or (digits < 3 and letters < 3):
        return False
    if digits + 1 == len(value) and (b"." in value or b":" in value):
        return False
    if digits >= 2 and letters >= 2 and len(value) >= 5 and value.isupper() and b"." not in value:
        return True
    if named:
        return digits >= 5 - named or (digits >= 2 and letters >= 2)
    return digits >= 5 or (digits >= 3 and letters >= 1 and len(value) >= 5)


def _key(text: str) -> str:
    return "".join(character for character in text if character.isalnum())


IDENT = Recogniser(
    "ident", _find, rank=58, needs_digits=True, gate=any_of(_SAID, _AFTERWARDS, _ANY_ID)
)
