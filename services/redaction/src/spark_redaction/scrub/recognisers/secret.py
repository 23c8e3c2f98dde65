"""Keys and tokens of providers: what has a shape of its own."""

from collections.abc import Iterator
from typing import Final

from spark_redaction.scrub.kinds import Kind
from spark_redaction.scrub.patterns import Pattern, any_of
from spark_redaction.scrub.recogniser import Finding, Recogniser
from spark_redaction.scrub.view import View

_KEYS: Final = Pattern(
    rb"\b(?:sk|pk|rk)[-_](?:live|test|ant|proj|or|svcacct|admin|lf)?[-_]?[A-Za-z0-9_-]{16,}"
    rb"|\bwhsec_[A-Za-z0-9+/=]{16,}|\bgh[opusr]_[A-Za-z0-9]{20,}|\bgithub_pat_[A-Za-z0-9_]{20,}"
    rb"|\bgl(?:pat|dt|rt|ptt|soat|cbt|ft)-[A-Za-z0-9_=-]{16,}|\bxox[abeoprs]-[A-Za-z0-9-]{10,}|\bxapp-[A-Za-z0-9-]{10,}"
    rb"|\b(?:AKIA|ASIA|AGPA|AIDA|AROA|ANPA|ABIA|ACCA)[A-Z0-9]{12,}|\bAIza[A-Za-z0-9_-]{30,}|\bya29\.[A-Za-z0-9_-]{20,}"
    rb"|\bGOCSPX-[A-Za-z0-9_-]{20,}|\b1//[A-Za-z0-9_-]{30,}"
    rb"|\b(?:hf|nvapi|gsk|pplx|r8|tvly|fc|jina|voy|xai|key|tskey|tk|co|rnd|re|lin_api|ntn|secret|figd|dapi|dop_v1|doo_v1|pul|"
    rb"dckr_pat|npm|pypi|rubygems|shpat|shpca|shppa|shpss|sq0atp|sq0csp|EAA|glsa|phc|phx|sntrys|atlasv1|hvs|hvb|s|vault|PMAK|"
    rb"CFPAT|LTAI|sl|ATATT3|ATCTT3|NRAK|SK|AC)[-_.](?:[A-Za-z0-9]+[-_])?[A-Za-z0-9_=-]{24,}"
    rb"|\bdapi[0-9a-f]{32}\b|\bSG\.[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}|\b(?:SK|AC)[0-9a-f]{32}\b|\bkey-[0-9a-f]{32}\b|\bEAA[A-Za-z0-9]{30,}"
    rb"|\bAGE-SECRET-KEY-1[A-Z0-9]{20,}|\bdp\.(?:pt|st)\.[A-Za-z0-9]{20,}|\b\d{8,10}:AA[A-Za-z0-9_-]{30,}"
    rb"|\bsyt_[A-Za-z0-9_]{16,}|\bey[JK][A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{4,}(?:\.[A-Za-z0-9_-]*)*"
    rb"|\bhttps://hooks\.slack\.com/[A-Za-z]+/[A-Za-z0-9/]+|\bhttps://(?:ptb\.|canary\.)?discord(?:app)?\.com/api/webhooks/[\w/-]+"
    rb"|\b[MNO][A-Za-z0-9_-]{23,25}\.[A-Za-z0-9_-]{6}\.[A-Za-z0-9_-]{27,}|\bSU[A-Z0-9]{50,}|\bS[OANUCX]A[A-Z2-7]{54,55}\b",
    any_case=False,
)
_BLOCK: Final = Pattern(
    rb"-----BEGIN [A-Z0-9 ]+-----(?s:.*?)(?:-----END [A-Z0-9 ]+-----|\z)"
    rb"|\b(?:ssh-(?:rsa|ed25519|dss)|ecdsa-sha2-nistp\d+|sk-ssh-ed25519@openssh\.com) AAAA[A-Za-z0-9+/=]{16,}(?: [^\s\"']+)?"
    rb"|\bPuTTY-User-Key-File-[23]:(?s:.*)",
    any_case=False,
)
_DSN: Final = Pattern(
    rb"\b[a-z][a-z0-9+.\-]{1,30}://[^\s:/@\"'<>]*:[^\s/\"'<>]+@[^\s\"'<>)\]}]+"
    rb"|\b(?:accountkey|sharedaccesskey|password|pwd|sig)=[^;\s\"'&]{4,}"
)


def _find(view: View) -> Iterator[Finding]:
    for pattern in (_KEYS, _BLOCK, _DSN):
        for match in pattern.matches(view):
            start, end = match.span()
            if pattern is _KEYS and not _random(match[0]):
                continue
            if pattern is _DSN:
                end = start + len(match[0].rstrip(b".,;"))
            yield start, end, Kind.SECRET, view.text[start:end]


def _random(key: bytes) -> bool:
    """Letters with digits or both cases: ``sk-learn-preprocessing-module`` is none."""
    text = key.decode("latin-1")
    tail = text.split("_", 1)[-1] if "_" in text else text
    return any(c.isdigit() for c in text) or (tail.lower() != tail and tail.upper() != tail)


SECRET = Recogniser(
    "secret",
    _find,
    rank=90,
    gate=any_of(_KEYS, _BLOCK, _DSN),
)
