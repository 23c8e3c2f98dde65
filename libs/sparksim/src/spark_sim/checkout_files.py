"""What lies in the checkout of spark-vllm-docker: every file, with whoever knows its text."""

from collections.abc import Iterable, Mapping
from importlib import resources
from typing import Literal, get_args

from spark_sim.checkout_file import CheckoutFile, Provider
from spark_sim.checkout_recipes import recipe_files
from spark_sim.config import SimConfig

Launcher = Literal["2026-09", "2026-01"]
LAUNCHERS = get_args(Launcher)
_SCRIPTS: Mapping[Launcher, str] = {
    "2026-09": "launch-cluster.sh",
    "2026-01": "launch-cluster-2026-01.sh",
}


def program(name: str) -> Provider:
    """Return the provider of a script that stands in ``programs/``."""

    def provide(_: SimConfig) -> Iterable[CheckoutFile]:
        yield CheckoutFile(name, _text(name), executable=True)

    return provide


def launch_script(launcher: Launcher) -> CheckoutFile:
    """Return ``launch-cluster.sh`` as it was at a time."""
    return CheckoutFile("launch-cluster.sh", _text(_SCRIPTS[launcher]), executable=True)


def _launcher(config: SimConfig) -> Iterable[CheckoutFile]:
    yield launch_script(config.launcher)


def _text(name: str) -> str:
    return resources.files("spark_sim.programs").joinpath(name).read_text()


def _ignored(_: SimConfig) -> Iterable[CheckoutFile]:
    yield CheckoutFile(".gitignore", ".env\nbuild-metadata.yaml\n")


PROVIDERS: tuple[Provider, ...] = (
    _launcher,
    program("build-and-copy.sh"),
    program("hf-download.sh"),
    recipe_files,
    _ignored,
)
"""One line each; of two files with one path the later one counts."""


def checkout_files(config: SimConfig) -> dict[str, CheckoutFile]:
    """Return every file of the checkout by path."""
    return {file.path: file for provide in PROVIDERS for file in provide(config)}
