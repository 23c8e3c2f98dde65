"""A file of the checkout of spark-vllm-docker, and who knows its text."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from spark_sim.config import SimConfig


@dataclass(frozen=True)
class CheckoutFile:
    """A file under version control; ``path`` is relative to the checkout."""

    path: str
    text: str
    executable: bool = False


Provider = Callable[[SimConfig], Iterable[CheckoutFile]]
"""Returns files of the checkout as these settings want them."""
