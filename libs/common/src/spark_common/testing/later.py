"""Modules that one test file needs and every worker would read: read when they are first used."""

import importlib
from typing import Any


class Later:
    """Stands for a module until something of it is asked for."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            # Who looks for tests asks everything for a mark of its own.
            raise AttributeError(name)
        return getattr(importlib.import_module(self._name), name)
