"""Forms of several parts, as uploads come."""

import re
from dataclasses import dataclass

_NAME = re.compile(rb'[;\s]name="([^"]*)"')
_BOUNDARY = re.compile(r'boundary="?([^";,]+)"?', re.IGNORECASE)


@dataclass(frozen=True)
class Form:
    """The last value of each field, as bytes."""

    values: dict[str, bytes]

    def text(self, name: str, otherwise: str = "") -> str:
        """Return a field as text."""
        value = self.values.get(name)
        return otherwise if value is None else value.decode("utf-8", "replace").strip()

    def says(self, name: str) -> bool:
        """Return whether a field says yes."""
        return self.text(name).lower() in ("1", "true", "yes")


def read_form(content_type: str, body: bytes) -> Form | None:
    """Return the fields of a form; None where it is none."""
    found = _BOUNDARY.search(content_type)
    if found is None or not content_type.lower().startswith("multipart/form-data"):
        return None
    values: dict[str, bytes] = {}
    for part in (b"\r\n" + body).split(b"\r\n--" + found[1].strip().encode())[1:]:
        if part.startswith(b"--"):
            return Form(values)
        head, _, content = part.partition(b"\r\n\r\n")
        if (name := _NAME.search(head)) is not None:
            values[name[1].decode("utf-8", "replace")] = content
    return None
