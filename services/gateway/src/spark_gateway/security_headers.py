"""Headers that keep a page of ours from being used against its owner."""

from starlette.datastructures import MutableHeaders

from spark_gateway.dialect import EXPOSED, is_v1

PAGE_POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        # Recordings that the reader chose, and what a voice said, are played from memory.
        "media-src 'self' blob:",
        "connect-src 'self'",
        "manifest-src 'self'",
        "base-uri 'none'",
        "form-action 'self'",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
        "trusted-types 'none'",
    )
)
"""For documents: only our own files, and no string ever becomes script."""

BARE_POLICY = "default-src 'none'; frame-ancestors 'none'"
"""For everything that is not a document."""

_ALWAYS = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(self), payment=(), usb=()",
    "x-frame-options": "DENY",
}


def add_security_headers(headers: MutableHeaders, path: str) -> None:
    """Complete the headers of a response to ``path`` in place."""
    for name, value in _ALWAYS.items():
        headers.setdefault(name, value)
    page = headers.get("content-type", "").startswith("text/html")
    headers.setdefault("content-security-policy", PAGE_POLICY if page else BARE_POLICY)
    if is_v1(path):
        # Browser apps of other origins use /v1 on purpose; it has no cookies to abuse.
        headers.setdefault("cross-origin-resource-policy", "cross-origin")
        headers.setdefault("access-control-allow-origin", "*")
        headers.setdefault("access-control-expose-headers", EXPOSED)
    else:
        headers.setdefault("cross-origin-resource-policy", "same-origin")
    if path.startswith("/api"):
        headers.setdefault("cache-control", "no-store")
