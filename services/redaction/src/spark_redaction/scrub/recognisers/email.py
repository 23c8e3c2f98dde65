"""Mail addresses: any top level, local names, spaced out, and written around robots."""

import re
from collections.abc import Iterator
from typing import Final

from spark_redaction.scrub.kinds import Kind
from spark_redaction.scrub.names.unspaced import UNSPACED
from spark_redaction.scrub.patterns import Pattern
from spark_redaction.scrub.recogniser import Finding, Recogniser
from spark_redaction.scrub.recognisers.top_levels import TOP_LEVELS
from spark_redaction.scrub.view import View

_LOCAL: Final = rb"[\w.!#$%&'*+/=?^{|}~\xff\xa4-]+"
_LABEL: Final = rb"[\w\xff](?:[\w\xff-]*[\w\xff])?"
_TLD: Final = rb"(?:" + TOP_LEVELS + rb")"
_PLAIN: Final = Pattern(
    rb'(?:"[^"\n]{1,64}"|' + _LOCAL + rb")@(?:" + _LABEL + rb"(?:\." + _LABEL + rb")*"
    rb"|\[[0-9a-f.:]{3,45}\])"
)
_ASSIGNED: Final = re.compile(rb"(?:[\w.&?-]{1,40}=['*]{0,2})+(?=[^='])")
_ENDS_IN_TOP: Final = re.compile(rb"\.(?:" + TOP_LEVELS + rb")\Z", re.IGNORECASE)
_SPACED: Final = Pattern(
    rb"[\w.+\xff-]+(?:[ \t]{1,3}@[ \t]{0,3}|@[ \t]{1,3})[\w\xff-]+(?:[ \t]{0,3}\.[ \t]{0,3}[\w\xff-]+){0,3}"
    rb"[ \t]{0,3}\.[ \t]{0,3}" + _TLD + rb"\b"
    rb"|[\w.+\xff-]+@[\w\xff-]+(?:[ \t]{0,3}\.[ \t]{0,3}[\w\xff-]+){0,3}"
    rb"(?:[ \t]{1,3}\.[ \t]{0,3}|\.[ \t]{1,3})" + _TLD + rb"\b"
)
_AT: Final = rb"(?:\s{0,3}[\[({<]\s{0,2}(?:at|@|arroba|a|klammeraffe)\s{0,2}[\])}>]\s{0,3}|[ _-]at[ _-]|\s@\s|@)"
_DOT: Final = (
    rb"(?:\s{0,3}[\[({<]\s{0,2}(?:dot|\.|punkt|punto|point)\s{0,2}[\])}>]\s{0,3}"
    rb"|[ _-]dot[ _-]|\s\.\s|\.)"
)
_ROBOT: Final = Pattern(
    rb"[\w.+\xff-]+(?:"
    + _DOT
    + rb"[\w+\xff-]+){0,4}"
    + _AT
    + rb"[\w\xff-]+(?:"
    + _DOT
    + rb"[\w\xff-]+){0,3}"
    + _DOT
    + _TLD
    + rb"\b"
)
_LETTERS: Final = Pattern(
    rb"(?:[\w][ .]){2,40}[\w] ?@ ?(?:[\w] ?){2,40}\. ?(?:[a-z]{2,12}|[a-z](?: [a-z]\b){1,9})\b"
)


def _find(view: View) -> Iterator[Finding]:
    for match in _PLAIN.matches(view):
        start, end = match.span()
        local, _, domain = match[0].rpartition(b"@")
        if _is_address(local, domain) and not _is_remote(view, local, start, end):
            skipped = _assigned(local) or _path(local)
            start += skipped
            local = local[skipped:]
            start += len(local) - len(local.lstrip(b"'*/={|}~&?!#"))
            yield *_without_sentence(view, start, match.start() + len(local), end), Kind.EMAIL, ""


