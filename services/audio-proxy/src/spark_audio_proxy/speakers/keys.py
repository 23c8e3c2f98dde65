"""Every Redis key of voices, built here and nowhere else; whose they are is part of each."""

import hashlib

PREFIX = "sc:audio:voices:"


def enrolled(tenant: str) -> str:
    """Hash of a tenant: name of a person, voice print as JSON."""
    return f"{PREFIX}enrolled:{_digest(tenant)}"


def session(tenant: str, session_id: str) -> str:
    """List of a session: its head, then what was found in each chunk, in order of arrival."""
    return f"{PREFIX}session:{_digest(tenant)}:{session_id}"


def _digest(tenant: str) -> str:
    """Tenants are named by whatever they show; no part of that is in a key."""
    return hashlib.sha256(tenant.encode()).hexdigest()[:32]
