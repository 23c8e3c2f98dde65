"""Every Redis key of the API keys, built here and nowhere else."""

KEYS = "sc:keys"
"""Hash: id of a key, its record as JSON. The SHA-256 of the key is in there, never the key."""

VERSION = "sc:keys:version"
"""Grows with every change, so that a gateway sees with one number that it has the newest."""

USED = "sc:keys:used"
"""Hash: id of a key, the latest day on which it was used."""

SESSION_SECRET = "sc:keys:session"  # noqa: S105 the name of a place
"""What signs the sessions of the dashboard; made once, never exported."""

ENDED = "sc:keys:ended"
"""Sorted set: sessions that somebody signed out of, by when they would have ended (epoch)."""
