"""A service may hold as many connections as the system lets it, whatever it was started with."""

import subprocess
import sys

import pytest

SCRIPT = """
import resource
resource.setrlimit(resource.RLIMIT_NOFILE, ({soft}, {hard}))
from spark_common.service.open_files import make_room
print(make_room(), *resource.getrlimit(resource.RLIMIT_NOFILE))
"""


@pytest.mark.parametrize(
    ("soft", "hard", "then"),
    [
        (128, 900, "900 900 900"),
        (900, 900, "900 900 900"),
    ],
)
def test_the_limit_is_raised_as_far_as_it_goes(soft: int, hard: int, then: str) -> None:
    script = SCRIPT.format(soft=soft, hard=hard)
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.strip() == then, done.stderr


def test_no_more_is_asked_for_than_is_wanted() -> None:
    script = SCRIPT.format(soft=128, hard=900).replace("make_room()", "make_room(500)")
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert done.stdout.strip() == "500 500 900", done.stderr
