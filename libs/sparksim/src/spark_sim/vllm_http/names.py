"""The one thing the simulated model is good at: it sees names in a text, by their capitals."""

import json
import re
from collections.abc import Sequence
from typing import Any

from spark_sim.vllm_http.tokens import text_of

_TASK = "List the names in a text."
_RUN = re.compile(
    r"(?<![\w.])(?:[A-Z][a-z]+(?:['\u2019-][A-Z][a-z]+)?|[A-Z]\.)"
    r"(?: (?:(?:van|von|de|der|la) )*(?:[A-Z][a-z]+(?:['\u2019-][A-Z][a-z]+)?|[A-Z]\.))+(?!\w)"
)
_COMPANY = re.compile(r"(?<!\w)(?:[A-Z]\w+ ){1,4}(?:GmbH|AG|Inc|Ltd|LLC|Corp|Co|Labs|Bank)(?!\w)")
_OPENING = re.compile(r"(?:The|This|That|Dear|Hi|Hello|Ask|Call|Tell|When|If|Mr|Mrs|Ms|Dr)\.? ")


def names_reply(messages: Sequence[Any]) -> str | None:
    """Return the JSON list of names when a chat asks for one; None when it asks for anything else.

    Two words with capitals or more are a person, with a legal form behind them a company.
    """
    if len(messages) != 2 or not text_of(messages[0].get("content")).startswith(_TASK):
        return None
    text = text_of(messages[1].get("content"))
    found: dict[str, str] = {}
    for company in _COMPANY.finditer(text):
        found[company[0]] = "ORG"
    for run in _RUN.finditer(text):
        name = _OPENING.sub("", run[0], count=1)
        if " " in name and not any(name in known or known in name for known in found):
            found[name] = "PERSON"
    return json.dumps({"names": [{"type": kind, "text": name} for name, kind in found.items()]})
