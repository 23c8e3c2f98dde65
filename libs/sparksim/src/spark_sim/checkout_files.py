"""What lies in the checkout of spark-vllm-docker: every file, with whoever knows its text."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib import resources

from spark_sim.config import SimConfig


@dataclass(frozen=True)
class CheckoutFile:
    """A file under version control; ``path`` is relative to the checkout."""

    path: str
    text: str
    executable: bool = False


Provider = Callable[[SimConfig], Iterable[CheckoutFile]]
"""Returns files of the checkout as these settings want them."""


def program(name: str) -> Provider:
    """Return the provider of a script that stands in ``programs/``."""

    def provide(_: SimConfig) -> Iterable[CheckoutFile]:
        text = resources.files("spark_sim.programs").joinpath(name).read_text()
        yield CheckoutFile(name, text, executable=True)

    return provide


def _ignored(_: SimConfig) -> Iterable[CheckoutFile]:
    yield CheckoutFile(".gitignore", ".env\nbuild-metadata.yaml\n")


PROVIDERS: tuple[Provider, ...] = (
    program("launch-cluster.sh"),
    program("build-and-copy.sh"),
    program("hf-download.sh"),
    _ignored,
)
"""One line each; of two files with one path the later one counts."""


def checkout_files(config: SimConfig) -> dict[str, CheckoutFile]:
    """Return every file of the checkout by path."""
    return {file.path: file for provide in PROVIDERS for file in provide(config)}
