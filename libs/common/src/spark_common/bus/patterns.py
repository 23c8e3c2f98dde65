"""Subject patterns of NATS: ``*`` is one token, ``>`` at the end is one or more."""


def matches(pattern: str, subject: str) -> bool:
    """Say whether ``subject``, which has no wildcards, falls under ``pattern``."""
    wanted, given = pattern.split("."), subject.split(".")
    for position, part in enumerate(wanted):
        if part == ">":
            return len(given) > position
        if position >= len(given) or part not in ("*", given[position]):
            return False
    return len(wanted) == len(given)
