"""``python -m benchmarks.health``: seconds from a fault to its event and to the dashboard."""

import argparse
import json
import logging
import random
import re
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import structlog
from benchmarks.health.faults import FAULTS, Fault, all_well
from benchmarks.health.product import Product, until

_LOOK_SECONDS: Final = 5.0


class Run:
    """One run through the rows."""

    def __init__(self, product: Product) -> None:
        self._product = product
        self._number = 0
        self._began = 0.0

    def measure(self, fault: Fault) -> dict[str, Any]:
        """Return the seconds to event and dashboard, and how many transitions there were."""
        product = self._product
        if not fault.follows:
            # Looks come every few seconds: the fault hits anywhere between two.
            time.sleep(random.uniform(0, _LOOK_SECONDS))
            self._number, self._began = len(product.events), time.monotonic()
            fault.begin(product)
        shown = until(fault.name, lambda: fault.shown(product)) - self._began
        told = None
        if fault.told is not None:
            until(f"the event of {fault.name}", lambda: self._heard(fault) is not None)
            told = self._heard(fault)
        moved = [one for one in product.events[self._number :] if one.type == "health.transition"]
        return {
            "fault": fault.name,
            "seen_as": fault.seen_as,
            "event": told,
            "dashboard": shown,
            "transitions": len(moved),
        }

    def _heard(self, fault: Fault) -> float | None:
        tells, events = fault.told, self._product.events[self._number :]
        found = (one.at - self._began for one in events if tells is not None and tells(one))
        return next(found, None)


def row(facts: dict[str, Any]) -> str:
    """Return a line of the table."""
    told = "-" if facts["event"] is None else f"{facts['event']:.1f}"
    return (
        f"| {facts['fault']} | {facts['seen_as']} | {told} | {facts['dashboard']:.1f} | "
        f"{facts['transitions']} |"
    )


def main() -> None:
    """Print the table, each row as it is measured."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.health", description=__doc__)
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    parser.add_argument("--only", default="", help="rows whose name matches this expression")
    options = parser.parse_args()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))
    rows = []
    with tempfile.TemporaryDirectory(prefix="health-") as place, Product(Path(place)) as product:
        until("everything to be well", lambda: all_well(product))
        run = Run(product)
        print("| fault | seen as | event, s | dashboard, s | transitions |")
        print("|---|---|--:|--:|--:|")
        for fault in [one for one in FAULTS if re.search(options.only, one.name)]:
            rows.append(run.measure(fault))
            print(row(rows[-1]), flush=True)
            fault.end(product)
            until(f"the end of {fault.name}", lambda fault=fault: fault.well(product))
    if options.json:
        options.json.write_text(json.dumps(rows, indent=2))


if __name__ == "__main__":
    main()
