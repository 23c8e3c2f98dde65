"""``python -m benchmarks.promptness``: what must be prompt or small, in one run, with verdicts."""

import argparse
import asyncio
import json
import logging
import os
import re
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Final

import structlog
import uvloop
from benchmarks.health.faults import all_well
from benchmarks.health.product import Product, until
from benchmarks.promptness import departures, listing, news, page, streams, swaps, uploads
from benchmarks.promptness.figures import Row, as_table

_SPEED: Final = 20.0
_ALONE: Final = {
    "uploads": uploads.measure,
    "departures": departures.measure,
    "streams": streams.measure,
}
"""Of the gateway alone, before a server of ours."""
_WHOLE: Final[Mapping[str, Callable[[Product], list[Row]]]] = {
    "page": page.measure,
    "news": news.measure,
    "swaps": swaps.measure,
    "listing": listing.measure,
}
"""Of the whole product with simulated Sparks."""


def main() -> None:
    """Print what was measured, and how busy the machine was meanwhile."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.promptness", description=__doc__)
    parser.add_argument("--only", type=re.compile, default=re.compile(""), help="parts that match")
    parser.add_argument("--json", type=Path, help="also write every value to this file")
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="promptness-") as place:
        for name, alone in _ALONE.items():
            if options.only.search(name):
                with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
                    rows += _noted(name, runner.run(alone(Path(place))))
        whole = {name: part for name, part in _WHOLE.items() if options.only.search(name)}
        if whole:
            with Product(Path(place), speed=_SPEED) as product:
                until("everything to be well", lambda: all_well(product))
                for name, part in whole.items():
                    rows += _noted(name, part(product))
    print(as_table(rows))
    if options.json is not None:
        options.json.write_text(json.dumps([asdict(row) for row in rows], indent=2) + "\n")


def _noted(name: str, rows: list[Row]) -> list[Row]:
    print(f"{name}: measured at a load of {os.getloadavg()[0]:.1f}", flush=True)
    return rows


if __name__ == "__main__":
    main()
