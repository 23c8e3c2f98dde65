"""Days of birth: a date that words tie to being born."""

from collections.abc import Iterator
from typing import Final

from spark_redaction.scrub.checksums import digits_of
from spark_redaction.scrub.kinds import Kind
from spark_redaction.scrub.patterns import Pattern, any_of
from spark_redaction.scrub.recogniser import Finding, Recogniser
from spark_redaction.scrub.recognisers.dates import DATE
from spark_redaction.scrub.view import View

_BORN: Final = Pattern(
    rb"(?:\bdobs?|\bd\.o\.b\.?|\bdate[ _]of[ _]birth|\bbirth[ _]?dat?e?(?:y|s)?|\bbirthdays?|\bborn|\bgeb(?:oren|urtsdatum|\.?[ -]?datum|\.)?|\bbday|\bgeburtstag|\bnee?|\bnato|\bnata|\bdate de naissance|"
    rb"\bnacid[oa]|\bnacimiento|\bfecha de nacimiento|\bdata di nascita|\bnascid[oa]|\bdata de nascimento|\bgeboortedatum|\bfodt|\bfodelsedatum)"
    rb"(?:['\"]?\s*(?:is|was|on|the|in|am|le|el|il|em|it's|ist|est|for|[a-z]+'s|:|=|-|\(|\)|,|\"|'|dd/mm/yyyy|mm/dd/yyyy))*\s*"
    rb"(" + DATE + rb"|(?:19|20)\d\d\b|\d{1,2}\.\s?\d{1,2}\.|\d{1,2}/\d{1,2}\b)"
)
_STAR: Final = Pattern(
    rb"(?:[A-Za-z\xff),(] ?\*\s?(\d{1,2}\.\s?\d{1,2}\.\s?(?:19|20)\d\d)\b|\*\s?(\d{1,2}\.\s?\d{1,2}\.\s?(?:19|20)\d\d) in [A-Z\xff])",
    any_case=False,
)
"""As genealogists write it; a star before a date on its own begins an item of a list."""
_AFTER: Final = Pattern(
    rb"("
    + DATE
    + rb"|\b\d{1,2}\.\s?\d{1,2}\.)\s*(?:\(?(?:geburtstag|geboren|dob|date of birth|birthday|born|geb\.)\)?)"
)


def _find(view: View) -> Iterator[Finding]:
    for pattern in (_BORN, _AFTER):
        for match in pattern.matches(view):
            if match[0].startswith(b"NATO"):
                continue
            start, end = match.span(1)
            end = start + len(match[1].rstrip(b" ,-."))
            yield (
                start,
                end,
                Kind.BIRTH,
                digits_of(view.text[start:end]) if match[1][:1].isdigit() else "",
            )

    for match in _STAR.matches(view):
        group = 1 if match.start(1) >= 0 else 2
        yield *match.span(group), Kind.BIRTH, digits_of(match[group].decode("latin-1"))


BIRTH = Recogniser(
    "birth",
    _find,
    rank=63,
    gate=any_of(_BORN, _AFTER, _STAR),
)
