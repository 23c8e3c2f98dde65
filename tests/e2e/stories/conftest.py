"""One product for all stories of this folder: each leaves the Sparks to the next one."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

LOCK = "/api/swap/lock"
STARTERS: list[Any] = []


@pytest.fixture(scope="session")
def product(tmp_path_factory: pytest.TempPathFactory, starter_in) -> Iterator[object]:
    starter = starter_in(tmp_path_factory.mktemp("product"))
    STARTERS.append(starter)
    yield starter.start()
    starter.close()


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(nextitem: pytest.Item | None) -> None:
    """End it with the last of its tests: whatever comes next needs the processors."""
    if nextitem is None or Path(__file__).parent not in nextitem.path.parents:
        for starter in STARTERS:
            starter.close()


@pytest.fixture(autouse=True)
def _as_at_the_start(product) -> None:
    """Sparks that are well, a menu, no swap, and a cluster that nobody holds or waits for."""
    product.behave("ok")
    product.until("the menu", lambda: product.http.get("/api/models").raise_for_status())

    def free() -> bool:
        product.http.delete(f"{LOCK}?force=true").raise_for_status()
        return product.http.get(LOCK).raise_for_status().json()["state"] == "free"

    product.until("a free cluster", free)

    def quiet() -> bool:
        swaps = product.http.get("/api/swap").raise_for_status().json()
        current = swaps["current"]
        return not swaps["queue"] and (current is None or current["finished_at"] is not None)

    product.until("the last swap to be over", quiet, 90)
