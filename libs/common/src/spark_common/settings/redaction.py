"""How names that nobody listed are looked for before text leaves. Read at each request."""

from typing import Annotated

from pydantic import Field

from spark_common.settings.load import Settings, Shown
from spark_common.settings.values import HttpUrl


class UnknownNamesSettings(Settings):
    """Who is asked for unknown names, and for how long."""

    redaction_ner: Annotated[bool, Shown(label="Look for unknown names")] = True
    """Ask the model that is loaded on the Sparks for names that are in no list. Off: nobody is
    asked, and every answer says so."""
    redaction_ner_url: Annotated[HttpUrl | None, Shown(label="Another server to ask")] = None
    """An OpenAI server on one of the Sparks, instead of the loaded model; for example a small
    model at http://<spark-2-ip>:8890. Text goes to no other machine."""
    redaction_gliner_url: Annotated[HttpUrl | None, Shown(label="GLiNER server to ask")] = None
    """A GLiNER server on one of the Sparks, asked beside the model; for example
    http://<spark-2-ip>:1235. What it finds is only ever added. Text goes to no other machine."""
    redaction_ner_seconds: Annotated[
        float,
        Field(ge=1, le=120, allow_inf_nan=False),
        Shown(label="Longest look for names"),
    ] = 20.0
    """Of one text; what was not looked at by then is said, or the text is refused."""
