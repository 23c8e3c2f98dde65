"""What the owner asked for, checked against the table: a change, or why each part is refused."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from pydantic import JsonValue, SecretStr

from spark_common.owner import Field, OwnerValues, Table

_VALUES, _SECRETS = 2, 3
"""Which of the script's keys a value belongs to."""


@dataclass(frozen=True)
class Problem:
    """One name that cannot be changed as asked, and why. Never a value."""

    name: str
    rule: str


@dataclass(frozen=True)
class Change:
    """Texts to set; None takes the owner's value back."""

    values: Mapping[str, str | None]
    secrets: Mapping[str, str | None]

    def script_argument(self) -> str:
        """Return it as the scripts read it."""
        parts = [_part(_VALUES, name, text) for name, text in self.values.items()]
        parts += [_part(_SECRETS, name, text) for name, text in self.secrets.items()]
        return json.dumps(parts)

    def over(self, owner: OwnerValues, environment: Mapping[str, str]) -> dict[str, str]:
        """Return what would hold after it."""
        texts = {**environment, **owner.texts}
        for name, text in (*self.values.items(), *self.secrets.items()):
            if text is not None:
                texts[name] = text
            elif name in environment:
                texts[name] = environment[name]
            else:
                texts.pop(name, None)
        return texts


def check(
    table: Table,
    values: Mapping[str, JsonValue],
    secrets: Mapping[str, SecretStr | None],
) -> tuple[Change, list[Problem]]:
    """Return the change, and every part of it that is refused."""
    problems: list[Problem] = []
    changed: dict[str, str | None] = {}
    hushed: dict[str, str | None] = {}
    for name, value in values.items():
        field = table.get(name)
        if field is None:
            problems.append(Problem(name, _unknown(table, name)))
        elif field.secret and value is not None:
            problems.append(Problem(name, "is a secret: send it under secrets"))
        elif field.secret:
            hushed[name] = None
        else:
            _take(field, value, changed, problems)
    for name, secret in secrets.items():
        field = table.get(name)
        if field is None:
            problems.append(Problem(name, _unknown(table, name)))
        elif not field.secret:
            problems.append(Problem(name, "is no secret: send it under values"))
        elif secret is None:
            hushed[name] = None
        elif not secret.get_secret_value().strip():
            problems.append(Problem(name, "must be text and not blank: null clears it"))
        else:
            _take(field, secret.get_secret_value(), hushed, problems)
    return Change(changed, hushed), problems


def refusal(problems: Sequence[Problem]) -> str:
    """Return all problems as one sentence."""
    return "; ".join(f"{one.name}: {one.rule}" for one in problems) + "; nothing was changed"


def told(problems: Iterable[Problem]) -> list[JsonValue]:
    """Return the problems for the details of an error."""
    return [{"name": one.name, "rule": one.rule} for one in problems]


def _take(
    field: Field,
    value: JsonValue,
    into: dict[str, str | None],
    problems: list[Problem],
) -> None:
    try:
        into[field.name] = field.text_of(value)
    except ValueError as why:
        problems.append(Problem(field.name, str(why)))


def _unknown(table: Table, name: str) -> str:
    near = table.near(name)
    return f"there is no such setting; did you mean {near}?" if near else "there is no such setting"


def _part(key: int, name: str, text: str | None) -> list[int | str]:
    return [key, name] if text is None else [key, name, text]
