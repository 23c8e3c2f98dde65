"""Break the code on purpose, one small change at a time, and count which changes no test notices.

    mutation.py [--sample N] [--seed N] [NAME...]

Works on a copy of the tree with cosmic-ray. Of every part the same sample of changes is tried
again with the same seed. Writes the scores into docs/reliability.md (those of some parts alone only
at the usual sample and seed), what survived to artifacts/mutation.
"""

import argparse
import json
import os
import random
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from cosmic_ray.work_db import WorkDB, use_db
from cosmic_ray.work_item import TestOutcome, WorkerOutcome, WorkResult

ROOT = Path(__file__).resolve().parents[1]
OUT = ROOT / "artifacts/mutation"
PAGE = ROOT / "docs/reliability.md"
BEGIN, END = "<!-- mutation: begin -->", "<!-- mutation: end -->"
_COLUMNS = (
    "| part | possible changes | tried | noticed | survived | score |",
    "| --- | --- | --- | --- | --- | --- |",
)
SAMPLE, SEED, SECONDS = 40, 10, 90.0
NOT_CODE = re.compile(r"ReplaceBinaryOperator_BitOr_")
"""``X | None`` of an annotation fails at import: it would flatter every score."""


@dataclass(frozen=True)
class Part:
    """What is broken, and the tests that are to notice."""

    sources: tuple[str, ...]
    tests: tuple[str, ...]


SWAPPER = "services/swapper/src/spark_swapper"
AUDIO = "services/audio-proxy/src/spark_audio_proxy"
SCRUB = "services/redaction/src/spark_redaction/scrub"
LEASING = "services/coordinator/src/spark_coordinator/leasing"
PARTS = {
    "state machine": Part(
        (f"{SWAPPER}/records/jobs.py", f"{SWAPPER}/driving/settle.py"),
        tuple(
            f"services/swapper/tests/test_{name}.py"
            for name in ("swap_jobs", "settle_matrix", "diagram", "runner", "worker")
        ),
    ),
    "merge": Part(
        tuple(
            f"{AUDIO}/merging/{name}.py"
            for name in ("attribution", "blocks", "evidence", "sentences", "shares", "tidying")
        ),
        tuple(
            f"services/audio-proxy/tests/test_attribution{name}.py"
            for name in ("", "_properties", "_quality")
        ),
    ),
    "scrubber": Part(
        tuple(f"{SCRUB}/{name}.py" for name in ("scrubber", "detector", "spans", "view", "verify")),
        tuple(
            f"services/redaction/tests/test_scrub_{name}.py"
            for name in ("spans", "verify", "properties", "gates", "stream")
        ),
    ),
    "gate": Part(
        (
            "libs/common/src/spark_common/leasing/gate.py",
            f"{SWAPPER}/records/fencing.py",
            f"{LEASING}/book.py",
            f"{LEASING}/leases.py",
        ),
        (
            "libs/common/tests/leasing",
            "services/swapper/tests/test_killed_workers.py",
            *(
                f"services/coordinator/tests/leasing/test_{name}.py"
                for name in ("leases", "line", "lease_words", "lease_drain", "lease_losses")
            ),
        ),
    ),
}


@dataclass(frozen=True)
class Score:
    """What came of the changes of one part."""

    possible: int
    killed: int
    survived: int
    broken: int
    """The tests did not end, or the worker did not work."""

    def row(self, name: str) -> str:
        """Return the line of the table."""
        tried = self.killed + self.survived
        share = f"{100 * self.killed / tried:.0f} %" if tried else "none tried"
        cells = (name, self.possible, tried, self.killed, self.survived, share)
        return "| " + " | ".join(str(cell) for cell in cells) + " |"


def copy_of_the_tree(folder: Path) -> None:
    """Copy what is tracked: a change is made in place, and nobody else is to see it."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True)
    for name in listed.stdout.decode().rstrip("\0").split("\0"):
        source, target = ROOT / name, folder / name
        if source.is_file():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(source, target)


def environment(tree: Path) -> dict[str, str]:
    """Return an environment in which the sources of the copy come first."""
    sources = sorted(str(path) for path in tree.glob("*/*/src"))
    # Two changes within a second have the same time: nothing compiled may be kept.
    keep_nothing = {"PYTHONDONTWRITEBYTECODE": "1"}
    return {**os.environ, **keep_nothing, "PYTHONPATH": os.pathsep.join(sources)}


def configuration(part: Part) -> str:
    """Return cosmic-ray's configuration of a part."""
    python = ROOT / ".venv/bin/python"
    command = f"{python} -m pytest -x -q -p no:cacheprovider {' '.join(part.tests)}"
    return (
        "[cosmic-ray]\n"
        f"module-path = {json.dumps(list(part.sources))}\n"
        f"timeout = {SECONDS}\n"
        "excluded-modules = []\n"
        f"test-command = {json.dumps(command)}\n"
        '[cosmic-ray.distributor]\nname = "local"\n'
    )