def _assigned(local: bytes) -> int:
    """Length of what an address is the value of: ``user=``, ``to='``.

    A sign of equality inside an address has a domain behind it (``list-bob=example.org@...``).
    """
    match = _ASSIGNED.match(local)
    if match is None or _ENDS_IN_TOP.search(local):
        return 0
    return match.end()


def _path(local: bytes) -> int:
    """Length of the folders an address stands behind: the one of ``/users/``."""
    return local.rfind(b"/", 0, -1) + 1 if local[:1] == b"/" else 0


def _is_remote(view: View, local: bytes, start: int, end: int) -> bool:
    """Whether it is where a repository lies, which names nobody."""
    return local.lower() == b"git" and (
        view.octets[end : end + 1] == b":"
        or view.low_octets[max(0, start - 6) : start] == b"ssh://"
    )


def _without_sentence(view: View, start: int, at: int, end: int) -> tuple[int, int]:
    """Where no space divides words, a sentence hangs on both sides of an address."""
    if view.text.isascii():
        return start, end
    glued = [match.end() for match in UNSPACED.finditer(view.text, start, at)]
    if glued and glued[-1] < at:
        start = glued[-1]
    tail = UNSPACED.search(view.text, at + 1, end)
    if tail and view.text.rfind(".", at, tail.start() - 1) > at:
        end = tail.start()
    return start, end


def _is_address(local: bytes, domain: bytes) -> bool:
    if domain[:1] == b"[":
        return True
    if domain.lower() in _DIGESTS:
        return False
    last = domain.rpartition(b".")[2]
    if last.isdigit():
        # name@1.2.3 is a version; name@203.0.113.9 is somebody.
        return domain.count(b".") == 3 and all(
            p.isdigit() and int(p) < 256 for p in domain.split(b".")
        )
    if local[-1:] == b"=":
        # What a program reads from a file: ``file=@sound.wav``.
        return False
    if b"." in domain:
        return bool(local.strip(b".'*/"))
    # A host of one's own: no digits first, no lone letter.
    return len(domain) > 1 and not domain[:1].isdigit() and bool(local.strip(b".'*/-=#"))


_DIGESTS: Final = frozenset({b"sha256", b"sha512"})
"""Of pictures of containers: ``nginx:1.25@sha256:``."""
_SPELLED: Final = re.compile(rb"[\s\[({<]|[_-](?:at|dot)[_-]", re.IGNORECASE)
"""What a plain address has not."""


def _find_written(view: View) -> Iterator[Finding]:
    octets = view.low_octets
    patterns = []
    if b"@" in octets:
        patterns += [_SPACED, _LETTERS]
    if b"at" in octets or b"@" in octets or b"arroba" in octets:
        patterns.append(_ROBOT)
    for pattern in patterns:
        for match in pattern.matches(view):
            if pattern is _ROBOT and (
                not _SPELLED.search(match[0]) or not _around_robots(match[0])
            ):
                continue
            yield *match.span(), Kind.EMAIL, _joined(view.lower[match.start() : match.end()])


_CLEAR_AT: Final = (
    b"[at",
    b"(at",
    b"{at",
    b"<at",
    b"[ at",
    b"( at",
    b"@",
    b"_at_",
    b"-at-",
    b"arroba",
    b"klammer",
    b"(a)",
    b"[a]",
)
_CLEAR_DOT: Final = (b"dot", b"punkt", b"punto", b"(.)", b"[.]", b"point")


def _around_robots(found: bytes) -> bool:
    """Whether the writing itself says that an address is meant: "look at example.test" does not."""
    loud = b" AT " in found and not found.isupper()
    found = found.lower()
    if b" at " in found and not loud and not any(at in found for at in _CLEAR_AT):
        return False
    return loud or any(mark in found for mark in (*_CLEAR_AT[:-2], b"(a)", b"[a]"))


def _joined(text: str) -> str:
    return "".join(text.split())


PLAIN = Recogniser("email", _find, rank=76, needs=(b"@",))
WRITTEN = Recogniser(
    "email_written", _find_written, rank=75, needs=(b"@", b"at", b"arroba", b"(a)")
)
