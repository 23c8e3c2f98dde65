"""Whether a remedy acts by itself, for which service."""

from typing import Literal, TypeAlias

from spark_common.settings.policies import RemedySettings
from spark_health.deep.ports import Place
from spark_health.remedies.record import key_of

Mode: TypeAlias = Literal["act", "suggest", "never"]
ALL = "all"


def mode_of(place: Place, policy: RemedySettings) -> Mode:
    """Return what the owner wants for a service; ``never`` for what is not ours to restart."""
    if place.host is None or place.container is None:
        return "never"
    if not policy.auto_restart or {place.service, ALL} & set(policy.restarts_suggested):
        return "suggest"
    return "act"


def key_for(place: Place) -> str:
    """Return the name in keys of what a service runs in."""
    if place.host is None or place.container is None:
        return key_of("-", place.service)
    return key_of(place.host, place.container)
