"""Time zones by their names in the IANA database."""

from difflib import get_close_matches
from functools import lru_cache
from zoneinfo import available_timezones

_NOT_ZONES = frozenset({"localtime", "posixrules", "Factory"})


@lru_cache(maxsize=1)
def zones() -> frozenset[str]:
    """Return every name; what is a file of the system without being a zone is left out."""
    return frozenset(available_timezones() - _NOT_ZONES)


def zone_problem(name: str) -> str | None:
    """Return why a name is no zone, with what comes close; None when it is one."""
    if name in zones():
        return None
    folded = {zone.casefold(): zone for zone in zones()}
    cities = {zone.rpartition("/")[2].casefold(): zone for zone in zones()}
    wanted = name.casefold().replace(" ", "_")
    near = get_close_matches(wanted, folded, 1, 0.7) or get_close_matches(wanted, cities, 1, 0.8)
    hint = f"; did you mean {(folded | cities)[near[0]]!r}?" if near else ""
    example = hint or "; write one like 'Europe/Berlin', or 'UTC'"
    return f"{name!r} is no time zone of the IANA database{example}"
