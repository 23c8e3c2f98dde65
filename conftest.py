"""How the tests share two cores: file by file, the heaviest first."""

import gc

import hypothesis
import pytest

from spark_common.testing.logs import plain_tracebacks

# How long an example takes says something of the machine, and nothing of the code.
hypothesis.settings.register_profile("ours", deadline=None)
hypothesis.settings.load_profile("ours")
plain_tracebacks()
# While files are looked at nothing becomes garbage, and there is more and more to walk.
gc.disable()

HEAVY = ("e2e", "chaos", "browser", "connected")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put whole products, kills, browsers and servers first, for ``--dist loadfile``.

    A file stays on one core, so that what its tests share is started once. Files are handed out
    in this order (``--no-loadscope-reorder``): a long one at the end would leave a core idle.
    """
    items.sort(key=_rank)


def pytest_collection_finish() -> None:
    """Take what was imported out of every collection of garbage to come: it stays anyway.

    And so does the little garbage among it: to look for that takes longer than it is worth.
    """
    gc.freeze()
    gc.enable()


def _rank(item: pytest.Item) -> int:
    marked = [rank for rank, name in enumerate(HEAVY) if item.get_closest_marker(name)]
    return marked[0] if marked else len(HEAVY)
