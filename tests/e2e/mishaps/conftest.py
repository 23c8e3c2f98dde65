"""One product for all mishaps of this folder; the last one of them ends it.

It starts in a folder of an older version, of which nothing may be lost.
"""

from pathlib import Path
from typing import Any

import pytest
from older_state import plant

BEFORE = Path(__file__).parents[1] / "older" / "before-1.0.json"
KEPT = (
    *("settings", "keys", "schedule", "webhooks", "webhooks/deliveries", "maintenance", "services"),
    *("swap/first", "swap/lock", "downloads/again", "models/gpt-oss-120b/recipe", "requests"),
    *("accountability", "deep-health?service=embeddings", "models", "dead-letters"),
)


@pytest.fixture(scope="session")
def on_an_older_folder(starter_of) -> tuple[Any, dict[str, Any]]:
    """Start on what an older version left; read all of it before anything else happens."""
    starter = starter_of(Path(__file__).parent)
    remembered = plant(BEFORE, starter.run)
    product = starter.start()
    left = {path: product.http.get(f"/api/{path}").raise_for_status().json() for path in KEPT}
    left["remembered"] = remembered
    # Nobody could swap while the older version's holder has the cluster.
    token = {"x-swap-lock-token": remembered["token"]}
    left["released"] = product.http.delete("/api/swap/lock", headers=token).json()
    left["hook"] = product.http.delete("/api/webhooks/n8n?requested_by=Alice").status_code
    return product, left


@pytest.fixture(scope="session")
def product(on_an_older_folder):
    return on_an_older_folder[0]


@pytest.fixture(scope="session")
def left(on_an_older_folder):
    return on_an_older_folder[1]
