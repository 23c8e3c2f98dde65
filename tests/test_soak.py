"""The soak, for seconds instead of an hour: it runs, and would see what it is there to see."""

import math
import os
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# The benchmarks are no package of the workspace; this one needs nothing but Python.
FLAT = runpy.run_path(str(ROOT / "benchmarks/flat.py"))
SECONDS = os.environ.get("SOAK_SECONDS", "2")


@pytest.mark.connected
def test_nothing_grows_and_nothing_fails() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.soak"],
        env=os.environ | {"SOAK_SECONDS": SECONDS},
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.splitlines()[-1] == "flat"


def steady(**grown):
    usual = {"resident": 90 << 20, "files": 40, "threads": 1}
    return [
        FLAT["Sample"](
            **{name: start + number * grown.get(name, 0) for name, start in usual.items()}
        )
        for number in range(60)
    ]


def test_the_slope_of_the_memory_is_that_after_the_warm_up():
    # Sixty samples in ten minutes: one in ten seconds.
    samples = steady(resident=1 << 10)
    warming = [sample._replace(resident=1 << 20) for sample in samples[:12]]
    assert FLAT["slope"](warming + samples[12:], 600) == pytest.approx(360 << 10)
    assert math.isnan(FLAT["slope"](samples[:1], 10))


@pytest.mark.parametrize(
    ("samples", "failures", "seen"),
    [
        (steady(), 0, []),
        (steady(), 3, ["3 requests failed"]),
        (steady(resident=1 << 20), 0, ["resident grew"]),
        (steady(files=1), 0, ["files grew"]),
        (steady(threads=1), 0, ["threads grew"]),
        (steady()[:2], 0, []),
    ],
)
def test_what_grows_is_seen(samples, failures, seen):
    found = FLAT["verdict"](samples, failures)
    assert len(found) == len(seen)
    assert all(line.startswith(word) for line, word in zip(found, seen, strict=True))
