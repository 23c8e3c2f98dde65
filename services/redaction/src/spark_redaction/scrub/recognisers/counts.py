"""What follows a number of things, and so no number of a house: "5 Minuten", "12 people", "2:1"."""

import re
from typing import Final

from spark_redaction.scrub.view import View

_UNIT: Final = re.compile(
    r"\s?(?:(?:jahr|monat|woche|tag|stunde|minute|sekunde|nachte?|person|kind|gaste?|parteien|wohnung|etage|stockwerk|punkt|tor|grad|million|"
    r"milliarde|stuck|mitarbeiter|teilnehmer|seite|platze?)(?:en|er|e|n|s)?|leute|mal|uhr|euros?|prozent|%|meter|k?m|cm|mm|kg|years?|months?|weeks?|days?|hours?|"
    r"hrs?|minutes?|mins?|seconds?|secs?|nights?|people|persons|users|times|percent|miles|ans|mois|jours|heures|personnes|places|anos|anni|dias|giorni|jaar|lat|"
    r"vuotta|v\. ?chr|n\. ?chr|tausend|dollars?|units?|items?|boxes|copies|orders|shops|points?|goals?|tiles)(?![^\W_])|:\d"
)


def counts(view: View, end: int) -> bool:
    """Whether the number that ends here counts something, or goes on as a score or a time."""
    return _UNIT.match(view.lower, end) is not None
