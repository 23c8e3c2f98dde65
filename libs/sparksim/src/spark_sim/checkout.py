"""The checkout of spark-vllm-docker in a host's home, with real git."""

import shutil
import subprocess
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Literal, get_args

from spark_sim.checkout_recipes import write_recipes
from spark_sim.config import SimConfig
from spark_sim.sandbox import Sandbox, write_executable

Launcher = Literal["2026-09", "2026-01"]
LAUNCHERS = get_args(Launcher)
_SCRIPTS: Mapping[Launcher, str] = {
    "2026-09": "launch-cluster.sh",
    "2026-01": "launch-cluster-2026-01.sh",
}
_COMMITS: Mapping[Launcher, tuple[str, str]] = {
    "2026-09": ("2026-09-15T12:00:00Z", "Detach the head in no-Ray mode"),
    "2026-01": ("2026-01-20T12:00:00Z", "Wait for Ray before executing"),
}
_README = "# spark-vllm-docker\n\nvLLM on one or two DGX Sparks in Docker.\n"


def install_checkout(sandbox: Sandbox, config: SimConfig, address: str) -> None:
    """Write the checkout unless it is there; its script is refreshed in any case."""
    folder = sandbox.checkout
    fresh = not folder.exists()
    folder.mkdir(exist_ok=True)
    install_program(folder, "hf-download.sh")
    _write_script(folder, config.launcher)
    write_recipes(folder)
    (folder / "README.md").write_text(_README)
    (folder / ".gitignore").write_text(".env\n")
    if config.env_file:
        (folder / ".env").write_text(
            f"CLUSTER_NODES={config.spark1},{config.spark2}\nCOPY_HOSTS={config.spark2}\n"
            f"LOCAL_IP={address}\nETH_IF=enp1s0f1np1\nIB_IF=rocep1s0f1,roceP2p1s0f1\n"
        )
    else:
        (folder / ".env").unlink(missing_ok=True)
    if fresh and shutil.which("git"):
        _commit(sandbox, config.launcher)


def install_program(folder: Path, name: str) -> None:
    """Write a script of ``programs/`` into the checkout."""
    write_executable(
        folder / name, resources.files("spark_sim.programs").joinpath(name).read_text()
    )


def switch_launcher(sandbox: Sandbox, launcher: Launcher) -> None:
    """Replace the script by the one of another time, as a commit of its own."""
    _write_script(sandbox.checkout, launcher)
    if shutil.which("git"):
        _commit(sandbox, launcher)


def _write_script(folder: Path, launcher: Launcher) -> None:
    script = resources.files("spark_sim.programs").joinpath(_SCRIPTS[launcher]).read_text()
    write_executable(folder / "launch-cluster.sh", script)


def _commit(sandbox: Sandbox, launcher: Launcher) -> None:
    at, message = _COMMITS[launcher]
    when = {"GIT_AUTHOR_DATE": at, "GIT_COMMITTER_DATE": at}
    who = ["-c", "user.name=spark", "-c", "user.email=spark@example.invalid"]
    calm = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}
    for arguments in (["init", "-q", "-b", "main"], ["add", "."],
                      [*who, "commit", "-q", "--allow-empty", "-m", message]):  # fmt: skip
        subprocess.run(
            ["git", *arguments], cwd=sandbox.checkout, check=True, capture_output=True,
            env=sandbox.environment() | when | calm,
        )  # fmt: skip
