"""The checkout of the Matrix bridge in a host's home: a real clone, one commit behind."""

import shutil
import subprocess
from pathlib import Path

from spark_sim.sandbox import Sandbox

_COMPOSE = """\
services:
  bridge:
    build: .
    image: matrix-bridge:local
    container_name: matrix-bridge
    restart: unless-stopped
"""
_DOCKERFILE = 'FROM python:3.12-slim\nCOPY bot.py /bot.py\nCMD ["python", "/bot.py"]\n'
_WHO = ("-c", "user.name=bridge", "-c", "user.email=bridge@example.invalid")


class BridgeCheckout:
    """Made afresh by ``install``; upstream is a bare repository beside it."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.folder = sandbox.home / "matrix-bridge"
        self._origin = sandbox.root / "upstream" / "matrix-bridge.git"
        self._sandbox = sandbox

    def install(self) -> None:
        """Clone it; nothing without git."""
        if shutil.which("git") is None:
            return
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.rmtree(self._origin, ignore_errors=True)
        self._origin.mkdir(parents=True)
        self._git(self._origin, "init", "-q", "--bare", "-b", "main")
        self._git(self._origin.parent, "clone", "-q", str(self._origin), str(self.folder))
        self._git(self.folder, "checkout", "-q", "-B", "main")
        self.publish("Answer in the room that asked", bot="print('one')\n")
        self.publish("Read the room's name", bot="print('two')\n")
        self._git(self.folder, "reset", "-q", "--hard", "HEAD~1")

    def publish(self, subject: str, *, bot: str) -> None:
        """Let upstream have one more commit; the checkout has it too."""
        texts = {"compose.yaml": _COMPOSE, "Dockerfile": _DOCKERFILE, "bot.py": bot}
        for name, text in texts.items():
            (self.folder / name).write_text(text)
        self._git(self.folder, "add", "-A")
        self._git(self.folder, *_WHO, "commit", "-q", "-m", subject)
        self._git(self.folder, "push", "-q", "-u", "origin", "main")

    def commit(self) -> str:
        """Return the commit that is checked out."""
        return self._git(self.folder, "rev-parse", "HEAD")

    def _git(self, cwd: Path, *words: str) -> str:
        done = subprocess.run(
            ["git", *words], cwd=cwd, check=True, capture_output=True, text=True,
            env=self._sandbox.environment() | {"GIT_CONFIG_NOSYSTEM": "1"},
        )  # fmt: skip
        return done.stdout.strip()
