"""Makes the parts of this folder importable; the swapper processes import them too."""

import os
import secrets
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

# Test files are imported without their folder on the path; a script started here has it.
sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def seed() -> int:
    """Return the seed of this run: CHAOS_SEED to repeat one, else a fresh number."""
    return int(os.environ.get("CHAOS_SEED") or secrets.randbelow(1_000_000))


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Return a function that prints past pytest's capture: the seed is wanted in every log.

    Where tests run in other processes only what is captured arrives, with a failure.
    """

    def line(text: str) -> None:
        sys.stdout.write(f"{text}\n")
        with capsys.disabled():
            sys.stdout.write(f"\n{text}")

    return line
