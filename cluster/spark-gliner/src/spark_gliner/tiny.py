"""A stand-in without a model: words with a capital letter, to try the server and to test it."""

import re
from collections.abc import Sequence

from spark_gliner.ports import Entity

_CAPITAL = re.compile(r"\b[A-Z]\w+(?: [A-Z]\w+)*")
_SCORE = 0.5


class TinyTagger:
    """Calls every run of words with a capital letter by the first label that is asked for."""

    name = "tiny"

    def tag(
        self, windows: Sequence[str], labels: Sequence[str], threshold: float
    ) -> list[list[Entity]]:
        """See ``Tagger``."""
        if threshold > _SCORE:
            return [[] for _ in windows]
        return [
            [Entity(*match.span(), labels[0], _SCORE) for match in _CAPITAL.finditer(window)]
            for window in windows
        ]
