"""Makes the parts of this folder importable."""

import os
import secrets
import sys
from pathlib import Path

import pytest

# Test files are imported without their folder on the path.
sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture
def seed() -> int:
    """Return the seed of this run: CHAOS_SEED to repeat one, else a fresh number."""
    return int(os.environ.get("CHAOS_SEED") or secrets.randbelow(1_000_000))
