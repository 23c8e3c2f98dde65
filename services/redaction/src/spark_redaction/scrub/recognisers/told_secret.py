"""What people say a secret is: "the password is ...", ``token=...``, a seed phrase, a code."""

import re
from collections.abc import Iterator
from typing import Final

from spark_redaction.scrub.kinds import Kind
from spark_redaction.scrub.patterns import Pattern, any_of
from spark_redaction.scrub.recogniser import Finding, Recogniser
from spark_redaction.scrub.view import View

_WORDS: Final = (
    rb"[a-z]{1,12}(?:password|passwd|passwort|secret|apikey|token)|pw|pass(?:word|phrase|wd|code)?s?|pwd|passwort|kennwort|mot de passe|contrasena|clave|senha|wachtwoord|losenord|haslo|"
    rb"secret(?:[ _-]?(?:key|access[ _-]?key))?|api[ _-]?(?:key|token|secret)|access[ _-]?(?:key|token)(?:[ _-]?id)?|auth(?:orization)?[ _-]?token|"
    rb"refresh[ _-]?token|bearer[ _-]?token|id[ _-]?token|session[ _-]?(?:id|token|key)|client[ _-]?secret|private[ _-]?key|encryption[ _-]?key|"
    rb"token|credentials?|login code|wifi(?: password| key)?|psk|security answer|webhook[ _-]?secret|signing[ _-]?key|licen[cs]e[ _-]?key|product[ _-]?key"
)
_LINK: Final = rb"(?:'s\s+|[\"']?\s{0,3}(?:[:=]|=>|:=|->)\s{0,3}|\s+(?:is|was|are|ist|lautet|est|es|e|to|as)(?:\s+now)?\s*:?\s+)"
_ASSIGNED: Final = Pattern(
    rb"(?:\b|_)(?:"
    + _WORDS
    + rb")(?:\s+(?:for|of|to|fur|zum|de)\s+(?:the\s+|my\s+|our\s+)?[\w.@-]+(?:\s+[\w.@-]+)?)?"
    + _LINK
    + rb"(?:[\"']([^\"'\n]{1,200})[\"']|([^\s\"',;<>]+))"
)
_HEADER: Final = Pattern(
    rb"\b(?:bearer|basic|digest|token|apikey)\s+([\w.~+/\-]{8,}={0,3})|\b(?:x-api-key|api-key|x-auth-token|cookie|set-cookie|authorization)\s*:\s*([^\n\"']+)"
)
_OPTION: Final = Pattern(
    rb"(?:^|\s)(?:-u|--user|--proxy-user)(?:\s+|=)[\"']?[^\s:\"'/]{0,63}[a-z_][^\s:\"'/]{0,63}:([^\s\"']{3,})"
    rb"|(?:^|\s)--?(?:pass(?:word|wd|phrase)?|pw|pwd|(?:access-|auth-|api-)?token|(?:client-)?secret|api-?key|secret-key)(?:\s+|=)[\"']?([^\s\"'-][^\s\"']{2,})"
    rb"|\b(?:sshpass|mysql\w*|mariadb|mongo\w*|redis-cli)\b[^\n|;&]{0,60}?\s-(?:p|a)\s?[\"']?([^\s\"'-][^\s\"']{2,})"
)
_GROUPED: Final = Pattern(
    rb"\b(?:backup|recovery|activation|unlock|reset|invite|rescue|redeem|gift|licen[cs]e|product|pairing) (?:code|key)s?\s{0,2}(?:is|:|=)?\s{0,2}"
    rb"((?:[a-z0-9]{3,8}-){1,6}[a-z0-9]{3,8})\b"
)
_ELEMENT: Final = Pattern(rb"<(?:" + _WORDS + rb")(?: [^<>]{0,80})?>([^<>\n]{3,200})</")
"""In XML."""
_SESSION: Final = Pattern(
    rb"\b(?:session|sess|sid|csrf|xsrf|csrftoken|jwt|phpsessid|jsessionid)[\"']?\s?[=:]\s?[\"']?([\w.~+/\-]{12,})"
)
_SEED: Final = Pattern(
    rb"(?:seed|recovery|mnemonic|backup|secret)(?:\s+(?:phrase|words?|seed|key))*(?:\s+(?:is|are|was))?\s*[:=-]?\s*[\"']?"
    rb"((?:(?:\d{1,2}[.)]\s*)?[a-z]{3,8}[\s,]+){11,24}(?:\d{1,2}[.)]\s*)?[a-z]{3,8})\b"
)
_CODE: Final = Pattern(
    rb"\b(?:cvv2?|cvc2?|csc|cid|security code|card verification(?: value| code)?|pin(?:[ -](?:code|number|nummer))?|(?:safe|lock|locker|vault|bike)(?:'s)? (?:combination|code)|combination|kombination|otp|one[ -]time (?:code|password|passcode)|"
    rb"verification code|2fa(?: code)?|mfa(?: code)?|auth(?:entication)? code|access code|gate code|door code|alarm code|passcode|unlock code|"
    rb"confirmation code|(?:your|my|ihr|dein|mein|use|use the|enter|enter the|type|with|den) code|sms code|login code|lockbox(?: code)?|geheimzahl|code secret|code confidentiel|(?:i|m|sms-|push-?|photo-?)?tan|puk|(?:karten)?pruf(?:ziffer|nummer)|sicherheits(?:code|nummer)|bestatigungscode|freischaltcode|einmalcode|verifizierungscode|code de (?:verification|securite)|codigo de (?:verificacion|seguridad)|codice di (?:verifica|sicurezza))"
    rb"[\"']?(?:\s+(?:number|no))?(?:\s+(?:on the back|for (?:the |my )?[a-z]+(?: [a-z]+)?))?(?:'s)?\s*(?:is|was|:|=|#|-|ist|est|to)*\s*(?:now\s+)?[:#=]?\s*[\"']?(\d(?:[ -]?\d){2,9})\b"
)
_CODE_LIKE: Final = re.compile(rb"\$[A-Z_]+\Z|\$[({]|[`(\\]|%[a-z]\b|\w+[\[(]|\w+\)|\.\.\.")
"""A variable or a piece of a program, and not what it holds."""
_NAMES_ONE: Final = re.compile(
    rb"(?:[A-Za-z]+[._])*(?:token|secret|password|passwd|key|session_id)s?\Z"
    rb"|(?:[A-Z][a-z]+)*(?:Token|Secret|Password|Key|Str)(?:[A-Z][a-z]+)*\Z"
)
"""Letters that say secret themselves: a type, a field or a variable, as in ``token: LockToken``."""
_TITLE: Final = re.compile(rb"[A-Z]?[a-z]+[.,;:]?\Z")
"""A word as a sentence has it."""
_RANDOM: Final = re.compile(rb"[0-9A-Z]")
_GOES_ON: Final = re.compile(r",? [A-Za-z][a-z]+(?:[ ,.;]|\Z)")
_PLAIN: Final = frozenset(
    b"password passwd pwd token secret key user username value login name none optional field a an the not no in on at it that this there here wrong correct required expired invalid reset changed incorrect secure safe "
    b"strong weak too very only needed missing set empty null none true false protected hashed encrypted stored used known "
    b"being and or so what where when how why who which sent shared same different new old my your our their his her for from "
    b"to is was be been will would should can could must may might never always still already also just string str text int bool "
    b"of with by if but about like important good bad something someone anything rotated working await final bytes float broken valid stale leaked".split()
)  # fmt: skip


