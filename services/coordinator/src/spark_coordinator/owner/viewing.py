"""All settings as people see them: the owner's value, else the environment's, else the default."""

from collections.abc import Mapping
from typing import Literal

from pydantic import JsonValue

from spark_common.contracts.owner_settings import SettingsView, SettingView
from spark_common.owner import Field, OwnerValues, Table
from spark_common.owner.overlaying import unusable

Source = Literal["owner", "environment", "default"]


def view(table: Table, owner: OwnerValues, environment: Mapping[str, str]) -> SettingsView:
    """Return every field with what holds now; a secret only says whether there is one."""
    warnings: list[str] = []
    settings = [_setting(field, owner, environment, warnings) for field in table.fields]
    for name in sorted(owner.texts):
        if table.get(name) is None:
            warnings.append(f"{name}: was set under the gear and is not known to this version")
    return SettingsView(version=owner.version, settings=settings, warnings=warnings)


def set_by_owner(shown: SettingsView) -> frozenset[str]:
    """Return the names whose value is the owner's."""
    return frozenset(one.name for one in shown.settings if one.source == "owner")


def usable(table: Table, environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables of the environment that are settings and valid."""
    found = {}
    for field in table.fields:
        text = environment.get(field.name, "").strip()
        if text and _reason(field, text) is None:
            found[field.name] = text
    return found


def _setting(
    field: Field, owner: OwnerValues, environment: Mapping[str, str], warnings: list[str]
) -> SettingView:
    value, is_set = field.default, False
    given: list[tuple[Source, str | None]] = [
        ("owner", owner.texts.get(field.name)),
        ("environment", environment.get(field.name)),
    ]
    chosen: Source = "default"
    for source, text in given:
        if text is None:
            continue
        why = _reason(field, text.strip()) if text.strip() else "blank"
        if why is not None:
            warnings.append(_warning(field.name, source, why))
            continue
        value, chosen, is_set = _shown(field, text.strip()), source, True
        break
    return SettingView(
        name=field.name,
        label=field.label,
        help=field.help,
        group=field.group,
        kind=field.kind,
        choices=list(field.choices),
        unit=field.unit,
        default=field.default,
        value=value,
        source=chosen,
        is_set=is_set and field.secret,
    )


def _shown(field: Field, text: str) -> JsonValue:
    return None if field.secret else field.shown(text)


def _reason(field: Field, text: str) -> str | None:
    if field.kind == "address" and text.lower().endswith(".local"):
        # Whether it can be found just now is no matter of a look at the settings.
        return None
    try:
        field.read(text)
    except ValueError as why:
        return str(why)
    return None


def _warning(name: str, source: Source, why: str) -> str:
    if source == "owner":
        return unusable(name, why)
    if why == "blank":
        return f"{name} is blank; the default is used"
    return f"{name} is wrong ({why}); the default is used"
