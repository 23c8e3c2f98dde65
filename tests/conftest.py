"""Which tests stay together, where they are spread over several processes."""

import pytest
from xdist.scheduler import LoadFileScheduling

TOGETHER = ("tests/e2e/stories/", "tests/e2e/mishaps/")
"""Folders whose files share what is costly to start."""


class Rooms(LoadFileScheduling):
    """Gives a whole file to one process, and a whole folder where its files share one product."""

    def _split_scope(self, nodeid: str) -> str:
        for folder in TOGETHER:
            if nodeid.startswith(folder):
                return folder
        return str(super()._split_scope(nodeid))


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> Rooms | None:
    return Rooms(config, log) if config.getvalue("dist") == "loadfile" else None
