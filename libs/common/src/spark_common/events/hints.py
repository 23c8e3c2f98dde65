"""Hints: something looks different now, ask again. What is missed is missed."""

from typing import ClassVar, Literal

from spark_common.events.message import Event


class MenuChanged(Event):
    """A hint: the menu, a host or the runtime looks different now; ask again."""

    type: ClassVar[str] = "menu.changed"

    reason: str


class SettingsChanged(Event):
    """A hint: the owner changed settings; read them again. Names, never values."""

    type: ClassVar[str] = "settings.changed"

    settings_version: int
    names: list[str] = []


class KeysChanged(Event):
    """A hint: an API key was made, changed or revoked; read them again. No key, no hash."""

    type: ClassVar[str] = "keys.changed"

    keys_version: int
    key_id: str
    action: Literal["created", "changed", "removed"]
