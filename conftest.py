"""How the tests share two cores: the heavy ones one after another, the rest file by file."""

import pytest

HEAVY = ("e2e", "chaos", "browser")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Group tests for ``-n 2 --dist loadgroup``: whole products never start side by side.

    First of all hooks, because the distribution reads the groups in a hook of its own. They are
    handed out in this order (``--no-loadscope-reorder``).
    """
    for item in items:
        heavy = any(item.get_closest_marker(name) for name in HEAVY)
        group = "whole-product" if heavy else str(item.path)
        item.add_marker(pytest.mark.xdist_group(group))
    # The longest group first, or one core waits for it at the end.
    items.sort(key=lambda item: not any(item.get_closest_marker(name) for name in HEAVY))
