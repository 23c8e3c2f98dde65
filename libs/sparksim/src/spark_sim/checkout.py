"""The checkout of spark-vllm-docker in a host's home, with real git."""

import shutil
import subprocess
from importlib import resources
from pathlib import Path

from spark_sim.checkout_recipes import write_recipes
from spark_sim.config import SimConfig
from spark_sim.sandbox import Sandbox, write_executable

_README = "# spark-vllm-docker\n\nvLLM on one or two DGX Sparks in Docker.\n"


def install_checkout(sandbox: Sandbox, config: SimConfig, address: str) -> None:
    """Write the checkout unless it is there; its script is refreshed in any case."""
    folder = sandbox.checkout
    fresh = not folder.exists()
    folder.mkdir(exist_ok=True)
    script = resources.files("spark_sim.programs").joinpath("launch-cluster.sh").read_text()
    write_executable(folder / "launch-cluster.sh", script)
    install_program(folder, "hf-download.sh")
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
        _commit(sandbox)


def install_program(folder: Path, name: str) -> None:
    """Write a script of ``programs/`` into the checkout."""
    write_executable(
        folder / name, resources.files("spark_sim.programs").joinpath(name).read_text()
    )


def _commit(sandbox: Sandbox) -> None:
    when = {"GIT_AUTHOR_DATE": "2026-09-15T12:00:00Z", "GIT_COMMITTER_DATE": "2026-09-15T12:00:00Z"}
    who = ["-c", "user.name=spark", "-c", "user.email=spark@example.invalid"]
    calm = {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"}
    for arguments in (["init", "-q", "-b", "main"], ["add", "."],
                      [*who, "commit", "-q", "-m", "Detach the head in no-Ray mode"]):  # fmt: skip
        subprocess.run(
            ["git", *arguments], cwd=sandbox.checkout, check=True, capture_output=True,
            env=sandbox.environment() | when | calm,
        )  # fmt: skip
