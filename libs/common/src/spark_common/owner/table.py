"""The one table of settings: sections of groups, each field declared once, in its group."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from pydantic import ValidationError

from spark_common.owner.field import Field, fields_of
from spark_common.settings.load import Environment, Settings, SettingsError, reason_of

__all__ = ["Field", "Section", "Table"]


@dataclass(frozen=True)
class Section:
    """A group of settings under the heading that people see."""

    title: str
    group: type[Settings]


class Table:
    """All fields that the owner may edit, in the order in which they are shown."""

    def __init__(self, sections: Sequence[Section]) -> None:
        """Raises ValueError when two groups declare one name."""
        self.sections = tuple(sections)
        self.fields: tuple[Field, ...] = tuple(
            field for one in sections for field in fields_of(one.group, one.title)
        )
        self._by_name = {field.name: field for field in self.fields}
        if len(self._by_name) != len(self.fields):
            raise ValueError("a setting is declared twice")

    def get(self, name: str) -> Field | None:
        """Return the field of a name."""
        return self._by_name.get(name)

    def near(self, name: str) -> str | None:
        """Return the name that somebody probably meant."""
        found = get_close_matches(name.upper(), self._by_name, n=1, cutoff=0.7)
        return found[0] if found else None

    def disagreements(self, variables: Mapping[str, str]) -> list[str]:
        """Return why values that are fine alone do not fit together; one sentence each."""
        return [
            f"{one.title}: {why}"
            for one in self.sections
            if (why := disagreement(one.group, variables)) is not None
        ]


def disagreement(group: type[Settings], variables: Mapping[str, str]) -> str | None:
    """Return why the fields of one group do not fit together; None when they do."""
    try:
        group.read(Environment(variables))
    except ValidationError as error:
        return reason_of(error)
    except SettingsError as error:
        return str(error)
    return None
