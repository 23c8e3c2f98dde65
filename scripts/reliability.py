"""Write the table of docs/reliability.md from the JUnit files of ``make chaos``.

reliability.py artifacts/chaos docs/reliability.md
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


def table(found: Iterable[Run], revision: str) -> str:
    """Return the whole block, marks included."""
    ordered = sorted(
        found, key=lambda run: (run.promise, run.test, dict(run.properties).get("seed", ""))
    )
    days = sorted({run.at for run in ordered})
    bad = sum(run.outcome != "passed" for run in ordered)
    lines = [
        BEGIN,
        f"{len(ordered)} runs on {' and '.join(days) or 'no day'}, reported at `{revision}`: "
        f"{len(ordered) - bad} passed, {bad} did not.",
        "",
        "| promise | test | seed | faults | counts | took | outcome |",
        "| --- | --- | --- | --- | --- | --- | --- |",
        *(run.row() for run in ordered),
        END,
    ]
    return "\n".join(lines)


def replaced(text: str, block: str) -> str:
    """Return the document with the block in the place of the one before it."""
    pattern = re.compile(re.escape(BEGIN) + ".*?" + re.escape(END), re.DOTALL)
    new, number = pattern.subn(lambda _: block, text)
    if number != 1:
        raise SystemExit(f"the document needs one {BEGIN} … {END}")
    return new


def main(folder: str, document: str) -> None:
    """Read the folder, rewrite the document."""
    revision = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=False
    ).stdout.strip()
    page = Path(document)
    files = sorted(Path(folder).glob("*.xml"))
    page.write_text(replaced(page.read_text(), table(runs(files), revision or "unknown")))


if __name__ == "__main__":
    main(*sys.argv[1:])
