"""Short names for models: a key is made from a repository's or a directory's name. Pure."""

import re
from collections.abc import Collection

MAX_KEY = 80
KEY_PATTERN = r"^[a-z0-9][a-z0-9._-]{0,79}$"


def free_key(target: str, taken: Collection[str]) -> str:
    """Return a key for ``owner/name`` or a directory that no other model has."""
    owner, _, name = target.rstrip("/").rpartition("/")
    short = slug(name or owner)
    if short not in taken:
        return short
    longer = f"{slug(owner.rpartition('/')[2])}--{short}"[:MAX_KEY].rstrip("-._")
    candidate, number = longer, 2
    while candidate in taken:
        candidate = f"{longer[: MAX_KEY - 4]}-{number}"
        number += 1
    return candidate


def slug(text: str) -> str:
    """Return text as a key: lower case, only letters, digits and ``._-``, never empty."""
    found = re.sub(r"[^a-z0-9._-]+", "-", text.lower()).strip("-._")
    return found[:MAX_KEY].rstrip("-._") or "model"
