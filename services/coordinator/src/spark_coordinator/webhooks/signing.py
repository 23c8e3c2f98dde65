"""The headers that let a receiver know who sent a delivery, and whether it has it already."""

import base64
import binascii
import hashlib
import hmac

PREFIX = "whsec_"
"""Standard Webhooks: what follows is the key in base64."""


def signed_headers(secret: str | None, delivery_id: str, at: int, body: bytes) -> dict[str, str]:
    """Return id, time and signatures of one try; without a secret there is nothing to sign with.

    ``X-Spark-Signature`` is over the body alone, keyed with the secret as it was typed.
    ``webhook-signature`` is Standard Webhooks 1.0: over ``id.timestamp.body``, ``at`` in seconds.
    """
    headers = {"webhook-id": delivery_id, "webhook-timestamp": str(at)}
    if secret is None:
        return headers
    ours = hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()
    content = f"{delivery_id}.{at}.".encode() + body
    standard = hmac.digest(standard_key(secret), content, "sha256")
    return headers | {
        "x-spark-signature": f"sha256={ours}",
        "webhook-signature": f"v1,{base64.b64encode(standard).decode()}",
    }


def standard_key(secret: str) -> bytes:
    """Return the key of Standard Webhooks: decoded after ``whsec_``, else the text itself."""
    if secret.startswith(PREFIX) and is_standard(secret):
        return base64.b64decode(secret.removeprefix(PREFIX))
    return secret.encode()


def is_standard(secret: str) -> bool:
    """Say whether what follows ``whsec_`` is base64."""
    try:
        return bool(base64.b64decode(secret.removeprefix(PREFIX), validate=True))
    except (binascii.Error, ValueError):
        return False
