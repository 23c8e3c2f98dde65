"""Puts together who looks for unknown names."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from spark_common.clock import Clock
from spark_common.owner import LiveSettings
from spark_common.plain_http import plain_client
from spark_redaction.settings import RedactionSettings
from spark_redaction.unknown.finder import Finder
from spark_redaction.unknown.gliner_server import GlinerServer
from spark_redaction.unknown.model_server import ModelServer
from spark_redaction.unknown.places import AskedPlace
from spark_redaction.unknown.ports import NameFinder


@dataclass(frozen=True)
class UnknownNames:
    """The finders, by the name that ``coverage`` has for them, and what belongs to them."""

    finders: Mapping[str, NameFinder]
    warnings: Callable[[], tuple[str, ...]]
    close: Callable[[], Awaitable[None]]


def wire_names(settings: RedactionSettings, live: LiveSettings, clock: Clock) -> UnknownNames:
    """Wire them; nobody is asked yet."""
    unknown = live.of(settings.unknown)
    place = AskedPlace(settings.sparks.addresses, unknown, live.of(settings.sparks.runtime))
    client = plain_client()

    def seconds() -> float:
        return unknown().redaction_ner_seconds

    finders = {
        "model": Finder(ModelServer(place.url, client), seconds, clock),
        "gliner": Finder(
            GlinerServer(place.gliner_url, client), seconds, clock, place.gliner_is_set
        ),
    }
    return UnknownNames(finders, place.warnings, client.aclose)