def _find(view: View) -> Iterator[Finding]:
    yield from _assigned(view)
    yield from _given(view)
    for pattern in (_HEADER, _SEED, _CODE, _ELEMENT):
        for match in pattern.matches(view):
            group = 2 if pattern is _HEADER and match.start(1) < 0 else 1
            start, end = match.span(group)
            value = match[group]
            if (
                pattern is _HEADER
                and group == 1
                and (_TITLE.match(value) or not _RANDOM.search(value))
            ):
                continue
            yield start, end, Kind.SECRET, view.text[start:end]


def _assigned(view: View) -> Iterator[Finding]:
    """Behind a word for it and a colon, a sign or a verb."""
    for match in _ASSIGNED.matches(view):
        group = 1 if match.start(1) >= 0 else 2
        start, end = match.span(group)
        if group == 2:
            end = start + len(match[2].rstrip(b".!?)]}"))
        value = view.octets[start:end]
        if match[0].lower().startswith(b"nopass"):
            continue
        if group == 2 and _is_prose(view, match[0], value, match.end(2)):
            continue
        if match[0][:7].lower() == b"session" and value.isalpha() and len(value) < 12:
            continue
        if _is_secret(value, quoted=group == 1, said=b"=" not in match[0] and b":" not in match[0]):
            yield start, end, Kind.SECRET, view.text[start:end]


def _given(view: View) -> Iterator[Finding]:
    """As options of a command, and as sessions."""
    for match in _OPTION.matches(view):
        group = next(each for each in (1, 2, 3) if match.start(each) >= 0)
        start, end = match.span(group)
        value = view.octets[start:end]
        if not value.strip(b";,.)").isdigit() and _is_secret(value, quoted=False, said=False):
            yield start, end, Kind.SECRET, view.text[start:end]
    for pattern in (_SESSION, _GROUPED):
        for match in pattern.matches(view):
            if any(48 <= each <= 57 for each in match[1]):
                yield *match.span(1), Kind.SECRET, view.text[match.start(1) : match.end(1)]


def _is_prose(view: View, found: bytes, value: bytes, end: int) -> bool:
    """Whether a sentence goes on behind a colon: "with its token: extend it"."""
    return (
        _TITLE.match(value) is not None
        and b"pass" not in found.lower()
        and _GOES_ON.match(view.text, end) is not None
    )


def _is_secret(value: bytes, *, quoted: bool, said: bool) -> bool:
    low = value.lower()
    if not value.strip(b"*x.-_#"):
        return False
    if low in _PLAIN or len(value) < 3 or value[:2] in (b"[[", b"${", b"{{"):
        return False
    if _CODE_LIKE.match(value) or (not quoted and _NAMES_ONE.match(value)):
        return False
    if value.startswith((b"os.", b"process.", b"self.", b"env", b"get", b"<")) or value.endswith(
        b"("
    ):
        return False
    if quoted or not said:
        return True
    # Said in prose: an ordinary word is more likely prose than a password.
    return any(not (97 <= c <= 122) for c in value[1:]) or len(value) > 14


TOLD_SECRET = Recogniser(
    "told_secret",
    _find,
    rank=80,
    gate=any_of(_ASSIGNED, _OPTION, _HEADER, _SESSION, _GROUPED, _SEED, _CODE, _ELEMENT),
)  # fmt: skip
