"""One product for all mishaps of this folder; the last one of them ends it."""

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="package")
def product(tmp_path_factory: pytest.TempPathFactory, starter_in) -> Iterator[object]:
    starter = starter_in(tmp_path_factory.mktemp("product"))
    yield starter.start()
    starter.close()
