"""One product for all stories of this folder: each leaves the Sparks to the next one."""

from pathlib import Path

import pytest

LOCK = "/api/swap/lock"


@pytest.fixture(scope="session")
def product(starter_of):
    return starter_of(Path(__file__).parent).start()


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
