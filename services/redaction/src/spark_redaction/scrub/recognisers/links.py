"""Addresses of pages that name a person: user info, profiles, personal parameters."""

from collections.abc import Iterator
from typing import Final

from spark_redaction.scrub.kinds import Kind
from spark_redaction.scrub.patterns import Pattern, any_of
from spark_redaction.scrub.recogniser import Finding, Recogniser
from spark_redaction.scrub.view import View

_TAIL: Final = rb"[^\s<>\"'`\])}]*"
_USER: Final = Pattern(rb"\b[a-z][a-z0-9+.-]{1,20}://[^\s/@\"'<>]+@" + _TAIL)
_PROFILE: Final = Pattern(
    rb"(?:https?://)?(?:[a-z]{2,3}\.)?(?:www\.|m\.)?(?:linkedin\.com/(?:in|pub)/|(?:twitter|x|instagram|tiktok|"
    rb"facebook|fb|medium|pinterest|threads|snapchat|twitch|github|gitlab|bitbucket|keybase|vk|"
    rb"soundcloud|strava|venmo|patreon|behance|dribbble|flickr|quora|about)\.(?:com|net|io|tv|me|org)/@?(?:u/|add/|user/|people/)?|t\.me/|wa\.me/|"
    rb"cash\.app/\$|paypal\.me/|calendly\.com/|(?:old\.)?reddit\.com/u(?:ser)?/|youtube\.com/(?:@|c/|user/)|"
    rb"xing\.com/profile/|stackoverflow\.com/users/|orcid\.org/|researchgate\.net/profile/|bsky\.app/profile/|"
    rb"mastodon\.social/@|t\.me/)[\w.%~+\xff-]+" + _TAIL
)
_PARAMETER: Final = Pattern(
    rb"https?://[^\s<>\"']*[?&;#](?:e?mail|user(?:name|id)?|uid|login|name|first_?name|last_?name|surname|phone|tel|ssn|"
    rb"dob|token|access_token|id_token|api_?key|key|secret|password|passwd|pwd|auth|session(?:id)?|sid|sig|signature|"
    rb"code|customer|account)=[^\s<>\"']+"
)
_PEOPLE: Final = Pattern(
    rb"https?://[^\s<>\"']*/(?:(?:users?|people|profiles?|members?)/|~/?)[a-z\xff_.%~+-][\w.%~+\xff-]+"
    + _TAIL
)
_ANY: Final = Pattern(
    rb"\b(?:https?://|www\.)[^\s<>\"']+|\b(?:[a-z0-9-]+\.)+(?:com|net|org|io|co|edu|gov|info|biz|dev|me|de|uk|fr|nl|es|it|ch|at)\b"
    + _TAIL
)
_NOT_PEOPLE: Final = (
    b"features",
    b"about",
    b"login",
    b"pricing",
    b"docs",
    b"topics",
    b"explore",
    b"settings",
    b"search",
    b"share",
    b"intent",
    b"sharer",
    b"orgs",
    b"marketplace",
)


def _find(view: View) -> Iterator[Finding]:
    for pattern in (_USER, _PROFILE, _PARAMETER, _PEOPLE):
        for match in pattern.matches(view):
            start, end = match.span()
            end = start + len(match[0].rstrip(b".,;:!?)"))
            if pattern is _PROFILE and (
                _is_repository(match[0].lower())
                or (start and (view.text[start - 1].isalnum() or view.text[start - 1] in "-."))
            ):
                continue
            yield start, end, Kind.LINK, ""


def _is_repository(link: bytes) -> bool:
    tail = link.split(b"/")[-1].split(b"?")[0]
    return tail in _NOT_PEOPLE


def _find_any(view: View) -> Iterator[Finding]:
    for match in _ANY.matches(view):
        start = match.start()
        yield start, start + len(match[0].rstrip(b".,;:!?)")), Kind.LINK, ""


LINK = Recogniser(
    "link",
    _find,
    rank=60,
    gate=any_of(_USER, _PROFILE, _PARAMETER, _PEOPLE),
)
ANY_LINK = Recogniser("any_link", _find_any, rank=30, needs=(b".",), strict_only=True)
