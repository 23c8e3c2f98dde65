"""Wallets, keys and invoices of digital money."""

import re
import sys
from collections.abc import Iterator
from typing import Final

from spark_redaction.scrub.kinds import Kind
from spark_redaction.scrub.nearby import Cue
from spark_redaction.scrub.patterns import Pattern, any_of
from spark_redaction.scrub.recogniser import Finding, Recogniser
from spark_redaction.scrub.view import View

_BASE58: Final = rb"[1-9A-HJ-NP-Za-km-z]"
_SHAPED: Final = Pattern(
    rb"\b(?:[13mn2]"
    + _BASE58
    + rb"{25,34}|[LM]"
    + _BASE58
    + rb"{26,33}|[5KL9c]"
    + _BASE58
    + rb"{50,51}|D"
    + _BASE58
    + rb"{33}|X"
    + _BASE58
    + rb"{33}|r[1-9A-HJ-NP-Za-km-z]{24,34}|T"
    + _BASE58
    + rb"{33}"
    rb"|[48]" + _BASE58 + rb"{94,105}|[1-9A-HJ-NP-Za-km-z]{43,44}|t[13]" + _BASE58 + rb"{33})\b",
    any_case=False,
)
_PREFIXED: Final = Pattern(
    rb"\b(?:(?:bitcoin:|lightning:|ethereum:)?(?:bc1|tb1|bcrt1|ltc1|addr1|stake1|cosmos1|osmo1|zs1)[a-z0-9]{20,110}"
    rb"|(?:npub|nsec|note|nprofile|nevent|naddr|nrelay|ncryptsec)1[a-z0-9]{20,}"
    rb"|ln(?:bc|tb|bcrt|url|tbs)[a-z0-9]{20,}|lno1[a-z0-9]{20,}|cashu[AB][\w=-]{20,}"
    rb"|(?:[xyztuv]|Ypub|Zpub)p(?:ub|rv)[a-z0-9]{50,}|(?:bitcoincash:)?[qp][a-z0-9]{41}"
    rb"|0x[0-9a-f]{64}|0x[0-9a-f]{40}|(?:xpub|xprv|zpub|ypub)[a-z0-9]{20,}|[a-z0-9-]{2,30}\.eth)\b"
)
_HEX: Final = Pattern(rb"\b[0-9a-f]{64}\b|\b[0-9a-f]{40}\b")
_CUE: Final = Cue(
    r"wallet|private key|bitcoin|btc|eth|ethereum|solana|sol|monero|xmr|address|nostr|pubkey|payment hash|preimage|macaroon|"
    r"xrp|doge|tron|public key|secret", before=48,
)  # fmt: skip
_OCTETS: Final = "base64,"
_BLANK: Final = re.compile(r"\s")
_NONE: Final = (sys.maxsize, sys.maxsize)


def _find(view: View) -> Iterator[Finding]:
    pictures = _pictures(view)
    begin, end = next(pictures, _NONE)
    for match in _SHAPED.matches(view):
        text = match[0].decode()
        while end <= match.start():
            begin, end = next(pictures, _NONE)
        if begin <= match.start():
            continue
        if _mixed(text) and (len(text) not in (43, 44) or _CUE.near(view, *match.span())):
            yield *match.span(), Kind.CRYPTO, text
    for match in _PREFIXED.matches(view):
        if any(48 <= octet <= 57 for octet in match[0][2:]) or match[0].endswith(b".eth"):
            yield *match.span(), Kind.CRYPTO, ""
    for match in _HEX.matches(view):
        if _CUE.near(view, *match.span()):
            yield *match.span(), Kind.CRYPTO, ""


def _pictures(view: View) -> Iterator[tuple[int, int]]:
    """Yield where the octets of addresses that are their own content stand, from left to right."""
    at = view.text.find(_OCTETS)
    while at != -1:
        blank = _BLANK.search(view.text, at)
        end = blank.start() if blank else len(view.text)
        yield at, end
        at = view.text.find(_OCTETS, end)


def _mixed(text: str) -> bool:
    return bool(
        re.search(r"[a-z]", text) and re.search(r"[A-Z]", text) and re.search(r"[0-9]", text)
    )


CRYPTO = Recogniser("crypto", _find, rank=64, gate=any_of(_SHAPED, _PREFIXED, _HEX))