def draw(db: WorkDB, sample: int, seed: int) -> int:
    """Leave ``sample`` of the possible changes to be tried; return how many there are."""
    items = {
        item.job_id: item.mutations[0]
        for item in db.work_items
        if not NOT_CODE.search(item.mutations[0].operator_name)
    }
    # Job ids are new in every session; where and how are not.
    ordered = sorted(
        items,
        key=lambda job: (
            str(items[job].module_path),
            items[job].start_pos,
            items[job].operator_name,
            items[job].occurrence,
        ),
    )
    chosen = set(random.Random(seed).sample(ordered, min(sample, len(ordered))))
    for item in list(db.work_items):
        if item.job_id not in chosen:
            skipped = WorkResult(output="not drawn", worker_outcome=WorkerOutcome.SKIPPED)
            db.set_result(item.job_id, skipped)
    return len(items)


def attempt(name: str, part: Part, tree: Path, sample: int, seed: int) -> Score:
    """Try a sample of changes; raises CalledProcessError where the tests fail without one."""
    slug = name.replace(" ", "-")
    config, session = OUT / f"{slug}.toml", OUT / f"{slug}.sqlite"
    session.unlink(missing_ok=True)
    config.write_text(configuration(part))

    def cosmic_ray(*words: str) -> None:
        program = str(Path(sys.executable).with_name("cosmic-ray"))
        subprocess.run([program, *words], cwd=tree, env=environment(tree), check=True)

    cosmic_ray("baseline", str(config))
    cosmic_ray("init", str(config), str(session))
    with use_db(session) as db:
        possible = draw(db, sample, seed)
    cosmic_ray("exec", str(config), str(session))
    with use_db(session) as db:
        return told(db, OUT / f"{slug}-survived.diff", possible)


def told(db: WorkDB, survivors: Path, possible: int) -> Score:
    """Count what happened, and write down the changes that nobody noticed."""
    killed, broken, lived = 0, 0, []
    for _, result in db.completed_work_items:
        if result.worker_outcome is WorkerOutcome.SKIPPED:
            continue
        if result.test_outcome is TestOutcome.KILLED:
            killed += 1
        elif result.test_outcome is TestOutcome.SURVIVED:
            lived.append(result.diff or "")
        else:
            broken += 1
    survivors.write_text("\n".join(lived))
    return Score(possible, killed, len(lived), broken)


def write(scores: dict[str, Score], sample: int, seed: int) -> None:
    """Put the rows of these parts into the page; the rows of others stay."""
    head = [f"`make mutation`: {sample} changes of each, drawn with seed {seed}.", "", *_COLUMNS]
    page = PAGE.read_text()
    before, _, rest = page.partition(BEGIN)
    table, _, after = rest.partition(END)
    rows = {row.split("|")[1].strip(): row for row in table.splitlines() if row.startswith("| ")}
    rows |= {name: score.row(name) for name, score in scores.items()}
    lines = [BEGIN, *head, *(rows[name] for name in PARTS if name in rows), END]
    PAGE.write_text(before + "\n".join(lines) + after)


def main() -> None:
    """Try every part that was asked for, and renew its row; all rows are of one size and seed."""
    reading = argparse.ArgumentParser(description=__doc__)
    reading.add_argument("--sample", type=int, default=SAMPLE)
    reading.add_argument("--seed", type=int, default=SEED)
    reading.add_argument("names", nargs="*", choices=[*PARTS, []])
    asked = reading.parse_args()
    OUT.mkdir(parents=True, exist_ok=True)
    scores = {}
    for name in asked.names or PARTS:
        with tempfile.TemporaryDirectory() as folder:
            copy_of_the_tree(Path(folder))
            scores[name] = attempt(name, PARTS[name], Path(folder), asked.sample, asked.seed)
        print(scores[name].row(name), flush=True)
    if len(scores) == len(PARTS) or (asked.sample, asked.seed) == (SAMPLE, SEED):
        write(scores, asked.sample, asked.seed)


if __name__ == "__main__":
    main()
