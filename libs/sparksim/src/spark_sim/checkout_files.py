"""What lies in the checkout of spark-vllm-docker: every file, with whoever knows its text."""

from collections.abc import Iterable
from importlib import resources

from spark_sim.checkout_file import CheckoutFile, Provider
from spark_sim.checkout_recipes import recipe_files
from spark_sim.config import SimConfig


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
    recipe_files,
    _ignored,
)
"""One line each; of two files with one path the later one counts."""


def checkout_files(config: SimConfig) -> dict[str, CheckoutFile]:
    """Return every file of the checkout by path."""
    return {file.path: file for provide in PROVIDERS for file in provide(config)}
