"""Write the table of docs/reliability.md from the JUnit files of ``make chaos``.

reliability.py artifacts/chaos docs/reliability.md

A row of the page stays where no file tells of its test and seed: single runs can be made anew.
"""

import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree as ET

PROMISES = {
    "test_every_accepted_swap_is_carried_out_once_whatever_is_killed": "G1",
    "test_a_worker_that_confirms_first_is_seen_to_lose": "control",
    "test_a_worker_without_guard_is_seen_to_do_things_twice": "control",
    "test_every_accepted_swap_is_carried_out_once_though_the_power_fails": "G2",
    "test_servers_that_sync_when_they_like_are_seen_to_lose": "control",
    "test_what_was_given_is_there_after_a_power_cut": "G3",
    "test_a_redis_that_syncs_when_it_likes_is_seen_to_lose": "control",
    "test_fifty_contenders_have_it_one_at_a_time_whatever_is_killed": "G3",
    "test_eight_readers_lose_nothing_while_nats_and_gateway_die": "G4",
    "test_every_nominal_time_comes_once_whatever_is_killed_or_paused": "G5",
    "test_the_next_command_is_taken_a_second_after_a_restart": "G6",
    "test_what_a_dead_worker_had_is_taken_up_in_sixteen_seconds": "G6",
    "test_a_half_open_link_is_noticed_by_the_third_ping_of_five_seconds": "G6",
    "test_chat_with_a_key_succeeds_as_often_as_before": "G7",
    "test_no_delivery_is_lost_and_every_id_is_constant": "G8",
    "test_bus_record_and_six_services_boot": "G9",
    "test_every_accepted_download_ends_once_and_leaves_nothing_running": "downloads",
}
"""Which promise a test is the proof of; the report has the others under ``scale``."""
BEGIN, END = "<!-- chaos: begin -->", "<!-- chaos: end -->"
FAULT = "fault "
_CELLS = 7
_DAY = re.compile(r"\d{4}-\d\d-\d\d")


@dataclass(frozen=True)
class Run:
    """One test of one run, as its JUnit file tells it."""

    promise: str
    test: str
    outcome: str
    seconds: float
    at: str
    properties: tuple[tuple[str, str], ...]

    def row(self) -> str:
        """Return the line of the table."""
        found = dict(self.properties)
        faults = [
            f"{n} {name[len(FAULT) :]}" for name, n in found.items() if name.startswith(FAULT)
        ]
        counts = [
            f"{name} {value}"
            for name, value in found.items()
            if name != "seed" and not name.startswith(FAULT)
        ]
        cells = (
            self.promise,
            f"`{self.test}`",
            found.get("seed", ""),
            ", ".join(faults),
            ", ".join(counts),
            f"{self.seconds:.0f} s",
            self.outcome,
        )
        return "| " + " | ".join(cell.replace("|", "/") for cell in cells) + " |"


def runs(files: Iterable[Path]) -> Iterator[Run]:
    """Read every test that noted what was done to it, or that did not pass."""
    for file in files:
        for suite in ET.parse(file).getroot().iter("testsuite"):
            for case in suite.iter("testcase"):
                noted = tuple(
                    (p.get("name", ""), p.get("value", "")) for p in case.iter("property")
                )
                outcome = _outcome(case)
                if not noted and outcome == "passed":
                    continue
                test = case.get("name", "")
                yield Run(
                    promise=PROMISES.get(test.partition("[")[0], "scale"),
                    test=test,
                    outcome=outcome,
                    seconds=float(case.get("time", "0")),
                    at=suite.get("timestamp", "")[:10],
                    properties=noted,
                )


def _outcome(case: ET.Element) -> str:
    for tag, word in (("failure", "**FAILED**"), ("error", "**FAILED**"), ("skipped", "skipped")):
        found = case.find(tag)
        if found is not None:
            why = found.get("message", "") if tag == "skipped" else ""
            return f"{word}: {why}" if why else word
    return "passed"


@dataclass(frozen=True, order=True)
class Row:
    """A line of the table, and by what it is found again."""

    promise: str
    test: str
    seed: str
    line: str

    @property
    def passed(self) -> bool:
        """Whether its last cell says so."""
        return self.line.endswith("| passed |")


def rows_of(page: str) -> Iterator[Row]:
    """Read the rows that a page has."""
    for line in page.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if len(cells) == _CELLS and cells[1].startswith("`"):
            yield Row(cells[0], cells[1].strip("`"), cells[2], line)


def merged(before: Iterable[Row], fresh: Iterable[Row]) -> list[Row]:
    """Return the rows of now: what ended before it told its seed is replaced by any of its test."""
    new = list(fresh)
    made = {(row.test, row.seed) for row in new} | {(row.test, "") for row in new}
    return sorted([*new, *(row for row in before if (row.test, row.seed) not in made)])


def table(found: Iterable[Run], revision: str, before: str = "") -> str:
    """Return the whole block, marks included; ``before`` is the one that it replaces."""
    new = [*found]
    fresh = [
        Row(run.promise, run.test, dict(run.properties).get("seed", ""), run.row()) for run in new
    ]
    ordered = merged(rows_of(before), fresh)
    days = {run.at for run in new}
    if len(ordered) > len(fresh):
        days |= set(_DAY.findall(before.partition("reported at")[0]))
    bad = sum(not row.passed for row in ordered)
    lines = [
        BEGIN,
        f"{len(ordered)} runs on {' and '.join(sorted(days)) or 'no day'}, reported at "
        f"`{revision}`: {len(ordered) - bad} passed, {bad} did not.",
        "",
        "| promise | test | seed | faults | counts | took | outcome |",
        "| --- | --- | --- | --- | --- | --- | --- |",
        *(row.line for row in ordered),
        END,
    ]
    return "\n".join(lines)


def parted(text: str) -> tuple[str, str, str]:
    """Return what stands before the block, the block, and what stands behind it."""
    start, end = text.find(BEGIN), text.find(END)
    if text.count(BEGIN) != 1 or text.count(END) != 1 or end < start:
        raise SystemExit(f"the document needs one {BEGIN} … {END}")
    end += len(END)
    return text[:start], text[start:end], text[end:]


def main(folder: str, document: str) -> None:
    """Read the folder, rewrite the document."""
    revision = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    ).stdout.strip()
    page = Path(document)
    files = sorted(Path(folder).glob("*.xml"))
    start, block, end = parted(page.read_text())
    page.write_text(start + table(runs(files), revision or "unknown", block) + end)


if __name__ == "__main__":
    main(*sys.argv[1:])
