"""Addresses of machines: IPv4, IPv6, MAC."""

import ipaddress
import re
from collections.abc import Iterator
from typing import Final

from spark_redaction.scrub.kinds import Kind
from spark_redaction.scrub.nearby import Cue, follows_word, precedes_word
from spark_redaction.scrub.patterns import Pattern, any_of
from spark_redaction.scrub.recogniser import Finding, Recogniser
from spark_redaction.scrub.view import View

_V4: Final = Pattern(rb"\d{1,3}(?:(?: ?\[?\(?\.\)?\]? ?|\[dot\]|\(dot\))\d{1,3}){3}")
_V6: Final = Pattern(rb"[0-9a-f]{0,4}(?::{1,2}[0-9a-f]{0,4}){2,8}(?:\d{1,3}(?:\.\d{1,3}){3})?")
_V4_MAPPED: Final = Pattern(
    rb"::(?:ffff:)?\d{1,3}(?:\.\d{1,3}){3}|64:ff9b::\d{1,3}(?:\.\d{1,3}){3}"
)
_MAC: Final = Pattern(
    rb"[0-9a-f]{2}(?:[:\-][0-9a-f]{2}){5}|[0-9a-f]{4}(?:\.[0-9a-f]{4}){2}|[0-9a-f]{2}(?: [0-9a-f]{2}){5}"
)
_BARE_MAC: Final = Pattern(rb"\b[0-9a-f]{12}\b")
_NUMBERS: Final = re.compile(rb"[0-9]+")
_MAC_CUE: Final = Cue(r"mac|hwaddr|hardware address|ether|bssid", before=24)
_VERSION: Final = Cue(
    r"v|ver|version|release|firmware|build|rev|section|chapter|kernel|upgrade[d]? to",
    before=10,
    denies=True,
)
_NOBODY: Final = frozenset(
    {
        "127.0.0.1",
        "0.0.0.0",  # noqa: S104 (looked for, not listened on)
        "255.255.255.255",
        "255.255.255.0",
        "255.255.0.0",
        "::1",
        "::",
    }
)


def _find(view: View) -> Iterator[Finding]:
    for match in _V4.matches(view):
        start, end = match.span()
        numbers = _NUMBERS.findall(match[0])
        if len(numbers) != 4 or any(int(number) > 255 for number in numbers):
            continue
        address = ".".join(str(int(number)) for number in numbers)
        dotted = view.text[start - 1 : start] == "." or (
            view.text[end : end + 2][:1] == "." and view.text[end + 1 : end + 2].isdigit()
        )
        if (
            dotted
            or address in _NOBODY
            or (precedes_word(view, end) and view.text[end] != "_")
            or _part(view, start)
        ):
            continue
        spaced = b" " in match[0]
        if not spaced and not _VERSION.near(view, start, end):
            yield start, end, Kind.IPADDR, address
    for pattern in (_V6, _V4_MAPPED):
        for match in pattern.matches(view):
            start, end = match.span()
            if _is_v6(match[0]) and not follows_word(view, start) and not precedes_word(view, end):
                yield start, end, Kind.IPADDR, ""


def _part(view: View, start: int) -> bool:
    before = view.text[start - 1 : start] if start else ""
    return before.isdigit() or (
        before.isalpha() and before.isascii() and view.lower[max(0, start - 2) : start] != "ip"
    )


def _is_v6(found: bytes) -> bool:
    text = found.decode("latin-1")
    if text.count(":") < 2 or text in _NOBODY or not any(c.isdigit() for c in text):
        return False
    try:
        ipaddress.IPv6Address(text)
    except ValueError:
        return False
    # Half a time of day with two colons is no address, and neither is Foo::bar.
    groups = [group for group in text.split(":") if group]
    return len(groups) >= 2


def _find_mac(view: View) -> Iterator[Finding]:
    for match in _MAC.matches(view):
        start, end = match.span()
        alone = not follows_word(view, start) and not precedes_word(view, end)
        before, after = view.text[max(0, start - 1) : start], view.text[end : end + 1]
        if not alone or (before in ("-", ":", ".") and start) or after in (":",):
            continue
        if b" " in match[0] and not _MAC_CUE.near(view, start, end):
            continue
        if (
            b"-" in match[0]
            and match[0].replace(b"-", b"").isdigit()
            and not _MAC_CUE.near(view, start, end)
        ):
            continue
        yield start, end, Kind.MACADDR, "".join(c for c in view.lower[start:end] if c.isalnum())
    for match in _BARE_MAC.matches(view):
        if _MAC_CUE.near(view, *match.span()):
            yield *match.span(), Kind.MACADDR, match[0].decode().lower()


ADDRESS = Recogniser("ip", _find, rank=55, needs_digits=True, gate=any_of(_V4, _V6, _V4_MAPPED))
MAC = Recogniser("mac", _find_mac, rank=66, needs=(b":", b"-", b".", b"mac"))
