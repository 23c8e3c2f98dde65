"""Names of accounts at networks, where words say that it is one."""

from collections.abc import Iterator
from typing import Final

from spark_redaction.scrub.kinds import Kind
from spark_redaction.scrub.patterns import Pattern, any_of
from spark_redaction.scrub.recogniser import Finding, Recogniser
from spark_redaction.scrub.view import View

_SAID: Final = Pattern(
    rb"\b(?:twitter|x\.com|instagram|insta|ig|tiktok|telegram|discord|signal|mastodon|github|snapchat|snap|skype|facebook|fb|reddit|linkedin|threads|bluesky|venmo|cashapp|cash app|slack|"
    rb"wechat|line|kakao|twitch|steam|xbox|psn|youtube|handle|user ?name|user ?id|login|screen ?name|gamertag|nick(?:name)?|benutzername|nom d'utilisateur|usuario)\b"
    rb"(?:\s+(?:handle|name|user|username|account|id|profile|user name|tag))*\s*(?:is|are|at|:|=|-|ist|est|\(|on [a-z]+ is)*\s*[:=]?\s*[\"']?"
    rb"(@[\w.\-]{2,}(?:@[\w.\-]+)?|[a-z][\w.\-]*[\d_#][\w.\-#]*)"
)
_FEDIVERSE: Final = Pattern(
    rb"(?:^|[\s(,])(@[\w.\-]{2,}@[\w\-]+(?:\.[\w\-]+)+|@[\w.\-]+:[\w\-]+(?:\.[\w\-]+)+|\$[a-z][\w]{3,20}\b|live:[\w.\-]{3,60})"
)

_FOLDER: Final = Pattern(
    rb"(?:^|[\s\"'=:(\[~,;])/(?:home|Users)/([A-Za-z\xff][\w.\xff-]{1,31})|\b[A-Z]:\\{1,2}(?:Users|Benutzer|Documents and Settings)\\{1,2}([A-Za-z\xff][\w.\xff-]{1,31})",
    any_case=False,
)
_LOGGED: Final = Pattern(
    rb"\b(?:accepted [a-z/\-]{3,24}|failed (?:password|publickey|none)|session (?:opened|closed)) for (?:invalid user |user )?([a-z_][\w.\-]{1,31})\b"
    rb"|\binvalid user ([a-z_][\w.\-]{1,31}) from"
    rb"|(?:\b|_)(?:user|username|user_name|login|logname|ruser|acct|owner)=[\"']?([a-z_][\w.\-]{2,31})(?:[\"'\s,;)&]|$)"
)
"""As daemons write down who came in."""
_NOBODY: Final = frozenset(
    b"user users username you me name root admin administrator ubuntu debian runner app node git pi nvidia public default shared guest "
    b"jenkins postgres www-data deploy service vagrant ec2-user opc core steam true false none null string str self data redis nats mysql nobody daemon text int bool value default sshd anonymous unknown system".split()
)
"""Whose folder tells nothing."""


def _find(view: View) -> Iterator[Finding]:
    for pattern in (_SAID, _FEDIVERSE):
        for match in pattern.matches(view):
            start = match.start(1)
            value = match[1].rstrip(b".-#")
            if value[:1] == b"$" and (b"cash" not in view.low_octets or b"_" in value):
                continue
            yield start, start + len(value), Kind.HANDLE, ""
    for match in _FOLDER.matches(view):
        group = 1 if match.start(1) >= 0 else 2
        if match[group].lower() not in _NOBODY:
            yield *match.span(group), Kind.HANDLE, ""

    for match in _LOGGED.matches(view):
        group = next(each for each in (1, 2, 3) if match.start(each) >= 0)
        if match[group].lower() not in _NOBODY:
            yield *match.span(group), Kind.HANDLE, ""


HANDLE = Recogniser(
    "handle",
    _find,
    rank=45,
    gate=any_of(_SAID, _FEDIVERSE, _FOLDER, _LOGGED),
)
