"""The checkout of spark-vllm-docker in a host's home: a real clone of a real repository."""

import hashlib
import shutil
import subprocess
from enum import StrEnum
from pathlib import Path

from spark_sim.checkout_files import Launcher, checkout_files, launch_script
from spark_sim.checkout_history import fast_import
from spark_sim.config import SimConfig
from spark_sim.sandbox import Sandbox, write_executable

UPSTREAM = "https://github.com/eugr/spark-vllm-docker.git"
_SITE = UPSTREAM.rpartition("/")[0] + "/"
_NOBODY = "http://127.0.0.1:9/"
"""Nothing listens there: git fails as it does without a network, only sooner."""


class CheckoutState(StrEnum):
    """What a fetch and a pull will find on one host."""

    BEHIND = "behind"
    """Clean, and there are commits upstream: how every host begins."""
    CURRENT = "current"
    DIRTY = "dirty"
    """A file under version control was edited, and one was added."""
    DIVERGED = "diverged"
    """A commit of its own, beside those upstream."""
    DETACHED = "detached"
    NO_UPSTREAM = "no_upstream"
    OFFLINE = "offline"
    """Behind, and the site of the repository cannot be reached."""
    NO_REPOSITORY = "no_repository"
    """The files without their history, as from a ZIP."""
    MISSING = "missing"


class Checkout:
    """The clone on one host; the repository it comes from is shared by all hosts."""

    def __init__(self, sandbox: Sandbox, config: SimConfig, address: str) -> None:
        self.folder = sandbox.checkout
        self._sandbox = sandbox
        self._config = config
        self._address = address
        self._origin = config.directory.resolve() / "upstream" / "spark-vllm-docker.git"

    def install(self) -> None:
        """Clone unless that was done; a simulator that has other files now begins afresh."""
        if shutil.which("git") is None:
            self._without_git()
        else:
            stream = fast_import([*checkout_files(self._config).values()])
            mark = hashlib.sha256(stream).hexdigest()
            if _text(self._origin / "sim-mark") != mark:
                self._publish(stream, mark)
            if not self.folder.exists() or _text(self.folder / ".git" / "sim-mark") != mark:
                self._clone(mark)
        self._write_env()

    def become(self, state: CheckoutState) -> None:
        """Put the checkout into a state, from whatever it is in. Raises CalledProcessError."""
        self._clone(_text(self._origin / "sim-mark"))
        self._write_env()
        match state:
            case CheckoutState.BEHIND:
                return
            case CheckoutState.CURRENT:
                self._git("pull", "-q", "--ff-only")
            case CheckoutState.DIRTY:
                (self.folder / "README.md").write_text("my own notes\n")
                (self.folder / "my notes.txt").write_text("not under version control\n")
            case CheckoutState.DIVERGED:
                (self.folder / "README.md").write_text("my own notes\n")
                who = ("-c", "user.name=spark", "-c", "user.email=spark@example.invalid")
                self._git(*who, "commit", "-q", "-a", "-m", "Keep my own notes")
            case CheckoutState.DETACHED:
                self._git("checkout", "-q", "--detach")
            case CheckoutState.NO_UPSTREAM:
                self._git("branch", "--unset-upstream")
            case CheckoutState.OFFLINE:
                self._point_at(_NOBODY)
            case CheckoutState.NO_REPOSITORY:
                shutil.rmtree(self.folder / ".git")
            case CheckoutState.MISSING:
                shutil.rmtree(self.folder)

    def use_launcher(self, launcher: Launcher) -> None:
        """Have the script of another time, without a trace in git."""
        script = launch_script(launcher)
        write_executable(self.folder / script.path, script.text)
        if (self.folder / ".git").exists():
            self._git("update-index", "--skip-worktree", script.path)

    def _publish(self, stream: bytes, mark: str) -> None:
        shutil.rmtree(self._origin, ignore_errors=True)
        self._origin.mkdir(parents=True)
        self._git("init", "-q", "--bare", "-b", "main", cwd=self._origin)
        self._git("fast-import", "--quiet", cwd=self._origin, stdin=stream)
        self._git("update-ref", "refs/heads/main", "refs/sim/tip", cwd=self._origin)
        (self._origin / "sim-mark").write_text(mark)

    def _clone(self, mark: str) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)
        self._point_at(f"{self._origin.parent}/")
        self._git("clone", "-q", "--no-hardlinks", UPSTREAM, str(self.folder), cwd=self._origin)
        base = self._git("rev-parse", "refs/sim/base", cwd=self._origin)
        self._git("reset", "-q", "--hard", base)
        # What was known of upstream when this checkout was made.
        self._git("update-ref", "refs/remotes/origin/main", base)
        (self.folder / ".git" / "sim-mark").write_text(mark)

    def _point_at(self, site: str) -> None:
        """Have git on this host reach the repository's site at another place."""
        lines = f'[url "{site}"]\n\tinsteadOf = {_SITE}\n'
        (self._sandbox.home / ".gitconfig").write_text(lines)

    def _write_env(self) -> None:
        config, path = self._config, self.folder / ".env"
        if not config.env_file:
            path.unlink(missing_ok=True)
            return
        path.write_text(
            f"CLUSTER_NODES={config.spark1},{config.spark2}\nCOPY_HOSTS={config.spark2}\n"
            f"LOCAL_IP={self._address}\nETH_IF=enp1s0f1np1\nIB_IF=rocep1s0f1,roceP2p1s0f1\n"
        )

    def _without_git(self) -> None:
        for file in checkout_files(self._config).values():
            path = self.folder / file.path
            path.parent.mkdir(parents=True, exist_ok=True)
            write_executable(path, file.text) if file.executable else path.write_text(file.text)

    def _git(self, *words: str, cwd: Path | None = None, stdin: bytes | None = None) -> str:
        done = subprocess.run(
            ["git", *words], cwd=cwd or self.folder, input=stdin, check=True, capture_output=True,
            env=self._sandbox.environment() | {"GIT_CONFIG_NOSYSTEM": "1"},
        )  # fmt: skip
        return done.stdout.decode().strip()


def _text(path: Path) -> str:
    return path.read_text() if path.exists() else ""
