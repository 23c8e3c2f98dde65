"""How many follow something that costs its source a question every time."""

from collections.abc import Iterator
from contextlib import contextmanager


class Followers:
    """Counts those who are there now."""

    def __init__(self) -> None:
        self.taken = 0

    @contextmanager
    def one(self) -> Iterator[None]:
        """Be one of them inside."""
        self.taken += 1
        try:
            yield
        finally:
            self.taken -= 1
