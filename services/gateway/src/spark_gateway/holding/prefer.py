"""How long a client says that it is prepared to wait: the field ``Prefer`` of RFC 7240. Pure."""

import re
from collections.abc import Sequence
from typing import Final

from spark_gateway.dataplane.ports import Field

_WAIT: Final = re.compile(rb'[ \t]*+wait[ \t]*+=[ \t]*+"?(\d{1,9})"?[ \t]*+(?:;|\Z)', re.IGNORECASE)


def preferred_wait(fields: Sequence[Field]) -> int | None:
    """Return the seconds of ``Prefer: wait=10``, the first of several; None without any."""
    for name, value in fields:
        if name.lower() == b"prefer":
            for preference in value.split(b","):
                match = _WAIT.match(preference)
                if match is not None:
                    return int(match[1])
    return None
