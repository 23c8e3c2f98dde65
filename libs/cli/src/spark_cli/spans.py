"""Spans of time as people write them on a command line."""

import re

import click

_SPAN = re.compile(r"([0-9]+(?:\.[0-9]+)?)([smh]?)\Z")
_SECONDS = {"": 1, "s": 1, "m": 60, "h": 3600}


class Span(click.ParamType[float]):
    """``45s``, ``30m``, ``1.5h``, or a number of seconds; becomes seconds."""

    name = "span"

    def convert(
        self, value: object, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        """Return the seconds."""
        found = _SPAN.match(str(value).strip())
        if found is None:
            self.fail("must look like 45s, 30m or 2h", param, ctx)
        return float(found[1]) * _SECONDS[found[2]]


SPAN = Span()
