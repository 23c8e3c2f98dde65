"""How much is looked for in a text."""

from typing import Literal

Profile = Literal["transcript", "crm", "strict"]
