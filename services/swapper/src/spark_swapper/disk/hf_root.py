"""Does with a container's rights what the user of a Spark may not. Runs on a Spark.

What the container downloaded belongs to root. Its image is there, so a container can remove it;
every path is one element of an argument list, below the one folder that is mounted.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Sequence

_SECONDS = 90
_MOUNT = "/hub"


class Root:
    """Runs a program on paths of the hub: in a new container, else in the running one."""

    def __init__(self, hub: str, image: str, container: str) -> None:
        self._hub = hub
        self._image = image
        self._container = container
        self.said = ""
        """Why it did not work, in docker's words."""

    def run(self, program: Sequence[str], paths: Sequence[str]) -> bool:
        """Run ``program -- paths``; the paths are relative to the hub. True when it said 0."""
        if ":" not in self._hub:
            volume = ("-v", f"{self._hub}:{_MOUNT}")
            fresh = ("docker", "run", "--rm", "--pull=never", "--network=none", *volume)
            if self._said_yes([*fresh, "--entrypoint=", self._image, *_words(program, paths)]):
                return True
        mount = self._mounted()
        if mount is None:
            return False
        words = _words(program, paths, mount)
        return self._said_yes(["docker", "exec", self._container, *words])

    def _mounted(self) -> str | None:
        """Return where the running container sees the hub."""
        inspect = ["docker", "inspect", self._container]
        try:
            done = subprocess.run(inspect, capture_output=True, text=True, timeout=10, check=True)
            mounts = json.loads(done.stdout)[0]["Mounts"]
            for mount in mounts:
                source = os.path.realpath(mount["Source"])
                if self._hub == source or self._hub.startswith(source + "/"):
                    return str(mount["Destination"]) + self._hub[len(source) :]
        except (OSError, subprocess.SubprocessError, ValueError, LookupError, TypeError):
            return None
        return None

    def _said_yes(self, command: list[str]) -> bool:
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=_SECONDS, check=False
            )
        except (OSError, ValueError, subprocess.SubprocessError) as wrong:
            self.said = type(wrong).__name__
            return False
        self.said = "".join(done.stderr.strip().splitlines()[-1:])[:300]
        return done.returncode == 0


def _words(program: Sequence[str], paths: Sequence[str], mount: str = _MOUNT) -> list[str]:
    return [*program, "--", *(f"{mount}/{path}" for path in paths)]
