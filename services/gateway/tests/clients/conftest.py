"""One gateway for all clients, with a simulated model server and embedding server behind it."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from gateway_stand.town import Application, Town, playing


@pytest.fixture(scope="session")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    built = Town(tmp_path_factory.mktemp("town"))
    try:
        built.start()
        yield built
    finally:
        built.stop()


@pytest.fixture(scope="session")
def recorded() -> Callable[[str], Application]:
    """What a real vLLM answered, by name."""
    folder = Path(__file__).parent / "captures"
    return lambda name: playing((folder / f"{name}.txt").read_bytes())
