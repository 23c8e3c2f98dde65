"""What taking a document in would change here. Pure: both sides are read before."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, TypeAlias, get_args

from spark_common.contracts.owner_settings import StateChange, StateDocument
from spark_coordinator.owner.state.sealing import Secrets
from spark_coordinator.owner.state.section import Entry, SectionName
from spark_coordinator.printable import printable

How: TypeAlias = Literal["added", "replaced"]

_SETTINGS = "settings"
_LONGEST = 200


def differences(
    here: StateDocument, kept: Secrets, document: StateDocument, secrets: Secrets
) -> list[StateChange]:
    """Return what would be added or replaced, in the order of the document.

    `kept` and `secrets` are the secrets of both sides.
    """
    return [
        *_settings(here.settings, document.settings),
        *_secrets(kept, secrets),
        *_recipes(here.overrides, document.overrides),
        *(
            change
            for part in get_args(SectionName)
            for change in _entries(part, getattr(here, part), getattr(document, part))
        ),
    ]


def _settings(here: Mapping[str, str], there: Mapping[str, str]) -> Iterator[StateChange]:
    for name, value in sorted(there.items()):
        if here.get(name) != value:
            yield StateChange(
                part="settings",
                name=name,
                how=_how(name in here),
                before=_short(here[name]) if name in here else None,
                after=_short(value),
            )


def _secrets(here: Secrets, there: Secrets) -> Iterator[StateChange]:
    for part, ones in sorted(there.items()):
        known = here.get(part, {})
        for name, secret in sorted(ones.items()):
            if known.get(name) != secret:
                title = name if part == _SETTINGS else f"{part}: {name}"
                yield StateChange(part="secrets", name=_short(title), how=_how(name in known))


def _recipes(here: str, there: str) -> Iterator[StateChange]:
    if there.strip() and here != there:
        yield StateChange(part="recipes", name="models.override.yaml", how=_how(bool(here.strip())))


def _entries(
    part: SectionName, here: Sequence[Entry], there: Sequence[Entry]
) -> Iterator[StateChange]:
    known = {_key(entry): entry for entry in here}
    for entry in there:
        key = _key(entry)
        if known.get(key) != entry:
            name = _short(str(entry.get("name") or key))
            yield StateChange(part=part, name=name, how=_how(key in known))


def _key(entry: Entry) -> str:
    """What makes two entries the same one: own services have a name alone."""
    return str(entry.get("id") or entry.get("name") or "")


def _how(known: bool) -> How:
    return "replaced" if known else "added"


def _short(text: str) -> str:
    return printable(text[:_LONGEST])
