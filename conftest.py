"""How the tests share two cores: the heavy ones one after another, the rest file by file."""

import pytest

HEAVY = ("e2e", "chaos", "browser")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Group tests for ``-n 2 --dist loadgroup``: whole products never start side by side.

    First of all hooks, because the distribution reads the groups in a hook of its own.
    """
    for item in items:
        heavy = any(item.get_closest_marker(name) for name in HEAVY)
        group = "whole-product" if heavy else str(item.path)
        item.add_marker(pytest.mark.xdist_group(group))
